#!/usr/bin/env bash
# Runs the end-to-end scripts in Tests/EndToEnd, each against the release build, and says how many
# passed. A script gets PLUMBLINE (the program) and KILLS (how often the kill test kills).
#   end-to-end.sh [NAME...]   only the scripts with these names, without their extension
set -uo pipefail
cd "$(dirname "$0")/.."

export PLUMBLINE=${PLUMBLINE:-$PWD/.build/release/plumbline}
export KILLS=${KILLS:-20}
# No __pycache__ beside the scripts.
export PYTHONDONTWRITEBYTECODE=1

shopt -s nullglob
scripts=()
if [ $# -eq 0 ]; then
    scripts=(Tests/EndToEnd/*.sh Tests/EndToEnd/*.py)
else
    for name in "$@"; do
        found=(Tests/EndToEnd/"$name".sh Tests/EndToEnd/"$name".py)
        for script in "${found[@]}"; do [ -f "$script" ] && scripts+=("$script"); done
    done
    if [ ${#scripts[@]} -ne $# ]; then
        echo "end-to-end: not every one of these is in Tests/EndToEnd: $*" >&2
        exit 1
    fi
fi

passed=0
failed=0
for script in "${scripts[@]}"; do
    case $script in
        # Modules that other scripts import, such as _harness.py.
        Tests/EndToEnd/_*) continue ;;
        *.py) runner=/usr/bin/python3 ;;
        *) runner=bash ;;
    esac
    echo "== $script"
    if "$runner" "$script"; then
        passed=$((passed + 1))
    else
        echo "end-to-end: $script failed" >&2
        failed=$((failed + 1))
    fi
done
echo "end-to-end: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
