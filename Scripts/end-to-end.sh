#!/usr/bin/env bash
# Runs the end-to-end scripts in Tests/EndToEnd, each against the release build, and says how many
# passed. A script gets PLUMBLINE (the program) and KILLS (how often the kill test kills).
#   end-to-end.sh [NAME...]   only the scripts with these names, without their extension
set -uo pipefail
cd "$(dirname "$0")/.."

export PLUMBLINE=${PLUMBLINE:-$PWD/.build/release/plumbline}
export KILLS=${KILLS:-20}
# Scripts at a time: most of them wait for disks, clocks and processes.
JOBS=${JOBS:-3}
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

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# Runs one script and prints what it said when it has ended, with nobody else's lines between.
run_script() {
    local script=$1 runner=bash name
    name=$(basename "$script")
    [[ $script == *.py ]] && runner=/usr/bin/python3
    local start=$SECONDS outcome=passed
    "$runner" "$script" >"$RESULTS/$name.log" 2>&1 || outcome=failed
    touch "$RESULTS/$name.$outcome"
    flock "$RESULTS" bash -c 'echo "== $1: $2, $3 s"; cat "$4"' - \
        "$script" "$outcome" $((SECONDS - start)) "$RESULTS/$name.log"
}
export -f run_script
export RESULTS=$results

# The longest first. Modules that others import (_harness.py) are no scripts.
long='/(cluster|kill|following)'
{
    printf '%s\n' "${scripts[@]}" | grep -E "$long"
    printf '%s\n' "${scripts[@]}" | grep -vE "$long"
} | grep -v '/_' | xargs -P "$JOBS" -I{} bash -c 'run_script "$1"' - {}

count() { find "$results" -name "*.$1" | wc -l; }
echo "end-to-end: $(count passed) passed, $(count failed) failed"
for log in "$results"/*.failed; do echo "end-to-end: $(basename "$log" .failed) failed" >&2; done
[ "$(count failed)" -eq 0 ]
