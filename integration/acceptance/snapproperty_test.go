package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/snapproperty"
)

const (
	sourceSnap = "source-snapproperty"

	// ceiling is the last position from which a search can go on.
	ceiling = 2000
)

// listed returns the streams that are made from the search.
func listed() []string { return []string{"imoveis", "fotos"} }

func startSnap(t *testing.T, f fixture, o snapproperty.Options, with sim.Behaviour) (*api, *snapproperty.Simulator) {
	t.Helper()
	o.Rendered = f.rows
	s := snapproperty.New(o)
	return f.serve(t, s, with), s
}

// with reads all streams incrementally with some members of the configuration replaced.
func (f fixture) with(t *testing.T, a *api, changes map[string]any, state []byte) harness.Command {
	t.Helper()
	return harness.Read(a.json(t, changes), f.catalog.Configure(harness.Incremental), state)
}

// TestSnapPropertyAtSize reads a large organisation: every property and every photo once, with one listing for both.
func TestSnapPropertyAtSize(t *testing.T) {
	t.Parallel()
	const page = 200
	size := scaled(30_000, 6000)
	f := one(t, sourceSnap)
	a, s := startSnap(t, f, snapproperty.Options{Size: size}, sim.Behaviour{})
	res := f.succeed(t, a, f.with(t, a, map[string]any{"page_size": nil}, nil))
	compare(t, full(a), res)
	once(t, res)
	if properties, photos := len(res.Of("imoveis")), len(res.Of("fotos")); properties != size || photos != 2*size {
		t.Errorf("%d properties and %d photos came", properties, photos)
	}
	if n := len(s.Searches()); n > size/page+2 {
		t.Errorf("%d searches were made for %d pages", n, size/page)
	}
	if res.MaxRSS > memory {
		t.Errorf("the read took %.1f MiB, more than %d", float64(res.MaxRSS)/(1<<20), memory>>20)
	}
	t.Logf("%d rows with %d searches in %v, peak of memory %.1f MiB", len(res.Rows), len(s.Searches()), res.Wall, float64(res.MaxRSS)/(1<<20))
}

// TestSnapPropertyKilledAndResumed ends reads with kill -9, one before it has a state and one at a random moment after its first in the middle of
// the listing, each resumed from the last state, until one ends well.
func TestSnapPropertyKilledAndResumed(t *testing.T) {
	t.Parallel()
	const size, page, latency, kills, between = 6000, 80, 200 * time.Millisecond, 2, 10 * time.Second
	f := one(t, sourceSnap)
	for _, tt := range []struct {
		name    string
		options snapproperty.Options
		again   int // how many properties may come again that came before a state
	}{
		{"by Id", snapproperty.Options{}, 0},
		{"by time of creation", snapproperty.Options{NoIdOrder: true}, kills * ceiling},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.options.Size = size
			a, s := startSnap(t, f, tt.options, sim.Behaviour{Latency: latency})
			random := rand.New(rand.NewPCG(3, uint64(tt.again)))
			var runs []*harness.Result
			var state []byte
			settled := map[[2]string]bool{} // rows that came before the states of both streams: a read goes on at the older one, and may end between the two
			again, states := map[string]int{}, 0
			for attempt := 0; ; attempt++ {
				var options harness.Options
				if attempt < kills {
					left, counting := 1+random.IntN(2000), attempt == 0 // records until the kill, once they are counted
					options.Each = func(m harness.Message, c *harness.Control) {
						counting = counting || m.Type == "STATE" && slices.Contains(listed(), m.Stream)
						if counting && m.Type == "RECORD" {
							if left--; left == 0 {
								_ = c.Signal(os.Kill) // it may have ended by itself
							}
						}
					}
				}
				res := f.run(t, a, f.with(t, a, map[string]any{"page_size": page}, state), options)
				runs = append(runs, res)
				for _, row := range res.Rows {
					if settled[[2]string{row.Stream, row.Key}] {
						again[row.Stream]++
					}
				}
				if res.Code == 0 {
					break
				}
				if !res.Killed {
					t.Fatal(res)
				}
				last := map[string]int{} // rows that came before the last state of a stream
				for _, st := range res.States {
					if slices.Contains(listed(), st.Stream) {
						states++
						last[st.Stream] = st.Rows
					}
				}
				if len(last) == len(listed()) {
					for _, row := range res.Rows[:slices.Min(slices.Collect(maps.Values(last)))] {
						settled[[2]string{row.Stream, row.Key}] = slices.Contains(listed(), row.Stream)
					}
				}
				state = res.State()
			}
			compare(t, full(a), runs...)
			if states < kills-1 || len(runs) <= kills {
				t.Errorf("only %d states were written in %d runs", states, len(runs))
			}
			if again["imoveis"] > tt.again || again["fotos"] > 3*tt.again {
				t.Errorf("%v rows came again that came before the states", again)
			}
			lost := kills * (int(between/latency) + 10) // what is read again, from the last state to the kill
			if n := len(s.Searches()); n > size/page+lost+size/ceiling*4 {
				t.Errorf("%d searches were made for %d pages and %d kills", n, size/page, kills)
			}
			t.Logf("%d runs, %d states in mid-listing, %d searches, %v rows came again", len(runs), states, len(s.Searches()), again)
		})
	}
	t.Run("states out of step", func(t *testing.T) {
		t.Parallel()
		outOfStep(t, f, size+size/2, page, latency*5/4)
	})
}

