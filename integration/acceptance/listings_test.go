package acceptance

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// listing is a listing of a connector's API, of a few pages, that makes a stream.
type listing struct {
	connector, stream string
	how               string            // is added to the test's name
	name              string            // a part of sim.Listing's
	size, one         int               // of the simulator's data, for some pages and for one that is not full; 0: the API has no listing so small
	set               map[string]string // the simulator's options
	config            map[string]any    // changes of the configuration
	text              string            // a member with a text that the stream keeps as it is; of one listing of each connector
	form              sim.Form
	reliable          bool // its total is known to be right: it may not be short of it
	half              int  // where not everything is asked for, every other trouble is tried on it, from this one on, counted from 1; 0: each is
	more              int  // requests besides one for each page: for the end of a listing, or until it is known how it can be read
}

// listings returns one for each way in which the connectors go from page to page.
func listings() []listing {
	dwv := sim.Form{List: "data", Total: "total", Last: "lastPage"}
	imoview := sim.Form{List: "lista", Total: "quantidade"}
	found := sim.Form{List: "Imoveis", Total: "Total"}
	small := map[string]any{"page_size": 50}
	return []listing{
		{connector: "source-dwv", stream: "properties", name: "deleted=false", size: 480, one: 60, text: "title", form: dwv, reliable: true,
			more: 1}, // the first page again, behind the removed ones
		{connector: "source-imoview", stream: "users", name: "/Usuario/RetornarTipo3", size: 430, one: 60, text: "nome", form: imoview, half: 1,
			more: 1}, // what is not tried on it is on people, which are read alike
		{connector: "source-imoview", stream: "lease_contracts", name: "/ContratoAluguel/", size: 430, one: 40, form: imoview, half: 2,
			reliable: true},
		{connector: "source-imoview", stream: "condominiums", name: "/Imovel/RetornarCondominios", size: 2500, form: imoview, half: 1},
		{connector: "source-imoview", stream: "people", name: "/Cliente/App_RetornarPessoas", size: 2500, one: 200, form: imoview, half: 2,
			more: 1},
		{connector: "source-nectarcrm", stream: "tarefas", name: "GET tarefas", size: 1800, one: 240, text: "titulo",
			more: 2}, // two pages behind the only one, which may be cut to a size that nobody knows
		{connector: "source-nectarcrm", stream: "contatos", name: "GET contatos", size: 430, one: 60, more: 2},
		{connector: sourceSnap, stream: "imoveis", name: "/imovel/pesquisar", size: 230, one: 30, config: small, text: "Name", form: found,
			reliable: true},
		{connector: sourceSnap, stream: "imoveis", how: "by position", name: "/imovel/pesquisar", size: 230, one: 30, config: small, form: found,
			set: map[string]string{"no-id-order": "true"}, reliable: true, more: 2},
	}
}

// eachListing runs a test on every listing, all together.
func eachListing(t *testing.T, test func(t *testing.T, f fixture, l listing)) {
	t.Helper()
	for _, l := range listings() {
		t.Run(l.title(), func(t *testing.T) {
			t.Parallel()
			test(t, one(t, l.connector), l)
		})
	}
}

// title returns what tests of the listing are called.
func (l listing) title() string { return strings.TrimSpace(l.connector + " " + l.stream + " " + l.how) }

// read reads the listing's stream.
func (l listing) read(f fixture, t *testing.T, a *api, state []byte, options ...harness.Options) *harness.Result {
	t.Helper()
	return f.run(t, a, harness.Read(a.json(t, l.config), f.catalog.Configure(harness.Incremental, l.stream), state), options...)
}

// requests returns the most with which so many pages are read once: where no total can be relied on the last one is looked for first, by doubling
// and halving.
func (l listing) requests(pages int) int {
	if pages == 1 || l.reliable {
		return pages + l.more
	}
	return pages + l.more + 2 + int(math.Ceil(2*math.Log2(float64(pages))))
}

// TestHonestListings reads listings with which all is well: each row comes once, nothing is warned of, and no request is made that is not
// needed.
func TestHonestListings(t *testing.T) {
	t.Parallel()
	eachListing(t, func(t *testing.T, f fixture, l listing) {
		for _, size := range []int{l.one, l.size} {
			if size == 0 {
				continue
			}
			a := f.start(t, sim.Options{Size: size, Set: l.set}, sim.Behaviour{Alter: sim.InPages(l.name)})
			res := l.read(f, t, a, nil)
			listed := a.Listed(l.name)
			whole(t, l, listed, res)
			compare(t, full(a, l.stream), res)
			if said := strangeOnPurpose(warnings(res)); len(said) > 0 {
				t.Errorf("an honest listing is warned of: %q", said)
			}
			if most := l.requests(listed.Pages); listed.Requests > most {
				t.Errorf("%d pages took %d requests, more than %d", listed.Pages, listed.Requests, most)
			}
			if single := size == l.one; single != (listed.Pages == 1) || listed.Pages == 2 {
				t.Errorf("%d rows are %d pages: the test has to be told of another size", len(listed.Must), listed.Pages)
			}
		}
	})
}

// whole tells that a read was a success with every row that was there all the time, and no row twice.
func whole(t *testing.T, l listing, listed sim.Listed, res *harness.Result) {
	t.Helper()
	if missing := l.missing(listed, res); res.Code != 0 || res.Last(l.stream) != "COMPLETE" || len(missing) > 0 {
		t.Errorf("all %d rows were due, %d are missing: %v: %s", len(listed.Must), len(missing), missing[:min(5, len(missing))], res)
	}
	if len(listed.Must) == 0 {
		t.Error("the listing was not asked for, or has no rows")
	}
	once(t, res)
}

// missing returns the rows that were there all the time and did not come in any of some reads.
func (l listing) missing(listed sim.Listed, runs ...*harness.Result) (missing []string) {
	came := map[string]bool{}
	for _, res := range runs {
		for key := range res.Keys(l.stream) {
			came[key] = true
		}
	}
	for key := range listed.Must {
		if !came[key] {
			missing = append(missing, key)
		}
	}
	slices.Sort(missing)
	return missing
}

// strangeOnPurpose returns warnings without those of the values of fields, of which some of the simulators' rows have strange ones.
func strangeOnPurpose(said []string) []string {
	return slices.DeleteFunc(said, func(text string) bool { return strings.Contains(text, ` field "`) })
}
