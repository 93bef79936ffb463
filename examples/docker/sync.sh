#!/bin/sh
# sync.sh IMAGE FOLDER reads what is new with plain docker run, into FOLDER/messages-TIME.jsonl. FOLDER holds config.json, and keeps state.json and
# catalog.json from run to run. It needs docker, jq and awk; more arguments for docker run come from DOCKER_ARGS.
#
# Where Go is at hand, integration/cmd/run does more: rows instead of messages, a file for each stream, a lock, nothing twice after a failure.
set -eu
image=$1
folder=$(cd "$2" && pwd)
cd "$folder"

connector() {
	# As the owner of the folder, so that the container may read config.json.
	# shellcheck disable=SC2086 # several arguments
	docker run --rm --user "$(id -u):$(id -g)" --volume "$folder:/sync" --workdir /sync ${DOCKER_ARGS:-} "$image" "$@"
}

if [ ! -s catalog.json ]; then
	connector discover --config config.json >discovered.jsonl
	jq -s '{streams: [.[] | (.catalog // .) | .streams[]? |
		{stream: ., sync_mode: .supported_sync_modes[-1], destination_sync_mode: "append"}]}' discovered.jsonl >catalog.json.new
	mv catalog.json.new catalog.json
fi

messages=messages-$(date -u +%Y%m%dT%H%M%SZ)-$$.jsonl
code=0
if [ -s state.json ]; then
	connector read --config config.json --catalog catalog.json --state state.json >"$messages" || code=$?
else
	connector read --config config.json --catalog catalog.json >"$messages" || code=$?
fi

# The last state of each stream, those of this run before those of earlier ones; also after a failure, since a state speaks for what is before it.
{
	[ ! -s state.json ] || jq -c '.[]' state.json
	awk '/^[{]"type":"STATE"/' "$messages"
} | awk '{ match($0, /"stream_descriptor":[{][^}]*[}]/); last[substr($0, RSTART, RLENGTH)] = $0 }
	END { for (stream in last) { printf "%s%s", comma ? ",\n" : "[\n", last[stream]; comma = 1 } if (comma) print "\n]" }' >state.json.new
sync
mv state.json.new state.json

awk '/^[{]"type":"RECORD"/' "$messages" | wc -l | awk '{ printf "%d records are in %s\n", $1, file }' file="$folder/$messages"
if [ "$code" != 0 ]; then
	jq -r 'select(.trace.type? == "ERROR") | .trace.error | "\(.message) (\(.failure_type))"' "$messages" >&2
fi
exit "$code"