// outOfStep resumes from states of which one is older than the other, as they are when a read ends between the two: of neither stream a row
// is missing that came after its state.
func outOfStep(t *testing.T, f fixture, size, page int, latency time.Duration) {
	t.Helper()
	a, s := startSnap(t, f, snapproperty.Options{Size: size}, sim.Behaviour{Latency: latency})
	config := map[string]any{"page_size": page}
	seen := map[string]int{}
	first := f.run(t, a, f.with(t, a, config, nil), harness.Options{Each: func(m harness.Message, c *harness.Control) {
		if m.Type == "STATE" {
			if seen[m.Stream]++; seen["imoveis"] > 1 && seen["fotos"] > 1 {
				_ = c.Signal(os.Kill)
			}
		}
	}})
	at := map[string]harness.State{}
	for _, st := range first.States {
		if _, ok := at[st.Stream]; !ok || st.Stream == "imoveis" {
			at[st.Stream] = st
		}
	}
	var messages []json.RawMessage
	kept := &harness.Result{}
	for _, stream := range slices.Sorted(maps.Keys(at)) {
		messages = append(messages, at[stream].Message)
		for _, row := range first.Rows[:at[stream].Rows] {
			if row.Stream == stream {
				kept.Rows = append(kept.Rows, row)
			}
		}
	}
	state, err := json.Marshal(messages)
	if err != nil {
		t.Fatal(err)
	}
	before := len(s.Searches())
	quick := f.serve(t, s, sim.Behaviour{})
	compare(t, full(quick), kept, f.succeed(t, quick, f.with(t, quick, config, state)))
	if after := len(s.Searches()) - before; before+after > size/page+size/page/2 {
		t.Errorf("%d searches before and %d after, for %d pages: it began anew", before, after, size/page)
	}
}

// TestSnapPropertyWithoutPagingById reads beyond the ceiling where comparisons of Id are refused.
func TestSnapPropertyWithoutPagingById(t *testing.T) {
	t.Parallel()
	const size, page = 5000, 100
	f := one(t, sourceSnap)
	a, s := startSnap(t, f, snapproperty.Options{Size: size, NoIdOrder: true}, sim.Behaviour{})
	first := f.succeed(t, a, f.with(t, a, map[string]any{"page_size": page}, nil))
	compare(t, full(a), first)
	once(t, first)
	searches := s.Searches()
	refused := 0
	for _, q := range searches {
		if q.Failed != "" {
			refused++
			continue
		}
		windowed := slices.ContainsFunc(q.Filters, func(filter string) bool { return strings.Contains(filter, "CreatedDate") })
		if q.Offset > ceiling || q.Offset > 0 && (q.Total > ceiling || !windowed) {
			t.Errorf("a page was asked for that is not of a window: %+v", q)
		}
	}
	if most := size/page + 50; refused > 2 || len(searches) > most {
		t.Errorf("%d searches, %d of them refused, were made for %d pages", len(searches), refused, size/page)
	}
	s.Change(10, 3)
	compare(t, next(a), f.succeed(t, a, f.with(t, a, map[string]any{"page_size": page}, first.State())))
	t.Logf("%d searches in %v", len(searches), first.Wall)
}

// or returns filters that can be met in two ways, and the one condition that they are.
func or() (filters []string, condition string) {
	return []string{"snap_brok__Disponivel_venda__c = true", "OR snap_brok__Dormitorios__c >= 4"},
		"AND (snap_brok__Disponivel_venda__c = true OR snap_brok__Dormitorios__c >= 4)"
}

// flat returns filters with which an organisation lets all properties through that takes no parentheses: what stands before them is true for all.
func flat() []string {
	return []string{"OR snap_brok__Disponivel_venda__c = true", "OR snap_brok__Dormitorios__c >= 4"}
}

