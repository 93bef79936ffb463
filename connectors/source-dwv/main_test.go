package main

import (
	"testing"

	"github.com/imob-data/airbyte-connectors/common/connectortest"
)

func TestConform(t *testing.T) { connectortest.Conform(t, source) }

func TestGolden(t *testing.T) { connectortest.Golden(t, source, "testdata/golden") }
