#!/bin/sh
# Adds a connector to Airbyte, and a source that uses it, by Airbyte's API. AIRBYTE_URL is where Airbyte is, as in http://localhost:8000;
# CLIENT_ID and CLIENT_SECRET are an application's (User settings → Applications), WORKSPACE_ID stands in the address of each page; config.json is the
# source's configuration. Needs curl and jq.
set -eu
api=$AIRBYTE_URL/api/public/v1
image=ghcr.io/imob-data/source-dwv tag=0.3.6

post() { curl --fail-with-body --silent --show-error --header 'Content-Type: application/json' --header "Authorization: Bearer ${token:-}" --data @- "$api/$1"; }

token=$(jq -n '{client_id: env.CLIENT_ID, client_secret: env.CLIENT_SECRET, "grant-type": "client_credentials"}' |
	post applications/token | jq -r .access_token)
definition=$(jq -n --arg image "$image" --arg tag "$tag" \
	'{name: "DWV", dockerRepository: $image, dockerImageTag: $tag, documentationUrl: "https://github.com/imob-data/airbyte-connectors"}' |
	post "workspaces/$WORKSPACE_ID/definitions/sources" | jq -r .id)
source=$(jq -n --arg definition "$definition" --slurpfile config config.json \
	'{name: "DWV", workspaceId: env.WORKSPACE_ID, definitionId: $definition, configuration: $config[0]}' |
	post sources | jq -r .sourceId)
echo "The source $source uses the connector $definition."
