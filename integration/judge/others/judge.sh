#!/bin/bash
# Judges a connector of the folder $1 with acceptance and the arguments after it, and holds what failed against the folder's found.txt. Limits
# of time are long: what is looked for does not depend on the machine.
set -euo pipefail
folder=$(dirname "$0")/$1
shift
report=$(mktemp)
trap 'rm -f "$report"' EXIT
code=0
build/acceptance --config "$folder/acceptance-test-config.yml" --spec-limit 1m --check-limit 2m --run-limit 20m --junit "$report" "$@" || code=$?
[ "$code" -le 1 ] || exit "$code"
awk -F'"' '/<testcase /{ for (i = 1; i < NF; i++) { if ($i ~ / name=$/) name = $(i + 1); if ($i ~ / classname=$/) class = $(i + 1) } }
	/<failure/ { print class "." name }' "$report" | sort -u | diff "$folder/found.txt" - ||
	{ echo "What failed in $folder is not what found.txt says." >&2; exit 1; }
