package simulators_test

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

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
			for quota, want := range map[*sim.Quota]int{
				{}: 1_000_000, {Requests: 100, Window: time.Minute}: 100, {Requests: 10, Window: 3 * time.Second}: 200, {Requests: 1, Window: time.Hour}: 1,
			} {
				config := s.Config("http://127.0.0.1:1", *quota)
				if config["requests_per_minute"] != want {
					t.Errorf("%+v: %v requests a minute, want %d", quota, config["requests_per_minute"], want)
				}
				for _, secret := range s.Secrets() {
					if !has(config, secret) {
						t.Errorf("%q is a secret that is not in the configuration", secret)
					}
				}
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

// has tells whether a text is a value in a configuration.
func has(config map[string]any, text string) bool {
	for _, value := range config {
		if inner, ok := value.(map[string]any); value == text || ok && has(inner, text) {
			return true
		}
	}
	return false
}

// Equal seeds give equal answers, other seeds others.
func TestEverySeed(t *testing.T) {
	for name, requests := range pages() {
		read := func(seed uint64) (answers []any) {
			s := open(t, name, sim.Options{Size: 200, Seed: seed})
			for _, p := range requests {
				answers = append(answers, p.send(t, s, s))
			}
			return answers
		}
		one := read(1)
		if !reflect.DeepEqual(one, read(1)) || reflect.DeepEqual(one, read(2)) {
			t.Errorf("%s: two simulators of one seed differ, or two of different seeds do not", name)
		}
	}
}

// Readers and changes at one time: for the race detector.
func TestEverySimulatorAtOnce(t *testing.T) {
	for name, requests := range pages() {
		s := open(t, name, sim.Options{Size: 200, Seed: 1})
		if drifter, ok := s.(sim.Drifter); ok {
			s = open(t, name, sim.Options{Size: 200, Seed: 1, Set: drifter.Drifts()[1]})
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				for range 3 {
					for _, p := range requests {
						p.send(t, s, s)
					}
					s.Expect()
				}
			})
		}
		for range 5 {
			s.Change(2, 1)
		}
		all.Wait()
	}
}

// open opens the simulator of a name, with a login that needs no request where there is one.
func open(t *testing.T, name string, o sim.Options) sim.Simulator {
	t.Helper()
	if name == "snapproperty" {
		o.Set = maps.Clone(o.Set)
		if o.Set == nil {
			o.Set = map[string]string{}
		}
		o.Set["login"] = "access_token"
	}
	s, err := simulators.All()[name](o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestName(t *testing.T) {
	for connector, want := range map[string]string{"source-dwv": "dwv", "destination-dwv": "dwv", "dwv": "dwv", "source-foo-bar": "foobar"} {
		if got := simulators.Name(connector); got != want {
			t.Errorf("Name(%q) = %q, want %q", connector, got, want)
		}
	}
}