// TestSnapPropertyOutOfReach reads organisations in which not all properties can be listed: those that can come, and it is said how many of
// how many do not.
func TestSnapPropertyOutOfReach(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	for _, tt := range []struct {
		name    string
		options snapproperty.Options
		filters []string
		least   int // properties that can be listed
	}{
		{name: "more than the ceiling within a second", options: snapproperty.Options{Size: 5000, NoIdOrder: true, Burst: 2500}, least: 2500},
		{name: "only by position", options: snapproperty.Options{Size: 2600, NoIdOrder: true, NoCreated: true}, least: ceiling},
		{name: "an OR that cannot be in parentheses", options: snapproperty.Options{Size: 2600, NoGroups: true}, filters: flat(), least: ceiling},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, s := startSnap(t, f, tt.options, sim.Behaviour{})
			res := f.run(t, a, f.with(t, a, map[string]any{"filters": append([]string{}, tt.filters...), "page_size": 100}, nil))
			once(t, res)
			came, total := len(res.Of("imoveis")), tt.options.Size
			if res.Code != 1 || came < tt.least || came >= total {
				t.Fatalf("%d of %d properties came: %s", came, total, res)
			}
			if photos := len(res.Of("fotos")); photos < came {
				t.Errorf("only %d photos came with %d properties", photos, came)
			}
			said := false
			for _, failure := range res.Failures {
				readable(t, failure.Message)
				if failure.Type != "config_error" {
					t.Errorf("the error is no config_error: %s", res)
				}
				said = said || strings.Contains(failure.Message, fmt.Sprint(total-came)) && strings.Contains(failure.Message, fmt.Sprint(total))
			}
			if !said {
				t.Errorf("it is not said that %d of %d are out of reach: %s", total-came, total, res)
			}
			for _, stream := range listed() {
				if res.Last(stream) != "INCOMPLETE" {
					t.Errorf("the status of %s is %q", stream, res.Last(stream))
				}
			}
			if res.Last("cidades") != "COMPLETE" {
				t.Errorf("the status of cidades is %q", res.Last("cidades"))
			}
			for _, q := range s.Searches() {
				if q.Offset > ceiling {
					t.Errorf("%+v was asked for", q)
				}
			}
		})
	}
	for name, options := range map[string]snapproperty.Options{
		"within reach by position": {Size: 1900, NoIdOrder: true, NoCreated: true},
		"within reach by windows":  {Size: 4000, NoIdOrder: true, Burst: 1800},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, _ := startSnap(t, f, options, sim.Behaviour{})
			res := f.succeed(t, a, f.with(t, a, map[string]any{"page_size": 100}, nil))
			compare(t, full(a), res)
			once(t, res)
		})
	}
	t.Run("an OR without parentheses within reach", func(t *testing.T) {
		t.Parallel()
		a, s := startSnap(t, f, snapproperty.Options{Size: 1500, NoGroups: true}, sim.Behaviour{})
		res := f.succeed(t, a, f.with(t, a, map[string]any{"filters": flat(), "page_size": 100}, nil))
		once(t, res)
		compare(t, s.Fitting(flat()...), res)
	})
}

// TestSnapPropertyFilters reads what conditions let through, beyond the ceiling where it is that much.
func TestSnapPropertyFilters(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	either, condition := or()
	for _, tt := range []struct {
		name    string
		filters []string
		want    string // the same as one condition
		refuse  bool   // comparisons of Id
	}{
		{name: "with operators", filters: []string{"AND snap_brok__Disponivel_venda__c = false", "AND snap_brok__Banheiros__c <= 2"},
			want: "AND snap_brok__Disponivel_venda__c = false AND snap_brok__Banheiros__c <= 2"},
		{name: "without operators", filters: []string{"snap_brok__Disponivel_locacao__c = true", "snap_brok__area_privativa__c >= 40"},
			want: "AND snap_brok__Disponivel_locacao__c = true AND snap_brok__area_privativa__c >= 40"},
		{name: "texts and lists", filters: []string{
			`snap_brok__Tipo_uso_3__r.name IN ('Residencial','Comercial')`, `AND snap_brok__Tipo_imovel_2__r.name NOT IN ( 'Box' , 'Clube' )`,
			`AND snap_brok__Cidade_2__r.name <> 'Santa Bárbara d\'Oeste'`, `and snap_brok__Situacao__c <> 'Indisponível'`,
		}, want: `AND snap_brok__Tipo_uso_3__r.name IN ('Residencial','Comercial') AND snap_brok__Tipo_imovel_2__r.name NOT IN ('Box','Clube') ` +
			`AND snap_brok__Cidade_2__r.name <> 'Santa Bárbara d\'Oeste' AND snap_brok__Situacao__c <> 'Indisponível'`},
		{name: "times", filters: []string{"CreatedDate >= 2019-05-06T07:08:09Z"}, want: "AND CreatedDate >= 2019-05-06T07:08:09Z"},
		{name: "an OR", filters: either, want: condition},
		{name: "an OR at the beginning", filters: flat(), want: condition},
		{name: "an OR by windows", filters: either, want: condition, refuse: true},
		{name: "AND before OR", filters: []string{
			"snap_brok__Disponivel_venda__c = true", "AND snap_brok__Banheiros__c = 1", "OR snap_brok__Dormitorios__c >= 3",
		}, want: "AND ((snap_brok__Disponivel_venda__c = true AND snap_brok__Banheiros__c = 1) OR snap_brok__Dormitorios__c >= 3)"},
		{name: "copied from a page", filters: []string{
			"AND\u00a0snap_brok__Situacao__c\u202f<>\u2007'Contrato\u00a0gerado'", "snap_brok__Banheiros__c\u00a0IN\u00a0(1,\u00a02)\u00a0",
		}, want: "AND snap_brok__Situacao__c <> 'Contrato gerado' AND snap_brok__Banheiros__c IN (1,2)"},
		{name: "nothing fits", filters: []string{"snap_brok__Banheiros__c > 900"}, want: "AND snap_brok__Banheiros__c > 900"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, s := startSnap(t, f, snapproperty.Options{Size: 5000, NoIdOrder: tt.refuse}, sim.Behaviour{})
			config := map[string]any{"filters": tt.filters, "page_size": 200}
			f.check(t, a, harness.Check(a.json(t, config)), "SUCCEEDED")
			res := f.succeed(t, a, f.with(t, a, config, nil))
			want := s.Fitting(tt.want)
			compare(t, want, res)
			once(t, res)
			s.Change(40, 0)
			changed, following := map[string]sim.Keys{}, next(a)
			for stream, keys := range s.Fitting(tt.want) {
				all := following[stream]
				among := func(set map[string]bool) map[string]bool {
					set = maps.Clone(set)
					maps.DeleteFunc(set, func(key string, _ bool) bool { return !keys.Must[key] })
					return set
				}
				changed[stream] = sim.Keys{Must: among(all.Must), May: among(all.May)}
			}
			compare(t, changed, f.succeed(t, a, f.with(t, a, config, res.State())))
			t.Logf("%d properties", len(want["imoveis"].Must))
		})
	}
}

