module github.com/imob-data/airbyte-connectors/specs

go 1.26.0
