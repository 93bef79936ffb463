package acceptance

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// contacts is the contacts and the tables that are made of arrays inside them.
func contacts() []string {
	return []string{"contatos", "contatos_contatos", "contatos_enderecos", "contatos_contatospai", "contatos_empresasatuais"}
}

// TestNectarCRMAtSize reads a large company whole: every row once.
func TestNectarCRMAtSize(t *testing.T) {
	t.Parallel()
	f := one(t, "source-nectarcrm")
	a := f.start(t, sim.Options{Size: 20_000}, sim.Behaviour{})
	res := f.succeed(t, a, f.read(t, a, nil))
	compare(t, full(a), res)
	once(t, res)
	t.Logf("%d rows with %d requests in %v, peak of memory %.1f MiB", len(res.Rows), a.Stats().Requests, res.Wall, float64(res.MaxRSS)/(1<<20))
}

// TestNectarCRMContactsCostOneListing holds the requests for contacts and their tables against those for contacts alone.
func TestNectarCRMContactsCostOneListing(t *testing.T) {
	t.Parallel()
	f := one(t, "source-nectarcrm")
	requests := func(streams ...string) int64 {
		a := f.start(t, sim.Options{Size: 5000}, sim.Behaviour{})
		res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh, streams...), nil))
		compare(t, full(a, streams...), res)
		return int64(a.Stats().Requests)
	}
	alone, together := requests(contacts()[0]), requests(contacts()...)
	if alone != together {
		t.Errorf("the contacts take %d requests, and %d with their tables", alone, together)
	}
}

// TestNectarCRMFilterHonouredOrIgnored syncs twice with the filter by time of change and without it: the rows are the same.
func TestNectarCRMFilterHonouredOrIgnored(t *testing.T) {
	t.Parallel()
	f := one(t, "source-nectarcrm")
	var came []map[string]int
	for _, ignored := range []string{"false", "true"} {
		a := f.start(t, sim.Options{Size: 900, Set: map[string]string{"unfiltered": ignored}}, sim.Behaviour{})
		first := f.succeed(t, a, f.read(t, a, nil))
		a.simulator.Change(10, 3)
		second := f.succeed(t, a, f.read(t, a, first.State()))
		f.following(t, a, first.State(), second)
		all := map[string]int{}
		for _, s := range f.catalog.Names() {
			for key := range second.Keys(s) {
				if next(a)[s].Must[key] {
					all[s+" "+key]++
				}
			}
		}
		came = append(came, all)
	}
	if !maps.Equal(came[0], came[1]) {
		t.Errorf("%d rows came with the filter, %d without it", len(came[0]), len(came[1]))
	}
}

// TestNectarCRMRowsMove reads while rows move to later pages.
func TestNectarCRMRowsMove(t *testing.T) {
	t.Parallel()
	f := one(t, "source-nectarcrm")
	for _, touch := range []string{"false", "true"} {
		t.Run(fmt.Sprintf("touched %s", touch), func(t *testing.T) {
			t.Parallel()
			a := f.start(t, sim.Options{Size: 3000, Set: map[string]string{"move": "2", "touch": touch}}, sim.Behaviour{})
			streams := slices.Concat(contacts(), []string{"oportunidades", "tarefas"})
			res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, streams...), nil))
			compare(t, full(a, streams...), res)
			once(t, res)
		})
	}
}

// TestNectarCRMTokens tells what is said of tokens that have ended, or will soon.
func TestNectarCRMTokens(t *testing.T) {
	t.Parallel()
	f := one(t, "source-nectarcrm")
	for token, want := range map[string]int{"expired": 1, "expiring": 0} {
		a := f.start(t, sim.Options{Size: 30, Set: map[string]string{"token": token}}, sim.Behaviour{})
		res := f.run(t, a, f.read(t, a, nil))
		if res.Code != want {
			t.Errorf("a read with a token that is %s: %s", token, res)
		}
		if token == "expired" && a.Stats().Requests > 0 {
			t.Errorf("a token that has expired was sent %d times", a.Stats().Requests)
		}
		if warned := slices.ContainsFunc(res.Logs, func(l harness.Log) bool { return l.Level == "WARN" }); token == "expiring" && !warned {
			t.Errorf("nobody was warned that the token ends soon: %s", res)
		}
	}
}