// TestSnapPropertyFiltersRefused gives filters that cannot be: those of no form are refused here, the others by SnapProperty in its own words.
func TestSnapPropertyFiltersRefused(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	for _, malformed := range [][]string{
		{""}, {"AND"}, {"snap_brok__Banheiros__c"}, {"snap_brok__Banheiros__c = "}, {"snap_brok__Banheiros__c == 1"}, {"= 1"},
		{"snap_brok__Banheiros__c >= 1", "XOR snap_brok__Banheiros__c >= 1"}, {"snap_brok__Situacao__c LIKE 'Disp%'"},
		{"snap_brok__Situacao__c = 'Disponível"}, {"snap_brok__Situacao__c = Disponível"}, {"snap_brok__Situacao__c IN ()"},
		{"snap_brok__Situacao__c = 'a' OR Id <> null"}, {"snap_brok__Situacao__c = 'a') OR (Id <> null"}, {"snap_brok__Banheiros__c = 1; x"},
	} {
		t.Run(fmt.Sprint(malformed), func(t *testing.T) {
			t.Parallel()
			a, _ := startSnap(t, f, snapproperty.Options{Size: small}, sim.Behaviour{})
			config := map[string]any{"filters": malformed}
			if message := f.check(t, a, harness.Check(a.json(t, config)), "FAILED"); !strings.Contains(message, "filters") {
				t.Errorf("the message does not name filters: %s", message)
			}
			f.refused(t, a, "config_error", f.with(t, a, config, nil))
			if n := a.Stats().Requests; n > 0 {
				t.Errorf("%d requests were made", n)
			}
		})
	}
	for _, tt := range []struct{ filter, word string }{
		{"snap_brok__Nao_existe__c = 1", "snap_brok__Nao_existe__c"}, // No such column
		{"snap_brok__Banheiros__c = 'dois'", "snap_brok__Banheiros__c"},
		{"snap_brok__Disponivel_venda__c > true", "boolean"},
	} {
		for _, options := range []snapproperty.Options{{}, {NoIdOrder: true}, {NoModified: true}, {NoIdOrder: true, NoCreated: true, NoModified: true}} {
			t.Run(tt.filter, func(t *testing.T) {
				t.Parallel()
				options.Size = small
				a, _ := startSnap(t, f, options, sim.Behaviour{})
				config := map[string]any{"filters": []string{tt.filter}, "start_date": "2020-01-01"}
				message := f.check(t, a, harness.Check(a.json(t, config)), "FAILED")
				if !strings.Contains(message, "Erro na pesquisa") || !strings.Contains(message, tt.word) {
					t.Errorf("the message does not have SnapProperty's words: %s", message)
				}
				res := f.run(t, a, f.with(t, a, config, nil))
				if res.Code != 1 || len(res.Failures) == 0 {
					t.Errorf("the read did not fail: %s", res)
				}
				for _, failure := range res.Failures {
					if failure.Type != "config_error" || !strings.Contains(failure.Message, tt.word) {
						t.Errorf("the error is no config_error with SnapProperty's words: %s", res)
					}
				}
				for _, stream := range listed() {
					if res.Last(stream) != "INCOMPLETE" {
						t.Errorf("the status of %s is %q", stream, res.Last(stream))
					}
				}
				if n := a.Stats().Requests; n > 30 {
					t.Errorf("%d requests were made", n)
				}
			})
		}
	}
}

// warnings returns the sentences that a run warned with.
func warnings(res *harness.Result) (all []string) {
	for _, l := range res.Logs {
		if l.Level == "WARN" {
			all = append(all, l.Message)
		}
	}
	return all
}

