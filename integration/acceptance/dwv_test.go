package acceptance

import (
	"strconv"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// TestDWVStage filters by the stage of the works, in the words of either document, at a server of either document.
func TestDWVStage(t *testing.T) {
	t.Parallel()
	f := one(t, "source-dwv")
	for _, version := range []string{"1.0.1", "1.0.2"} {
		a := f.start(t, sim.Options{Size: 300, Set: map[string]string{"version": version}}, sim.Behaviour{})
		read := func(filters map[string]any) *harness.Result {
			return f.succeed(t, a, harness.Read(a.json(t, map[string]any{"filters": filters}),
				f.catalog.Configure(harness.FullRefresh, "properties"), nil))
		}
		all := len(read(map[string]any{}).Of("properties"))
		for _, stage := range [][]string{{"used", "Usado"}, {"under construction", "under_construction", "Em construção"}, {"new", "Lançamento"}} {
			var counts []string
			for i, value := range stage {
				counts = append(counts, strconv.Itoa(len(read(map[string]any{"construction_stage": value}).Of("properties"))))
				if n := counts[0]; counts[i] != n || n == "0" || n == strconv.Itoa(all) {
					t.Errorf("%s: with %q there are %s properties of %d", version, stage[:i+1], strings.Join(counts, ", "), all)
				}
			}
		}
	}
}
