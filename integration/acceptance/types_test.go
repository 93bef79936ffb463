package acceptance

import (
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// types returns the scenarios of values that are not what their column is for.
func types() []scenario {
	return []scenario{{name: "odd values", run: oddValues}}
}

// oddValues reads rows with values as people leave them in old databases: all rows come all the same, in both syncs. That each value has its
// column's type, and that none is lost without a word, is held of every run.
func oddValues(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: small, Set: map[string]string{"odd": "true"}}, sim.Behaviour{})
	first := f.succeed(t, a, f.read(t, a, nil))
	compare(t, full(a), first)
	once(t, first)
	a.simulator.Change(10, 3)
	second := f.succeed(t, a, f.read(t, a, first.State()))
	f.following(t, a, first.State(), second)
	if first.Nulled < 5 {
		t.Errorf("only %d values of %d rows did not fit: nothing is tried", first.Nulled, len(first.Rows))
	}
}
