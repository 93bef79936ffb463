package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// due is what has to come of a read in which something is wrong with a listing.
type due int

const (
	complete due = iota // success, with every row
	honest              // that, or a failure that says so, after which the next sync has what is missing
	noted               // success with every row, or a failure or a warning that says that it is not so
	told                // every row came, and a failure or a warning says that there should be more
	loud                // a failure, or a warning
	failing             // a failure
	bounded             // an end, and no more rows missing than there are pages
)

// trouble is something that is wrong with a listing.
type trouble struct {
	name   string
	faults func(l listing) []sim.PageFault // nil where the listing cannot meet it
	due    func(l listing) due
	seen   []string // texts that have to be in records, if they came
	said   string   // a part of what a failure has to say
	keys   bool     // rows may lack their key
	size   int      // rows of a page under the trouble, where it is not the usual
	waits  bool     // the connector waits for the listing to mend for seconds, and does little else
}

// always returns what has to come of a trouble in every listing.
func always(d due) func(listing) due { return func(listing) due { return d } }

// anywhere returns faults that each listing can meet. They are made anew for each, since they remember what they did.
func anywhere(faults func() []sim.PageFault) func(listing) []sim.PageFault {
	return func(listing) []sim.PageFault { return faults() }
}

// promised returns faults that listings with a total can meet.
func promised(faults func(l listing) []sim.PageFault) func(listing) []sim.PageFault {
	return func(l listing) []sim.PageFault {
		if l.form.Total == "" {
			return nil
		}
		return faults(l)
	}
}

// texts returns faults in a text, which are the same for all listings of a connector: one of them is enough.
func texts(faults func(l listing) []sim.PageFault) func(listing) []sim.PageFault {
	return func(l listing) []sim.PageFault {
		if l.text == "" {
			return nil
		}
		return faults(l)
	}
}

// where returns one of two outcomes, the first where a listing's total is known to be right.
func where(reliable, otherwise due) func(listing) due {
	return func(l listing) due {
		if l.reliable {
			return reliable
		}
		return otherwise
	}
}

// numbered returns one of two outcomes, the first where pages say how many rows there are.
func numbered(total, otherwise due) func(listing) due {
	return func(l listing) due {
		if l.form.Total != "" {
			return total
		}
		return otherwise
	}
}

// troubles returns those of listings that change, that end early or late, or that contradict themselves.
func troubles() []trouble {
	return slices.Concat(changes(), pageTroubles(), ends(), strange(), totals()) // as scenarios are
}

// changes returns listings that change while they are read.
func changes() []trouble {
	return []trouble{
		{name: "a row is removed behind the first page", due: always(honest),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Once(1, sim.Removed())} })},
		{name: "a row is removed behind the third page", due: always(honest),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Once(3, sim.Removed())} })},
		{name: "rows are removed behind two pages", due: always(honest), faults: anywhere(func() []sim.PageFault {
			return []sim.PageFault{sim.Once(1, sim.Removed()), sim.Once(2, sim.Removed())}
		})},
		// That the total stays cannot be told from a listing that nobody changes: the row that moved up may be missing, and no other.
		{name: "a row is replaced behind the first page", due: always(bounded),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Once(1, sim.Replaced())} })},
		{name: "a row is added in front behind the first page", due: always(honest),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Once(1, sim.Added())} })},
		{name: "rows come and go behind every page", due: numbered(honest, bounded), // without a total a page's worth of rows looks like any other
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Restless()} })},
	}
}

// pageTroubles returns pages that are not what was asked for.
func pageTroubles() []trouble {
	return []trouble{
		{name: "a row is filtered from the second page", due: numbered(told, complete),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.On(2, sim.Filtered())} })},
		{name: "pages are capped lower", due: always(complete), size: 13,
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Capped(13)} })},
		{name: "the second page is empty for a while", due: where(honest, noted),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Times(2, sim.On(2, sim.Empty()))} })},
		{name: "the second page is empty once", due: always(honest),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Once(2, sim.Empty())} })},
		{name: "each page is the one before, once", due: always(honest),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Times(1, sim.Stale())} })},
		{name: "the second page is the first for a while", waits: true, due: always(honest),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Times(2, sim.On(2, sim.FirstAgain()))} })},
	}
}

