#!/usr/bin/env bash
# Imports the fixture site's day, runs both topologies over it and prints the alarms.
# Run it again: files already imported are skipped, nothing is doubled.
#   DATA=DIR        where the log lives (default: data)
#   PLUMBLINE=FILE  the program (default: .build/release/plumbline)
set -euo pipefail
cd "$(dirname "$0")/.."

plumbline=${PLUMBLINE:-.build/release/plumbline}
data=${DATA:-data}
day=fixtures/site-day
schemas=topologies/schemas

if [ ! -x "$plumbline" ]; then
    echo "run: no program at $plumbline; run 'make build' first" >&2
    exit 1
fi

echo "== import $day into $data"
"$plumbline" import --data "$data" --topic registry.crane --format json \
    --schema "$schemas/crane.yaml" --key device --time ts --arrival arrival "$day/registry.ndjson"
"$plumbline" import --data "$data" --topic telemetry.crane --format json \
    --schema "$schemas/crane-load.yaml" --key device --time ts --arrival arrival "$day/crane.ndjson"
"$plumbline" import --data "$data" --topic telemetry.dust --format hj212 "$day/dust.hj212"

echo "== run crane-overload and dust-exceedance to the end of the data"
"$plumbline" run --data "$data" topologies/crane-overload topologies/dust-exceedance --until-end

exports=$(mktemp -d)
trap 'rm -rf "$exports"' EXIT
alarms=(alarms.crane alarms.crane-chart alarms.crane-wind alarms.dust)
rejects=(crane-overload.v1.rejects dust-exceedance.v1.rejects)
for topic in "${alarms[@]}" "${rejects[@]}"; do
    # A topic without a record may not exist: then it is left out of the table.
    if [ -d "$data/kafka/$topic-0" ]; then
        "$plumbline" export --data "$data" --topic "$topic" >"$exports/$topic.ndjson"
    fi
done

echo
/usr/bin/python3 Scripts/alarm-table.py "$exports"/*.ndjson

cat <<NEXT

What to type next:
  $plumbline export --data $data --topic alarms.crane      # the records, one JSON object a line
  $plumbline export --data $data --topic means.dust        # every 15-minute mean
  $plumbline export --data $data --topic crane-overload.v1.rejects   # what was refused, and why
  $plumbline replay --data $data                           # re-execute the journal and compare
  $plumbline test topologies/crane-overload               # the topologies' own cases
  make run                                                 # again: nothing is doubled
NEXT
