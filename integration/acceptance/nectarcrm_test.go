package acceptance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/nectarcrm"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// contacts returns the contacts and the tables that are made of arrays inside them.
func contacts() []string {
	return []string{"contatos", "contatos_contatos", "contatos_enderecos", "contatos_contatospai", "contatos_empresasatuais"}
}

// TestNectarCRMAtSize reads a large company whole: every row once.
func TestNectarCRMAtSize(t *testing.T) {
	t.Parallel()
	f := one(t, "source-nectarcrm")
	a := f.start(t, sim.Options{Size: scaled(10_000, 3000)}, sim.Behaviour{})
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
		a := f.start(t, sim.Options{Size: 1500}, sim.Behaviour{})
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
		all, changed := map[string]int{}, next(a)
		for _, s := range f.catalog.Names() {
			for key := range second.Keys(s) {
				if changed[s].Must[key] {
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

// TestNectarCRMOtherForms reads lists that stand in an object, and opportunities without proposals, and pages without rows, of which a sentence says so,
// or nothing does.
func TestNectarCRMOtherForms(t *testing.T) {
	t.Parallel()
	f := one(t, "source-nectarcrm")
	for _, set := range []map[string]string{
		{"wrapped": "true"}, {"no-proposals": "message"}, {"no-proposals": "mensagem", "wrapped": "true"}, {"no-proposals": "204"},
		{"no-proposals": "404"}, {"no-proposals": "400"}, {"empty": "204", "no-proposals": "204"}, {"empty": "message"},
		{"empty": "404", "no-proposals": "404"}, {"empty": "400"},
	} {
		t.Run(fmt.Sprint(set), func(t *testing.T) {
			t.Parallel()
			a := f.start(t, sim.Options{Size: 300, Set: set}, sim.Behaviour{})
			res := f.succeed(t, a, f.read(t, a, nil))
			compare(t, full(a), res)
			once(t, res)
		})
	}
}

// TestNectarCRMRowsMove reads while rows move to later pages.
func TestNectarCRMRowsMove(t *testing.T) {
	t.Parallel()
	f := one(t, "source-nectarcrm")
	for _, touch := range []string{"false", "true"} {
		t.Run(fmt.Sprintf("touched %s", touch), func(t *testing.T) {
			t.Parallel()
			a := f.start(t, sim.Options{Size: 1500, Set: map[string]string{"move": "2", "touch": touch}}, sim.Behaviour{})
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

// extras returns the streams that not every account has and whose answers are not fully documented.
func extras() []string {
	return []string{
		"price_tables", "feed", "feed_comments", "forms", "queues", "webhooks", "dynamic_tables", "dynamic_table_rows", "opportunity_history",
	}
}

// TestNectarCRMExtras reads them whichever way NectarCRM may answer: rows in an object or bare, price tables that are hidden unless they are
// asked for, days that are excluded or another zone's. The passwords of webhooks are nowhere in the output.
func TestNectarCRMExtras(t *testing.T) {
	t.Parallel()
	f := one(t, "source-nectarcrm")
	for _, set := range []map[string]string{{}, {"enveloped": "true", "exclusive": "true"}, {"ended-hidden": "true", "utc-days": "true"}} {
		a := f.start(t, sim.Options{Size: 300, Set: set}, sim.Behaviour{})
		res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh, extras()...), nil),
			harness.Options{Secrets: []string{nectarcrm.HookSecret}})
		compare(t, full(a, extras()...), res)
		once(t, res)
	}
	a := f.start(t, sim.Options{Size: 300}, sim.Behaviour{})
	all := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh, "opportunity_history"), nil))
	some := f.succeed(t, a, harness.Read(a.json(t, map[string]any{"start_date": "2025-06-01"}),
		f.catalog.Configure(harness.FullRefresh, "opportunity_history"), nil))
	if n := len(some.Rows); n == 0 || 2*n > len(all.Rows) {
		t.Errorf("%d of %d rows are of opportunities that were updated since the start", n, len(all.Rows))
	}
}

// TestNectarCRMExtrasMissing tells an account that does not have something, which reads it as empty and says so, from one that may not read it,
// whose streams fail while the others go on.
func TestNectarCRMExtrasMissing(t *testing.T) {
	t.Parallel()
	f := one(t, "source-nectarcrm")
	command := func(a *api) harness.Command {
		return harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh, extras()...), nil)
	}
	missing := f.start(t, sim.Options{Size: 100, Set: map[string]string{
		"missing": "table,publicacao/{id}/comentarios,big-data/opportunity-history,webhook",
	}}, sim.Behaviour{})
	res := f.succeed(t, missing, command(missing))
	compare(t, full(missing, extras()...), res)
	for _, stream := range []string{"dynamic_tables", "dynamic_table_rows", "feed_comments", "opportunity_history", "webhooks"} {
		warned := slices.ContainsFunc(res.Logs, func(l harness.Log) bool {
			return l.Level == "WARN" && strings.HasPrefix(l.Message, stream+": this account does not have ")
		})
		if !warned || len(res.Of(stream)) > 0 {
			t.Errorf("nobody was told that %s is missing: %s", stream, res)
		}
	}
	gated := f.start(t, sim.Options{Size: 100, Set: map[string]string{"gated": "table,queues,big-data/opportunity-history"}}, sim.Behaviour{})
	res = f.run(t, gated, command(gated))
	compare(t, full(gated, extras()...), res)
	for _, failure := range res.Failures {
		if failure.Type != "config_error" || !strings.Contains(failure.Message, "403") {
			t.Errorf("the refusal of %s is no %s: %s", failure.Stream.Name, failure.Type, failure.Message)
		}
	}
	for _, stream := range extras() {
		want := "COMPLETE"
		if slices.Contains([]string{"dynamic_tables", "dynamic_table_rows", "queues", "opportunity_history"}, stream) {
			want = "INCOMPLETE"
		}
		if got := res.Last(stream); got != want || len(res.Failures) != 3 || res.Code != 1 { // one for both streams of tables
			t.Errorf("%s ended as %s, not %s: %s", stream, got, want, res)
		}
	}
}
