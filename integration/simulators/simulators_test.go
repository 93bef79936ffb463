package simulators_test

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

func TestEveryFolderIsListed(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, entry := range entries {
		if entry.IsDir() && entry.Name() != "sim" {
			folders = append(folders, entry.Name())
		}
	}
	if listed := slices.Sorted(maps.Keys(simulators.All())); !slices.Equal(folders, listed) {
		t.Errorf("list.go has %v, the folders are %v: run go generate ./simulators", listed, folders)
	}
}

// Whatever the API, tests and the demo rely on this.
func TestEverySimulator(t *testing.T) {
	for name, open := range simulators.All() {
		t.Run(name, func(t *testing.T) {
			s, err := open(sim.Options{Size: 200, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Secrets()) == 0 || len(s.Config("http://127.0.0.1:1", sim.Quota{})) == 0 {
				t.Error("no secrets or no configuration")
			}
			for stream, e := range s.Expect() {
				if len(e.Full.Must) == 0 {
					t.Errorf("stream %s has no rows", stream)
				}
			}
			s.Change(5, 2)
			for stream, e := range s.Expect() {
				if e.Incremental && len(e.Next.Must) < 5 {
					t.Errorf("stream %s: %d rows are expected after 5 changed", stream, len(e.Next.Must))
				}
			}
			if drifter, ok := s.(sim.Drifter); ok {
				for _, set := range drifter.Drifts() {
					if _, err := open(sim.Options{Set: set}); err != nil {
						t.Error(err)
					}
				}
			}
			if _, err := open(sim.Options{Set: map[string]string{"no such option": "1"}}); err == nil {
				t.Error("an unknown option is taken")
			}
		})
	}
}

func TestName(t *testing.T) {
	for connector, want := range map[string]string{"source-dwv": "dwv", "destination-dwv": "dwv", "dwv": "dwv", "source-foo-bar": "foobar"} {
		if got := simulators.Name(connector); got != want {
			t.Errorf("Name(%q) = %q, want %q", connector, got, want)
		}
	}
}
