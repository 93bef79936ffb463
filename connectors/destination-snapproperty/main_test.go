package main

import (
	"testing"

	"github.com/imob-data/airbyte-connectors/common/connectortest"
)

func TestConform(t *testing.T) { connectortest.ConformDestination(t, destination) }

func TestGolden(t *testing.T) { connectortest.GoldenDestination(t, destination, "testdata/golden") }
