package pagination_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// table holds rows by the time at which each was created, in order, and counts its requests.
type table struct {
	created []time.Time
	asked   int
	highest int64 // the highest position
}

// answer returns the answer of an API that lists the rows of a stretch by position.
func (tb *table) answer(r httpclient.Request, size int) pagination.Page {
	from, _ := time.Parse(time.RFC3339, r.Query.Get("from"))
	until, _ := time.Parse(time.RFC3339, r.Query.Get("until"))
	var in []int
	for i, at := range tb.created {
		if !at.Before(from) && (until.IsZero() || at.Before(until)) {
			in = append(in, i)
		}
	}
	at, _ := record.Record(r.Query.Get("offset")).Get("").Int()
	tb.asked++
	tb.highest = max(tb.highest, at)
	p := pagination.Page{Body: record.Record(fmt.Sprintf(`{"total":%d}`, len(in))).Get("")}
	for _, i := range in[min(int(at), len(in)):min(int(at)+size, len(in))] {
		p.Records = append(p.Records, record.Record(fmt.Sprint(i)).Get(""))
	}
	return p
}

func stretches(size, most int) pagination.Stretches {
	return pagination.Stretches{
		Offset: pagination.Offset{Param: "offset", SizeParam: "size", Size: size, Rows: "total", Max: most},
		Ask: func(r httpclient.Request, from, until time.Time) httpclient.Request {
			for name, at := range map[string]time.Time{"from": from, "until": until} {
				r = r.With(httpclient.Query, name, nil)
				if !at.IsZero() {
					r = r.With(httpclient.Query, name, at.UTC().Format(time.RFC3339))
				}
			}
			return r
		},
		Oldest: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// read reads the table from place on. It returns the different rows, the places, and whether rows were out of reach.
func (tb *table) read(t *testing.T, s pagination.Stretches, place string) (rows map[string]bool, places []string, beyond bool) {
	t.Helper()
	rows = map[string]bool{}
	r, more := s.First(httpclient.Request{Place: place}), true
	for more {
		p := tb.answer(r, s.Size)
		for _, row := range p.Records {
			rows[row.String()] = true
		}
		if total := s.Total(p, len(places) == 0); total.Told && !total.Part && place == "" && total.Rows != int64(len(tb.created)) {
			t.Fatalf("the total is %d of %d", total.Rows, len(tb.created))
		}
		beyond = beyond || s.Beyond(r, p)
		places = append(places, r.Place)
		if r, more = s.Next(r, p); tb.asked > 10_000 {
			t.Fatal("it does not end")
		}
	}
	return rows, places, beyond
}

func TestStretches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble's clock begins in 2000
		newest := time.Now()
		even, late := &table{}, &table{}
		for i := range 5000 {
			even.created = append(even.created, newest.Add(-time.Duration(5000-i)*time.Hour))
			late.created = append(late.created, newest.Add(-time.Duration(5000-i)*time.Second))
		}
		old := &table{created: append([]time.Time{newest.AddDate(-50, 0, 0)}, even.created...)}
		few := &table{created: even.created[:90]}
		for name, tb := range map[string]*table{"even": even, "all on the last day": late, "one long before": old, "few": few} {
			rows, places, beyond := tb.read(t, stretches(50, 200), "")
			if len(rows) != len(tb.created) || beyond || tb.highest > 200 {
				t.Errorf("%s: %d of %d rows, up to position %d, beyond %t", name, len(rows), len(tb.created), tb.highest, beyond)
			}
			if most := 3*len(tb.created)/50 + 30; tb.asked > most {
				t.Errorf("%s: %d requests for %d pages", name, tb.asked, len(tb.created)/50)
			}
			middle := places[len(places)/2]
			rest, _, _ := tb.read(t, stretches(50, 200), middle)
			for i := range len(tb.created) {
				if id := fmt.Sprint(i); !rest[id] && middle > tb.created[i].UTC().Format(time.RFC3339) != true {
					t.Fatalf("%s: row %d is missing from the place %s on", name, i, middle)
				}
			}
		}
	})
}

func TestStretchesThatCannotBeShorter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tb := &table{created: slices.Repeat([]time.Time{time.Now().Add(-time.Hour)}, 300)}
		tb.created = append(tb.created, time.Now().Add(-time.Minute))
		rows, _, beyond := tb.read(t, stretches(50, 200), "")
		if !beyond || len(rows) != 251 || tb.highest != 200 {
			t.Errorf("%d rows, up to position %d, beyond %t", len(rows), tb.highest, beyond)
		}
	})
}

func TestBeyond(t *testing.T) {
	o := pagination.Offset{Param: "offset", Rows: "total", Max: 4}
	for _, tt := range []struct {
		offset, rows int
		envelope     string
		want         bool
	}{
		{0, 3, `{"total":9}`, false}, {4, 3, `{"total":9}`, true}, {4, 5, `{"total":9}`, false}, {4, 3, `{}`, true}, {4, 0, `{}`, false},
	} {
		r := httpclient.Request{Query: url.Values{"offset": {fmt.Sprint(tt.offset)}}}
		if got := o.Beyond(r, page(tt.rows, tt.envelope, nil)); got != tt.want {
			t.Errorf("%d rows at %d of %s: %t", tt.rows, tt.offset, tt.envelope, got)
		}
	}
}

func TestKeysetPlaces(t *testing.T) {
	k := pagination.Keyset{Param: "after", Field: "Id", Rows: "left", Sorted: true}
	first := k.First(httpclient.Request{})
	next, more := k.Next(first, page(3, `{"left":9}`, nil))
	if !more || next.Place != "k2" || k.First(httpclient.Request{Place: "k2"}).Query.Get("after") != "k2" {
		t.Errorf("the place is %q", next.Place)
	}
	if !k.Echoes(first, page(3, `{}`, nil)) || k.Echoes(next, page(4, `{}`, nil)) {
		t.Error("a page is no answer when its keys do not rise from the place on")
	}
	if k.Total(page(1, `{"left":9}`, nil), false).Told {
		t.Error("what is left after the first page is no total")
	}
}

func TestResize(t *testing.T) {
	for _, s := range []pagination.Sized{
		pagination.Number{SizeParam: "size", Size: 9}, pagination.Offset{SizeParam: "size", Size: 9},
		pagination.Keyset{SizeParam: "size", Size: 9}, stretches(9, 100),
	} {
		half, ok := s.Resize(0)
		if got := half.First(httpclient.Request{}).Query.Get("size"); !ok || got != "4" {
			t.Errorf("half of it is %q, %t", got, ok)
		}
		if _, ok := s.Resize(9); ok {
			t.Error("9 is not smaller than 9")
		}
	}
}
