package acceptance

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/judge"
	"github.com/imob-data/airbyte-connectors/integration/simulators"
)

// largest is how large an image may be, in bytes.
const largest = 20 << 20

// TestJudgedBinaries runs the judge's checks, those that any connector is held to, on each connector's binary.
func TestJudgedBinaries(t *testing.T) {
	t.Parallel()
	judged(t, func(t *testing.T, c harness.Connector) judge.Options {
		return judge.Options{Binary: built(t, c)}
	})
}

// TestJudgedImages runs the checks that are about images on each connector's image; make acceptance runs the others on it too.
func TestJudgedImages(t *testing.T) {
	t.Parallel()
	harness.NeedDocker(t)
	judged(t, func(t *testing.T, c harness.Connector) judge.Options {
		if err := c.BuildImage(t.Context()); err != nil {
			t.Fatal(err)
		}
		return judge.Options{Image: c.Image(), Only: []string{"image", "spec.image_labels", "spec.image_environment_variables"}}
	})
}

// judged judges each connector, without what depends on how fast a machine is.
func judged(t *testing.T, as func(t *testing.T, c harness.Connector) judge.Options) {
	t.Helper()
	connectors, err := harness.Connectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range connectors {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			o := as(t, c)
			o.Config, o.Simulator = filepath.Join(c.Dir, "acceptance-test-config.yml"), simulators.Name(c.Name)
			o.Memory, o.ImageSize = 2*memory, largest // of all streams at once, on a machine that may be loaded
			o.Spread = 12 * time.Second               // these connectors send a state every ten seconds
			o.States, o.Kills = 3, 1                  // the scenarios kill and resume more of them
			o.Much = scaled(1000, 300)
			o.Skip = []string{"beyond.spec_time", "beyond.check_time"}
			s, err := judge.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			s.Judge(t.Context(), nil, func(v judge.Verdict) {
				t.Run(v.Check.Full(), func(t *testing.T) {
					if v.Status == judge.Failed || v.Status == judge.Broken {
						t.Error(v.Text())
					}
				})
			})
		})
	}
}