// TestSnapPropertySecondSync reads again after some properties changed: only those, where the organisation can be asked for them.
func TestSnapPropertySecondSync(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	for name, options := range map[string]snapproperty.Options{
		"times that are not shown": {}, "times that are shown": {ShowModified: true}, "by windows": {NoIdOrder: true},
		"times that are shown, by windows": {ShowModified: true, NoIdOrder: true}, "by position": {NoIdOrder: true, NoCreated: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.Size = 1500
			a, s := startSnap(t, f, options, sim.Behaviour{})
			res := f.succeed(t, a, f.read(t, a, nil))
			compare(t, full(a), res)
			for round := range 3 {
				s.Change(25+round, 4)
				before := len(s.Searches())
				res = f.succeed(t, a, f.read(t, a, res.State()))
				compare(t, next(a), res)
				once(t, res)
				if n, pages := len(s.Searches())-before, len(res.Of("imoveis"))/32+1; n > pages+4 {
					t.Errorf("%d searches were made for %d pages", n, pages)
				}
				if said := warnings(res); len(said) > 0 {
					t.Errorf("it warned: %v", said)
				}
			}
		})
	}
}

// TestSnapPropertyMargin tells what a sync brings again: what changed in the 15 minutes before the one before it began.
func TestSnapPropertyMargin(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	for ago, again := range map[time.Duration]bool{10 * time.Minute: true, 20 * time.Minute: false} {
		a, s := startSnap(t, f, snapproperty.Options{Size: 1000, Newest: time.Now().Add(-ago)}, sim.Behaviour{})
		want := map[string]sim.Keys{"imoveis": {}, "fotos": {}}
		if again {
			want = s.Fitting("AND LastModifiedDate >= " + time.Now().Add(-ago-time.Minute).UTC().Format(time.RFC3339))
			if len(want["imoveis"].Must) == 0 {
				t.Fatal("no property was changed then")
			}
		}
		first := f.succeed(t, a, f.read(t, a, nil))
		second := f.succeed(t, a, f.read(t, a, first.State()))
		compare(t, want, second)
	}
}

// TestSnapPropertyChangedWhileStopped stops a read in the middle and goes on two hours later: what changed meanwhile, among properties that
// had come, comes with the sync after that.
func TestSnapPropertyChangedWhileStopped(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	var ago atomic.Int64 // how far the organisation's clock is behind
	a, s := startSnap(t, f, snapproperty.Options{Size: 1500, Now: func() time.Time { return time.Now().Add(-time.Duration(ago.Load())) }},
		sim.Behaviour{Latency: 20 * time.Millisecond})
	stopped, _ := f.ended(t, a, sigterm, some(800), 0)
	if stopped.Code == 0 || len(stopped.Of("imoveis")) == 0 || stopped.Last("imoveis") != "INCOMPLETE" {
		t.Fatal(stopped)
	}
	aged := times.ReplaceAllFunc(stopped.State(), func(found []byte) []byte {
		at, err := time.Parse(time.RFC3339Nano, string(found))
		if err != nil {
			t.Fatal(err)
		}
		return []byte(at.Add(-2 * time.Hour).Format(time.RFC3339Nano))
	})
	if bytes.Equal(aged, stopped.State()) {
		t.Fatalf("the state does not say when the read began: %s", aged)
	}
	ago.Store(int64(time.Hour))
	s.Change(200, 0)
	ago.Store(0)
	early := 0
	for key := range next(a)["imoveis"].Must {
		early += stopped.Keys("imoveis")[key]
	}
	if early == 0 {
		t.Fatal("no property changed that had come")
	}
	rest := f.succeed(t, a, f.read(t, a, aged))
	compare(t, full(a), stopped, rest)
	compare(t, next(a), f.succeed(t, a, f.read(t, a, rest.State())))
}

// TestSnapPropertyMovesWhileRead reads organisations where there is no paging by Id, and properties come and go meanwhile: what is there
// all the time comes, or the read fails.
func TestSnapPropertyMovesWhileRead(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	for name, options := range map[string]snapproperty.Options{
		"by windows, some come": {Size: 5000, Append: 2}, "by windows, some go": {Size: 5000, Vanish: 2},
		"by position, some come": {Size: 1500, NoCreated: true, Append: 2}, "by position, some go": {Size: 1500, NoCreated: true, Vanish: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.NoIdOrder, options.DriftPages = true, 8
			a, _ := startSnap(t, f, options, sim.Behaviour{})
			outcome(t, a, f.run(t, a, f.with(t, a, map[string]any{"page_size": 50}, nil)))
		})
	}
}

// TestSnapPropertyWithoutTimes reads twice where the organisation cannot be asked for changes: whole, with one warning.
func TestSnapPropertyWithoutTimes(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	whole := func(t *testing.T, a *api, changes map[string]any, state []byte) *harness.Result {
		t.Helper()
		res := f.succeed(t, a, f.with(t, a, changes, state))
		compare(t, full(a), res)
		once(t, res)
		return res
	}
	warned := func(t *testing.T, res *harness.Result) {
		t.Helper()
		if said := warnings(res); len(said) != 1 || !strings.Contains(said[0], "time of change") && !strings.Contains(said[0], "LastModifiedDate") {
			t.Errorf("it warned: %v", said)
		}
	}
	for name, options := range map[string]snapproperty.Options{
		"by Id": {NoModified: true}, "by windows": {NoModified: true, NoIdOrder: true},
		"by position": {NoModified: true, NoIdOrder: true, NoCreated: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.Size = 1500
			a, s := startSnap(t, f, options, sim.Behaviour{})
			first := whole(t, a, nil, nil)
			s.Change(10, 3)
			second := whole(t, a, nil, first.State())
			warned(t, second)
			s.Change(10, 3)
			warned(t, whole(t, a, nil, second.State()))
			warned(t, whole(t, a, map[string]any{"start_date": "2024-01-01"}, nil))
		})
	}
	t.Run("not any more", func(t *testing.T) {
		t.Parallel()
		before, _ := startSnap(t, f, snapproperty.Options{Size: small}, sim.Behaviour{})
		first := whole(t, before, nil, nil)
		after, _ := startSnap(t, f, snapproperty.Options{Size: small, NoModified: true}, sim.Behaviour{})
		warned(t, whole(t, after, nil, first.State()))
	})
}

