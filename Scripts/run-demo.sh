#!/usr/bin/env bash
# Imports the fixture site's day of cranes and dust and its sixty days of hazard projects and a pit,
# runs all topologies over them and prints the alarms.
# Run it again: files already imported are skipped, nothing is doubled.
#   DATA=DIR        where the log lives (default: data)
#   PLUMBLINE=FILE  the program (default: .build/release/plumbline)
set -euo pipefail
cd "$(dirname "$0")/.."

plumbline=${PLUMBLINE:-.build/release/plumbline}
data=${DATA:-data}
day=fixtures/site-day
sixty=fixtures/site-60d
schemas=topologies/schemas

if [ ! -x "$plumbline" ]; then
    echo "run: no program at $plumbline; run 'make build' first" >&2
    exit 1
fi

topologies=(
    topologies/crane-overload topologies/dust-exceedance topologies/hazard-project
    topologies/pit-monitoring
)

# TOPIC SCHEMA KEY FILE
import() {
    "$plumbline" import --data "$data" --topic "$1" --format json --schema "$schemas/$2.yaml" \
        --key "$3" --time ts --arrival arrival "$4"
}

echo "== import $day and $sixty into $data"
import registry.crane crane device "$day/registry.ndjson"
import telemetry.crane crane-load device "$day/crane.ndjson"
import registry.project project project "$day/project.ndjson"
import registry.monitor monitor device "$day/monitor.ndjson"
"$plumbline" import --data "$data" --topic telemetry.dust --format hj212 "$day/dust.hj212"
import events.hazard hazard-event item "$sixty/hazard.ndjson"
import registry.pit-point pit-point point "$sixty/pit-point.ndjson"
import telemetry.pit pit-reading point "$sixty/pit.ndjson"

echo "== run ${topologies[*]} to the end of the data"
"$plumbline" run --data "$data" "${topologies[@]}" --until-end

exports=$(mktemp -d)
trap 'rm -rf "$exports"' EXIT
alarms=(
    alarms.crane alarms.crane-chart alarms.crane-wind alarms.crane-card alarms.crane-climb
    alarms.crane-clock alarms.dust alarms.dust-unit alarms.dust-frozen alarms.dust-clock
    alarms.hazard alarms.pit alarms.pit-rate alarms.pit-missing
)
rejects=(
    crane-overload.v1.rejects dust-exceedance.v1.rejects hazard-project.v1.rejects
    pit-monitoring.v1.rejects
)
for topic in "${alarms[@]}" "${rejects[@]}"; do
    # A topic without a record may not exist: then it is left out of the table.
    if [ -d "$data/kafka/$topic-0" ]; then
        "$plumbline" export --data "$data" --topic "$topic" >"$exports/$topic.ndjson"
    fi
done

echo
/usr/bin/python3 Scripts/alarm-table.py "$exports"/*.ndjson

echo
echo "== the same against what the simulation put in on purpose"
cat "$day/truth.ndjson" "$sixty/truth.ndjson" >"$exports/truth"
"$plumbline" score --data "$data" --truth "$exports/truth"

cat <<NEXT

What to type next:
  $plumbline export --data $data --topic alarms.crane      # the records, one JSON object a line
  $plumbline export --data $data --topic alarms.hazard     # breaches in the paperwork
  $plumbline export --data $data --topic means.dust        # every 15-minute mean
  $plumbline export --data $data --topic crane-overload.v1.rejects   # what was refused, and why
  $plumbline replay --data $data                           # re-execute the journal and compare
  $plumbline test topologies/crane-overload               # the topologies' own cases
  make run                                                 # again: nothing is doubled
NEXT