// ends returns what comes past the end of a listing.
func ends() []trouble {
	all := []trouble{
		{name: "past the end the last page again", due: always(complete),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.LastAgain()} })},
		{name: "past the end the last page again, which is full", due: always(complete),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Full(), sim.LastAgain()} })},
		{name: "past the end nothing, behind a full page", due: always(complete),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Full()} })},
		{name: "past the end the last page again, with a row that has no key", due: always(complete), keys: true,
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Full(), sim.Keyless(1), sim.LastAgain()} })},
		{name: "a lastPage of ten million", due: always(honest), faults: func(l listing) []sim.PageFault {
			if l.form.Last == "" {
				return nil
			}
			return []sim.PageFault{sim.Lasts("10000000")}
		}},
	}
	for name, fault := range map[string]sim.PageFault{
		"404": sim.Instead(404, `{"mensagem":"Pagina invalida"}`), "404 in HTML": sim.HTML(404),
		"400": sim.Instead(400, `{"mensagem":"Pagina invalida"}`), "401": sim.Instead(401, `{"mensagem":"Pagina invalida"}`),
	} {
		all = append(all, trouble{name: "past the end " + name, due: always(complete),
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Full(), sim.PastEnd(fault)} })})
	}
	return all
}

// totals returns totals that are wrong, and lists that are missing beside them.
func totals() []trouble {
	number := func(total string) func(listing) []sim.PageFault {
		return promised(func(listing) []sim.PageFault { return []sim.PageFault{sim.Totals(total)} })
	}
	all := []trouble{
		{name: "the total is a text", due: always(complete),
			faults: promised(func(listing) []sim.PageFault { return []sim.PageFault{sim.TextTotal()} })},
		{name: "the total is no number", waits: true, due: always(failing), faults: number(`"muitos"`), said: "total|quantidade|Total"},
		{name: "the total is 0 beside rows", waits: true, due: always(honest), faults: number("0")},
		{name: "the total is negative", waits: true, due: always(honest), faults: number("-1")},
		{name: "the total and lastPage are 0 beside rows", waits: true, due: always(honest), faults: func(l listing) []sim.PageFault {
			if l.form.Last == "" {
				return nil
			}
			return []sim.PageFault{sim.Totals("0"), sim.Lasts("0")}
		}},
		{name: "the total promises more rows for ever", waits: true, due: where(failing, told),
			faults: promised(func(listing) []sim.PageFault { return []sim.PageFault{sim.Promise(10)} })},
		{name: "every page is the first", waits: true, due: where(failing, loud), faults: promised(func(listing) []sim.PageFault {
			return []sim.PageFault{sim.FirstAgain(), sim.Totals("20000"), sim.Lasts("200")}
		})},
		{name: "rows without a key, and fewer than promised", due: always(loud), keys: true,
			faults: promised(func(listing) []sim.PageFault { return []sim.PageFault{sim.Promise(5), sim.Keyless(10)} })},
	}
	for name, body := range map[string]func(l listing) string{
		"a total and a sentence": func(l listing) string { return `{"` + l.form.Total + `":120,"mensagem":"Erro interno"}` },
		"a total and null":       func(l listing) string { return `{"` + l.form.Total + `":120,"` + l.form.List + `":null}` },
		"a list without a total": func(l listing) string { return `{"` + l.form.List + `":null}` },
		"an error and no rows":   func(l listing) string { return `{"error":"internal","` + l.form.List + `":[]}` },
		"an empty list":          func(listing) string { return "[]" },
	} {
		all = append(all, trouble{name: "in the place of the first page " + name, due: always(honest),
			faults: promised(func(l listing) []sim.PageFault {
				return []sim.PageFault{sim.Times(2, sim.On(1, sim.Instead(200, body(l))))}
			})})
	}
	for name, body := range map[string]string{
		"null": "null", "a sentence": `{"mensagem":"Erro interno"}`, "data that are null": `{"data":null}`,
		"an error": `{"error":"internal","data":[]}`, "nothing": "",
	} {
		for page := 1; page <= 2; page++ {
			all = append(all, trouble{name: fmt.Sprintf("in the place of page %d %s", page, name), due: always(honest),
				faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Times(2, sim.On(page, sim.Instead(200, body)))} })})
		}
	}
	return all
}

