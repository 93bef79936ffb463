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

// TestDWVFields reads chosen fields: the same properties with nothing else of them in a fraction of the bytes, and all of them again after
// another choice, of which a warning tells. A server of document 1.0.1 refuses the choice, and it is said that this is why.
func TestDWVFields(t *testing.T) {
	t.Parallel()
	f := one(t, "source-dwv")
	a := f.start(t, sim.Options{Size: 300}, sim.Behaviour{})
	sync := func(state []byte, fields ...string) *harness.Result {
		return f.succeed(t, a, harness.Read(a.json(t, map[string]any{"fields": append([]string{}, fields...)}),
			f.catalog.Configure(harness.Incremental, "properties"), state))
	}
	whole := sync(nil)
	served := a.Stats().Bytes
	part := sync(whole.State(), "title", "status", "building.title")
	compare(t, full(a, "properties"), part)
	if asked := a.Stats().Bytes - served; asked*4 > served || part.Size("properties")*4 > whole.Size("properties") {
		t.Errorf("%d bytes were served for a part, %d for all", asked, served)
	}
	if len(part.Logs) == 0 || !strings.Contains(part.Logs[0].Message, "other fields") {
		t.Errorf("nobody was told that all rows come again: %s", part)
	}
	if again := sync(part.State(), "status", "title", "building.title"); len(again.Of("properties"))*10 > len(part.Of("properties")) {
		t.Errorf("%d of %d properties came again after the same choice", len(again.Of("properties")), len(part.Of("properties")))
	}
	old := f.start(t, sim.Options{Size: 30, Set: map[string]string{"version": "1.0.1"}}, sim.Behaviour{})
	res := f.refused(t, old, "config_error", harness.Read(old.json(t, map[string]any{"fields": []string{"title"}}),
		f.catalog.Configure(harness.FullRefresh, "properties"), nil))
	if !strings.Contains(res.Failures[0].Message, `"fields"`) {
		t.Errorf("the choice is not named: %s", res)
	}
}

// TestDWVAvailableFields reads the names of the fields, of which document 1.0.1 has no list.
func TestDWVAvailableFields(t *testing.T) {
	t.Parallel()
	f := one(t, "source-dwv")
	for version, warnings := range map[string]int{"1.0.1": 1, "1.0.2": 0} {
		a := f.start(t, sim.Options{Size: 30, Set: map[string]string{"version": version}}, sim.Behaviour{})
		res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh, "available_fields"), nil))
		compare(t, full(a, "available_fields"), res)
		if len(res.Logs) != warnings {
			t.Errorf("%s: %d rows, %s", version, len(res.Rows), res)
		}
	}
}
