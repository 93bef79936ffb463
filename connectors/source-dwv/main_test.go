package main

import (
	"net/url"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/connectortest"
)

func TestConform(t *testing.T) { connectortest.Conform(t, source) }

func TestGolden(t *testing.T) { connectortest.Golden(t, source, "testdata/golden") }

// Every spelling of a stage that some version offered means the same code, whose name depends on the document that the host speaks.
func TestConstructionStages(t *testing.T) {
	for value, want := range map[string]string{
		"pre-market": "pre-market", "under construction": "under construction", "under_construction": "under construction", "new": "new", "used": "used",
		"Pré-lançamento": "pre-market", "Em construção": "under construction", "Lançamento": "new", "Usado": "used",
	} {
		for host, name := range map[string]string{
			"": "construction_stage_raw", "https://apisandbox.dwvapp.com.br": "construction_stage_raw", "https://dwvapp.com.br": "construction_stage",
		} {
			q := config{BaseURL: host, Filters: map[string]string{"construction_stage": value}}.query(url.Values{})
			if len(q) != 1 || q.Get(name) != want {
				t.Errorf("%q at %q asks for %v", value, host, q)
			}
		}
	}
}