// strange returns rows and letters that are not as they should be.
func strange() []trouble {
	const text = "São João, cobertura"
	all := []trouble{
		{name: "rows without a key", due: always(honest), keys: true,
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Keyless(2)} })},
		{name: "rows without a key, and a second reading", due: always(honest), keys: true,
			faults: anywhere(func() []sim.PageFault { return []sim.PageFault{sim.Keyless(2), sim.Once(2, sim.Removed())} })},
		{name: "characters that are not escaped", due: always(complete), seen: []string{"Sala", "ampla", "frente"},
			faults: texts(func(l listing) []sim.PageFault {
				return []sim.PageFault{sim.On(1, sim.Written(l.text, "\"Sala\tampla\nfrente\x01mar\""))}
			})},
		{name: "rows that are nested deeper than 1,000", due: always(failing), said: "nest|deep|1,000",
			faults: texts(func(l listing) []sim.PageFault {
				return []sim.PageFault{sim.On(2, sim.Written(l.text, sim.Deep(1001)))}
			})},
		{name: "rows that are nested deep", due: always(complete),
			faults: texts(func(l listing) []sim.PageFault { return []sim.PageFault{sim.On(2, sim.Written(l.text, sim.Deep(900)))} })},
	}
	for parameters, encode := range map[string]func(string) []byte{
		"; charset=ISO-8859-1":   latin1,
		"; charset=windows-1252": latin1, // the same for the letters that are used here
		"; charset=utf-16le":     func(text string) []byte { return utf16Bytes(0, text) },
		"; charset=utf-16":       func(text string) []byte { return utf16Bytes(8, "\ufeff"+text) },
		"":                       func(text string) []byte { return utf16Bytes(0, "\ufeff"+text) },
		";charset=UTF-8":         func(text string) []byte { return []byte("\ufeff" + text) },
	} {
		all = append(all, trouble{name: "letters" + parameters, due: always(complete), seen: []string{text}, faults: texts(func(l listing) []sim.PageFault {
			return []sim.PageFault{sim.On(1, sim.Written(l.text, `"`+text+`"`)), sim.Encoded(parameters, encode)}
		})})
	}
	return all
}

// latin1 returns text in that charset; what it does not have becomes "?".
func latin1(text string) []byte {
	var out []byte
	for _, r := range text {
		if r > 0xff {
			r = '?'
		}
		out = append(out, byte(r))
	}
	return out
}

// utf16Bytes returns text in UTF-16, of whose units the first byte is shifted by so many bits: 0 is little-endian, 8 is big-endian.
func utf16Bytes(first int, text string) (out []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit>>first), byte(unit>>(8-first)))
	}
	return out
}