// TestSnapPropertyStartDate reads what changed since a date, in either mode.
func TestSnapPropertyStartDate(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	for date, filter := range map[string]string{
		"2024-03-01": "AND LastModifiedDate >= 2024-03-01T00:00:00-03:00", "2024-03-01T00:00:00Z": "AND LastModifiedDate >= 2024-03-01T00:00:00Z",
		"2099-01-01": "AND LastModifiedDate >= 2099-01-01T00:00:00-03:00",
	} {
		a, s := startSnap(t, f, snapproperty.Options{Size: 3000}, sim.Behaviour{})
		for _, mode := range []string{harness.Incremental, harness.FullRefresh} {
			res := f.succeed(t, a, harness.Read(a.json(t, map[string]any{"start_date": date}), f.catalog.Configure(mode), nil))
			compare(t, s.Fitting(filter), res)
		}
	}
}

// TestSnapPropertyPagesTooBig reads where a page is more than Apex does at once: it is asked for again, half as big, at the same place.
func TestSnapPropertyPagesTooBig(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	same := func(a, b snapproperty.Search) bool {
		return a.Offset == b.Offset && slices.Equal(a.Filters, b.Filters) && a.Order == b.Order
	}
	for name, options := range map[string]snapproperty.Options{
		"by Id": {Heap: 150_000}, "by windows": {Heap: 150_000, NoIdOrder: true}, "tight": {Heap: 20_000},
		"slow": {Slow: 30}, "slow by windows": {Slow: 30, NoIdOrder: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.Size = 2500
			a, s := startSnap(t, f, options, sim.Behaviour{})
			res := f.succeed(t, a, f.with(t, a, map[string]any{"page_size": 100}, nil))
			compare(t, full(a), res)
			once(t, res)
			searches := s.Searches()
			failed, least := 0, 100
			for i, q := range searches {
				if q.Rows > 1 {
					least = min(least, q.Rows)
				}
				if !strings.Contains(q.Failed, "LimitException") && !strings.Contains(q.Failed, "for too long") {
					continue
				}
				failed++
				if i+1 == len(searches) || !same(q, searches[i+1]) || searches[i+1].Rows != q.Rows/2 {
					t.Errorf("after %+v came %+v", q, searches[min(i+1, len(searches)-1)])
				}
			}
			if most := 2500/least + failed + 20; failed == 0 || len(searches) > most {
				t.Errorf("%d searches, %d of them too big, the smallest pages were %d", len(searches), failed, least)
			}
		})
	}
	t.Run("even one", func(t *testing.T) {
		t.Parallel()
		a, s := startSnap(t, f, snapproperty.Options{Size: small, Heap: 500}, sim.Behaviour{})
		res := f.run(t, a, f.with(t, a, map[string]any{"page_size": 100}, nil))
		var sizes []int
		for _, q := range s.Searches() {
			if q.Failed != "" {
				sizes = append(sizes, q.Rows)
			}
		}
		if distinct := slices.Compact(slices.Clone(sizes)); !slices.Equal(distinct, []int{100, 50, 25, 12, 6, 3, 1}) {
			t.Errorf("pages of %v were asked for", sizes)
		}
		if res.Code != 1 || len(res.Failures) == 0 || res.Last("cidades") != "COMPLETE" || res.Last("imoveis") != "INCOMPLETE" {
			t.Errorf("the read ended otherwise: %s", res)
		}
		for _, failure := range res.Failures {
			readable(t, failure.Message)
		}
		stopped(t, f.run(t, a, harness.Check(a.json(t, nil))))
	})
}

// photoList is the list of photos in a property.
type photoList struct {
	Total   int              `json:"totalSize"`
	Done    *bool            `json:"done"`
	Next    *json.RawMessage `json:"nextRecordsUrl"`
	Records []struct {
		ID string `json:"Id"`
	} `json:"records"`
}

// gallery is what a read said of photos: the ids in each property's own list, and the property of each photo that came by itself.
type gallery struct {
	within map[string][]string
	alone  map[string]string
}

