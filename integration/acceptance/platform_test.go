package acceptance

import (
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// eachImage builds each connector's image and calls test.
func eachImage(t *testing.T, test func(t *testing.T, c harness.Connector)) {
	t.Helper()
	harness.NeedDocker(t)
	connectors, err := harness.Connectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range connectors {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.BuildImage(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, c)
		})
	}
}

// TestPlatform reads twice the platform's own way: whole, and from the state after some rows changed.
func TestPlatform(t *testing.T) {
	t.Parallel()
	eachImage(t, func(t *testing.T, c harness.Connector) {
		if c.Writes() {
			return // see TestDestinationPlatform
		}
		f := prepare(t, c, binary)
		f.runner = harness.Platform{Ref: c.Image(), ReadOnly: true}
		a := f.start(t, sim.Options{Size: small}, sim.Behaviour{})
		first := f.succeed(t, a, f.read(t, a, nil))
		compare(t, full(a), first)
		once(t, first)
		a.simulator.Change(10, 3)
		f.following(t, a, first.State(), f.succeed(t, a, f.read(t, a, first.State())))

		failed := f.run(t, a, harness.Read([]byte(`{}`), f.catalog.Configure(harness.Incremental), nil))
		if failed.Code != 1 || len(failed.Failures) != 1 {
			t.Errorf("without a configuration: %s", failed)
		}
	})
}