// TestListingFaults reads every listing under every trouble: it has to end within a bounded number of requests, with what is due.
func TestListingFaults(t *testing.T) {
	t.Parallel()
	for _, test := range listingFaults(t, false) {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

// TestListingWaits is TestListingFaults for the troubles that take waiting.
func TestListingWaits(t *testing.T) {
	t.Parallel()
	idle(listingFaults(t, true)).together(t)
}

// listingFaults returns a test of every listing for each trouble that takes waiting, or for each other one.
func listingFaults(t *testing.T, waits bool) (all []test) {
	t.Helper()
	for _, l := range listings() {
		for i, trouble := range troubles() {
			faults := trouble.faults(l)
			if faults == nil || trouble.waits != waits || l.half > 0 && (i+l.half)%2 == 0 && !harness.Full() {
				continue
			}
			all = append(all, test{l.title() + " " + trouble.name, func(t *testing.T) {
				f := one(t, l.connector)
				a := f.start(t, sim.Options{Size: l.size, Set: l.set}, sim.Behaviour{Alter: sim.InPages(l.name, faults...)})
				trouble.judge(t, f, l, a)
			}})
		}
	}
	return all
}

// patience is how long a read of a few rows may take on a machine that has other things to do. What is due takes some seconds at most, of
// waiting before a page is asked for again.
const patience = 3 * time.Minute

// within returns options under which a run that takes longer than limit is killed, and whether one was: there is no goodbye that a slow machine
// could make late.
func within(limit time.Duration) (options harness.Options, late func() bool) {
	var timer *time.Timer
	var ended atomic.Bool
	options.Started = func(control *harness.Control) {
		timer = time.AfterFunc(limit, func() {
			ended.Store(true)
			_ = control.Signal(os.Kill) // it may have ended by itself
		})
	}
	return options, func() bool { timer.Stop(); return ended.Load() }
}

// TestListingNeverComes reads listings in whose place there is something else for ever. However long that is tried, nothing is complete. Each waits for
// up to half a minute, so that a third of them is tried where not everything is asked for.
func TestListingNeverComes(t *testing.T) {
	t.Parallel()
	var all idle
	number := 0
	for _, l := range listings() {
		bodies := []string{"null", `{"mensagem":"Erro interno"}`, `{"data":null}`}
		if l.form.Total != "" {
			bodies = append(bodies, `{"`+l.form.Total+`":120,"mensagem":"Erro interno"}`, `{"`+l.form.Total+`":120,"`+l.form.List+`":[]}`)
		}
		for i, body := range bodies {
			if number++; number%3 != 1 && !harness.Full() {
				continue
			}
			page := i%2 + 1 // an empty list is only tried in the place of the first
			all = append(all, test{fmt.Sprintf("%s page %d %s", l.title(), page, body), func(t *testing.T) {
				f := one(t, l.connector)
				a := f.start(t, sim.Options{Size: l.size, Set: l.set}, sim.Behaviour{Alter: sim.InPages(l.name, sim.On(page, sim.Instead(200, body)))})
				options, late := within(patience)
				res := l.read(f, t, a, nil, options)
				if late() {
					t.Fatalf("it did not end in %v: %s", patience, res)
				}
				silent := l.reliable || page == 2 || len(warnings(res)) == 0 // a quantidade that is known to be wrong at times is no proof of rows
				if silent && (res.Code == 0 || res.Last(l.stream) == "COMPLETE") {
					t.Errorf("%d of %d rows came: %s", len(res.Rows), len(a.Listed(l.name).Must), res)
				}
			}})
		}
	}
	all.together(t)
}

// judge reads the listing and tells whether what is due came of it.
func (tr trouble) judge(t *testing.T, f fixture, l listing, a *api) {
	t.Helper()
	seen := map[string]bool{}
	options, late := within(patience)
	options.Keyless = tr.keys
	options.Each = func(m harness.Message, _ *harness.Control) {
		for _, text := range tr.seen {
			seen[text] = seen[text] || m.Type == "RECORD" && bytes.Contains(m.Line, []byte(text))
		}
	}
	res := l.read(f, t, a, nil, options)
	if late() {
		t.Fatalf("it did not end in %v: %d requests: %s", patience, a.Listed(l.name).Requests, res)
	}
	listed := a.Listed(l.name)
	once(t, res)
	missing := l.missing(listed, res)
	succeeded, warned := res.Code == 0, len(strangeOnPurpose(warnings(res))) > 0
	switch d := tr.due(l); {
	case len(listed.Must) == 0:
		t.Error("the listing was not asked for")
	case d == bounded && len(missing) > listed.Pages, (d == complete || d == told) && len(missing) > 0, d == honest && succeeded && len(missing) > 0:
		t.Errorf("%d of %d rows are missing: %v", len(missing), len(listed.Must), missing[:min(5, len(missing))])
	case d == complete && !succeeded, d == failing && succeeded, (d == told || d == loud || d == noted && len(missing) > 0) && succeeded && !warned:
		t.Errorf("exit %d, warned %v: %s", res.Code, warned, res)
	case d == honest && !succeeded:
		tr.again(t, f, l, a, res)
	}
	for _, text := range tr.seen {
		if succeeded && !seen[text] {
			t.Errorf("%q is in no record", text)
		}
	}
	if !succeeded {
		tr.explained(t, res)
	}
	// Each of three readings may look for the end, and some pages are asked for again after a while.
	pages := listed.Pages
	if tr.size > 0 {
		pages = len(listed.Must)/tr.size + 1
	}
	if most := 3*(l.requests(pages)+1) + 24; listed.Requests > most {
		t.Errorf("%d requests for %d pages, more than %d", listed.Requests, pages, most)
	}
	if t.Failed() {
		t.Logf("%d requests: %s", listed.Requests, res)
	}
}

// again syncs once more after a failure, when all is well again: together the two have to have every row.
func (tr trouble) again(t *testing.T, f fixture, l listing, a *api, first *harness.Result) {
	t.Helper()
	well := f.serve(t, a.simulator, sim.Behaviour{})
	second := l.read(f, t, well, first.State(), harness.Options{Keyless: tr.keys})
	if missing := l.missing(a.Listed(l.name), first, second); second.Code != 0 || len(missing) > 0 {
		t.Errorf("%d rows are missing after the next sync: %s", len(missing), second)
	}
}

// explained tells that a failure says who has to act, and on what.
func (tr trouble) explained(t *testing.T, res *harness.Result) {
	t.Helper()
	said := ""
	for _, failure := range res.Failures {
		readable(t, failure.Message)
		said += failure.Message
	}
	if said == "" {
		t.Error("it failed without a word")
	}
	if tr.said != "" && !slices.ContainsFunc(strings.Split(tr.said, "|"), func(word string) bool { return strings.Contains(said, word) }) {
		t.Errorf("%s is not in: %s", tr.said, said)
	}
}