// look returns an option that collects the photos of a read.
func (g *gallery) look(t *testing.T) harness.Options {
	t.Helper()
	g.within, g.alone = map[string][]string{}, map[string]string{}
	return harness.Options{Each: func(m harness.Message, _ *harness.Control) {
		if m.Type != "RECORD" {
			return
		}
		var line struct {
			Record struct {
				Data struct {
					ID       string     `json:"Id"`
					Property string     `json:"snap_brok__Imovel__c"`
					Photos   *photoList `json:"snap_brok__Fotos_de_im_vel__r"`
				} `json:"data"`
			} `json:"record"`
		}
		if err := json.Unmarshal(m.Line, &line); err != nil {
			t.Errorf("%v: %s", err, m.Line)
			return
		}
		switch data := line.Record.Data; m.Stream {
		case "fotos":
			g.alone[data.ID] = data.Property
		case "imoveis":
			if data.Photos == nil {
				return
			}
			if p := data.Photos; p.Done == nil || !*p.Done || p.Next != nil || len(p.Records) != p.Total {
				t.Errorf("the photos of %s are not all: %+v", data.ID, *p)
			}
			for _, photo := range data.Photos.Records {
				g.within[data.ID] = append(g.within[data.ID], photo.ID)
			}
		}
	}}
}

// TestSnapPropertyPhotos reads photos that come in parts: all of them, in the properties and as rows, or none of them as if it were all.
func TestSnapPropertyPhotos(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	for _, atOnce := range []int{0, 1, 3} {
		a, _ := startSnap(t, f, snapproperty.Options{Size: 1000, PhotosAtOnce: atOnce}, sim.Behaviour{})
		var g gallery
		res := f.succeed(t, a, f.read(t, a, nil), g.look(t))
		compare(t, full(a), res)
		once(t, res)
		n := 0
		for property, photos := range g.within {
			for _, photo := range photos {
				n++
				if g.alone[photo] != property {
					t.Errorf("photo %s is of %s and came as one of %q", photo, property, g.alone[photo])
				}
			}
		}
		if n != 2000 || len(g.alone) != n {
			t.Errorf("%d photos at once: %d photos came within properties and %d by themselves", atOnce, n, len(g.alone))
		}
		alone := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh, "fotos"), nil))
		compare(t, full(a, "fotos"), alone)
	}

	a, _ := startSnap(t, f, snapproperty.Options{Size: small, PhotosAtOnce: 3, NoNextPhotos: true}, sim.Behaviour{})
	var g gallery // none of its lists may be a part
	res := f.run(t, a, f.read(t, a, nil), g.look(t))
	if res.Code != 1 || res.Last("imoveis") != "INCOMPLETE" || res.Last("fotos") != "INCOMPLETE" || res.Last("cidades") != "COMPLETE" {
		t.Errorf("without the other photos: %s", res)
	}
	for _, failure := range res.Failures {
		readable(t, failure.Message)
	}
}

// TestSnapPropertySessions reads with sessions that end in the middle.
func TestSnapPropertySessions(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	for _, tt := range []struct {
		name    string
		options snapproperty.Options
		with    sim.Behaviour
		tokens  int
	}{
		{"five calls", snapproperty.Options{SessionUses: 5}, sim.Behaviour{}, 8},
		{"one call", snapproperty.Options{SessionUses: 1}, sim.Behaviour{}, 40},
		{"five calls, signed", snapproperty.Options{SessionUses: 5, Login: snapproperty.PrivateKey}, sim.Behaviour{}, 8},
		{"photos in parts", snapproperty.Options{SessionUses: 3, PhotosAtOnce: 2}, sim.Behaviour{}, 40},
		{"an hour asleep", snapproperty.Options{SessionIdle: 8 * time.Second}, sim.Behaviour{ // longer than a slow machine is between two requests
			Quota: sim.Quota{Early: []int{9}, Hold: 10 * time.Second, RetryAfter: sim.RetryAfterSeconds}}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.options.Size = small
			a, s := startSnap(t, f, tt.options, tt.with)
			res := f.succeed(t, a, f.read(t, a, nil))
			compare(t, full(a), res)
			once(t, res)
			if n := len(s.Tokens()); n < tt.tokens {
				t.Errorf("only %d tokens were got", n)
			}
			if tt.options.Login == snapproperty.PrivateKey && len(s.Assertions()) != len(s.Tokens()) {
				t.Errorf("%d assertions were signed for %d tokens", len(s.Assertions()), len(s.Tokens()))
			}
		})
	}
}

// TestSnapPropertyLogins logs in in each of the three ways.
func TestSnapPropertyLogins(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	for _, login := range []snapproperty.Login{snapproperty.Assertion, snapproperty.PrivateKey, snapproperty.AccessToken} {
		t.Run(string(login), func(t *testing.T) {
			t.Parallel()
			a, s := startSnap(t, f, snapproperty.Options{Size: small, Login: login}, sim.Behaviour{})
			f.check(t, a, harness.Check(a.json(t, nil)).With("--debug"), "SUCCEEDED")
			compare(t, full(a), f.succeed(t, a, f.read(t, a, nil).With("--debug")))
			if n := len(s.Tokens()); login == snapproperty.AccessToken != (n == 0) {
				t.Errorf("%d tokens were got", n)
			}
			if login == snapproperty.PrivateKey { // in one line, and for the login host that is meant where none is named
				credentials, _ := a.config["credentials"].(map[string]any)
				credentials = maps.Clone(credentials)
				key, _ := credentials["private_key"].(string)
				credentials["private_key"] = strings.ReplaceAll(key, "\n", `\n`)
				delete(credentials, "audience")
				f.check(t, a, harness.Check(a.json(t, map[string]any{"credentials": credentials})), "SUCCEEDED")
			}
			s.Expire()
			wrong := maps.Clone(a.config)
			switch login {
			case snapproperty.AccessToken: // it has ended
			case snapproperty.PrivateKey:
				wrong["credentials"] = map[string]any{
					"auth_type": "private_key", "client_id": "x", "username": "y",
					"private_key": "-----BEGIN PRIVATE KEY-----\n" + marker + "\n-----END PRIVATE KEY-----\n",
				}
			default:
				wrong["credentials"] = map[string]any{"auth_type": "assertion", "assertion": marker}
			}
			a.config, a.secrets = wrong, append(a.secrets, marker)
			if message := f.check(t, a, harness.Check(a.json(t, nil)).With("--debug"), "FAILED"); !strings.Contains(message, "credentials") {
				t.Errorf("the message does not name the credentials: %s", message)
			}
			f.refusedAll(t, a, f.read(t, a, nil).With("--debug"))
		})
	}
}

// TestSnapPropertyLimits reads near the organisation's limits, and over them.
func TestSnapPropertyLimits(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	t.Run("near", func(t *testing.T) {
		t.Parallel()
		for used, times := range map[int]int{0: 0, 880: 1, 930: 1} {
			a, _ := startSnap(t, f, snapproperty.Options{Size: small, Daily: 1000, Used: used}, sim.Behaviour{})
			res := f.succeed(t, a, f.read(t, a, nil))
			compare(t, full(a), res)
			if said := warnings(res); len(said) != times || times > 0 && !strings.Contains(said[0], "1000") {
				t.Errorf("with %d used it warned: %v", used, said)
			}
		}
	})
	t.Run("over", func(t *testing.T) {
		t.Parallel()
		a, _ := startSnap(t, f, snapproperty.Options{Size: small, Daily: 100, Used: 80}, sim.Behaviour{})
		first := f.run(t, a, f.read(t, a, nil))
		if first.Code != 1 || len(first.Failures) == 0 || len(first.Of("imoveis")) == 0 {
			t.Fatal(first)
		}
		for _, failure := range first.Failures {
			readable(t, failure.Message)
			if failure.Type != "transient_error" || !strings.Contains(failure.Message, "24 hours") {
				t.Errorf("it is not said when to come again: %s", first)
			}
		}
		b, _ := startSnap(t, f, snapproperty.Options{Size: small}, sim.Behaviour{})
		second := f.succeed(t, b, f.read(t, b, first.State()))
		compare(t, full(b), first, second)
		for _, stream := range listed() {
			for key := range second.Keys(stream) {
				if first.Keys(stream)[key] > 0 {
					t.Fatalf("%s %s came again", stream, key)
				}
			}
		}
		over, _ := startSnap(t, f, snapproperty.Options{Size: small, Daily: 100, Used: 100}, sim.Behaviour{})
		stopped(t, f.run(t, over, harness.Check(over.json(t, nil))))
	})
	t.Run("at the same time", func(t *testing.T) {
		t.Parallel()
		a, _ := startSnap(t, f, snapproperty.Options{Size: small, BusyEvery: 7}, sim.Behaviour{})
		res := f.succeed(t, a, f.with(t, a, nil, nil))
		compare(t, full(a), res)
		once(t, res)
	})
	for _, status := range []int{403, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			a, _ := startSnap(t, f, snapproperty.Options{Size: small, TooMany: status}, sim.Behaviour{
				Quota: sim.Quota{Early: []int{3, 9}, Hold: 1200 * time.Millisecond, RetryAfter: sim.RetryAfterSeconds}})
			res := f.succeed(t, a, f.read(t, a, nil))
			compare(t, full(a), res)
			once(t, res)
		})
	}
}

// TestSnapPropertyRefusals tells whether each of the ways in which nobody is let in ends with a sentence that says what to mend.
func TestSnapPropertyRefusals(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	for name, options := range map[string]snapproperty.Options{
		"approval": {Refuse: snapproperty.RefuseApproval}, "audience": {Refuse: snapproperty.RefuseAudience},
		"expired": {Refuse: snapproperty.RefuseExpired}, "locked": {Refuse: snapproperty.RefuseLocked}, "client": {Refuse: snapproperty.RefuseClient},
		"no package": {NoPackage: true}, "no access": {NoAccess: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.Size = small
			a, _ := startSnap(t, f, options, sim.Behaviour{})
			f.check(t, a, harness.Check(a.json(t, nil)), "FAILED")
			res := f.refusedAll(t, a, f.read(t, a, nil))
			if len(res.Rows) > 0 || res.Wall > soon {
				t.Errorf("it read something, or took long: %s", res)
			}
			for _, stream := range f.catalog.Names() {
				if res.Last(stream) != "INCOMPLETE" {
					t.Errorf("the status of %s is %q", stream, res.Last(stream))
				}
			}
		})
	}
}
