package dwv

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

func TestPaging(t *testing.T) {
	for _, test := range []struct {
		size, maxLimit int
		query          []string
		want           envelope
		rows           int
	}{
		{45, 0, nil, envelope{Total: 45, PerPage: 20, Page: 1, LastPage: 3}, 20},
		{45, 0, []string{"page", "3"}, envelope{Total: 45, PerPage: 20, Page: 3, LastPage: 3}, 5},
		{45, 0, []string{"page", "4"}, envelope{Total: 45, PerPage: 20, Page: 4, LastPage: 3}, 0},
		{45, 0, []string{"page", "2147483647"}, envelope{Total: 45, PerPage: 20, Page: 2147483647, LastPage: 3}, 0},
		{40, 0, []string{"page", "2"}, envelope{Total: 40, PerPage: 20, Page: 2, LastPage: 2}, 20},
		{250, 0, []string{"limit", "100"}, envelope{Total: 250, PerPage: 100, Page: 1, LastPage: 3}, 100},
		{250, 0, []string{"limit", "1000"}, envelope{Total: 250, PerPage: 100, Page: 1, LastPage: 3}, 100},
		{250, 50, []string{"limit", "100", "page", "5"}, envelope{Total: 250, PerPage: 50, Page: 5, LastPage: 5}, 50},
		{250, 0, []string{"per_page", "100"}, envelope{Total: 250, PerPage: 20, Page: 1, LastPage: 13}, 20},
		{45, 0, []string{"city", "Nowhere"}, envelope{Total: 0, PerPage: 20, Page: 1, LastPage: 0}, 0},
	} {
		got := list(t, New(Options{Size: test.size, MaxLimit: test.maxLimit}), test.query...)
		rows := len(got.Data)
		got.Data = nil
		if got.Total != test.want.Total || got.PerPage != test.want.PerPage || got.Page != test.want.Page || got.LastPage != test.want.LastPage ||
			rows != test.rows {
			t.Errorf("%v of %d: %+v with %d rows, want %+v with %d", test.query, test.size, got, rows, test.want, test.rows)
		}
	}
	_, body := get(t, New(Options{Size: 45, NumbersAsText: true}), root, "page", "3")
	if !strings.HasPrefix(string(body), `{"total":"45","perPage":"20","page":"3","lastPage":"3","data":[{`) {
		t.Errorf("numbers as text: %.80s", body)
	}
}

func TestPrevious(t *testing.T) {
	s := New(Options{})
	for query, want := range map[string]string{"page=3&limit=5": "limit=5&page=2", "page=1": "", "limit=5": "", "page=x": ""} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x"+root+"?"+query, nil)
		before, ok := s.Previous(r)
		if ok != (want != "") || ok && before.URL.RawQuery != want {
			t.Errorf("%s: %v %v", query, ok, before)
		}
	}
}

// Each filter lets through exactly the rows that a look at their bodies finds.
func TestFilters(t *testing.T) {
	s := New(Options{Size: 2000, Seed: 3})
	rows := all(t, s)
	number := func(n func(home) *int, fits func(int) bool) func(property) bool {
		return func(p property) bool {
			h, _ := p.parts()
			return n(h) != nil && fits(*n(h))
		}
	}
	day := func(p property) string {
		for _, layout := range []string{time.DateTime, time.RFC3339} {
			if at, err := time.ParseInLocation(layout, p.LastUpdatedAt, sim.Brasilia()); err == nil {
				return at.Format(time.DateOnly)
			}
		}
		return ""
	}
	for name, test := range map[string]struct {
		query []string
		fits  func(property) bool
	}{
		"nothing":      {nil, func(property) bool { return true }},
		"search title": {[]string{"search", "VISTA PRO MAR"}, func(p property) bool { return strings.Contains(p.Title, "vista pro mar") }},
		"search building": {[]string{"search", "GREEN coast"}, func(p property) bool {
			return strings.Contains(p.Title, "Green Coast") || p.Building != nil && strings.Contains(p.Building.Title, "Green Coast")
		}},
		"address": {[]string{"address", "rua 129, "}, func(p property) bool {
			_, b := p.parts()
			return strings.Contains(b.Address, "Rua 129, ")
		}},
		"city": {[]string{"city", "itapema"}, func(p property) bool {
			_, b := p.parts()
			return b.Place.City == "Itapema"
		}},
		"state": {[]string{"state", "SC"}, func(p property) bool {
			_, b := p.parts()
			return b.Place.State == "SC"
		}},
		"bedrooms": {[]string{"bedrooms", "1,3+"}, number(func(h home) *int { return h.Dorms }, func(n int) bool { return n == 1 || n >= 3 })},
		"suites":   {[]string{"unit_suites", "0"}, number(func(h home) *int { return h.Suites }, func(n int) bool { return n == 0 })},
		"parking":  {[]string{"unit_parking_spaces", "2+"}, number(func(h home) *int { return h.Parking }, func(n int) bool { return n >= 2 })},
		"new":      {[]string{"property_condition", "new"}, func(p property) bool { return p.Third == nil }},
		"used":     {[]string{"property_condition", "used"}, func(p property) bool { return p.Third != nil }},
		"types": {[]string{"types", "smallFarm"}, func(p property) bool {
			h, _ := p.parts()
			return h.Type == "Sítio"
		}},
		"status":      {[]string{"status", "auto_inactive"}, func(p property) bool { return p.Status == "auto_inactive" }},
		"deleted":     {[]string{"deleted", "true"}, func(p property) bool { return p.Deleted }},
		"not deleted": {[]string{"deleted", "false"}, func(p property) bool { return !p.Deleted }},
		"stage": {[]string{"construction_stage", "Usado", "construction_stage_raw", "used"}, func(p property) bool {
			return p.Third != nil
		}},
		"contradictory": {[]string{"construction_stage", "Usado", "construction_stage_raw", "new"}, func(property) bool { return false }},
		"rent": {[]string{"rent", "true"}, func(p property) bool {
			h, _ := p.parts()
			return h.Rent
		}},
		"incorporation": {[]string{"incorporation", "r32"}, func(p property) bool {
			return p.Building != nil && strings.Contains(p.Building.Incorporation, "R32")
		}},
		"a day": {[]string{"last_updates", "2025-11-03,2025-11-03"}, func(p property) bool { return day(p) == "2025-11-03" }},
		"days": {[]string{"last_updates", "2025-01-10,2025-03-20"}, func(p property) bool {
			return "2025-01-10" <= day(p) && day(p) <= "2025-03-20"
		}},
		"two filters": {[]string{"last_updates", "2025-01-10,2025-12-20", "deleted", "false"}, func(p property) bool {
			return "2025-01-10" <= day(p) && !p.Deleted
		}},
	} {
		want := slices.DeleteFunc(slices.Clone(rows), func(p property) bool { return !test.fits(p) })
		got := all(t, s, test.query...)
		ids := func(ps []property) (ids []int) {
			for _, p := range ps {
				ids = append(ids, p.ID)
			}
			return ids
		}
		if !slices.Equal(ids(got), ids(want)) {
			t.Errorf("%s: %d rows, want %d", name, len(got), len(want))
		}
		if (len(want) == 0 || len(want) == len(rows)) && name != "nothing" && name != "contradictory" {
			t.Errorf("%s: %d of %d rows, so the filter shows nothing", name, len(want), len(rows))
		}
	}
	for _, label := range []string{"Em construção", "Pré-lançamento", "Lançamento"} {
		for _, p := range all(t, s, "construction_stage", label) {
			if p.Stage != label && p.Stage != "" {
				t.Errorf("%s: %s", label, p.Stage)
			}
		}
	}
	ignoring := New(Options{Size: 2000, Seed: 3, NoUpdates: true})
	if n := list(t, ignoring, "last_updates", "2025-11-03,2025-11-03").Total; n != 2000 {
		t.Errorf("a filter that is ignored lets %d through", n)
	}
}

// The days of last_updates are São Paulo's, from midnight to midnight.
func TestUpdatesAtMidnight(t *testing.T) {
	for at, day := range map[string]string{
		"2025-11-04T02:59:59Z": "2025-11-03", "2025-11-04T03:00:00Z": "2025-11-04",
		"2025-11-03T03:00:00Z": "2025-11-03", "2025-11-03T02:59:59Z": "2025-11-02",
	} {
		newest, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		s := New(Options{Size: 2, Newest: newest}) // the second row has the newest time
		for _, asked := range []string{"2025-11-02", "2025-11-03", "2025-11-04"} {
			found := came(list(t, s, "last_updates", asked+","+asked).Data)[strconv.Itoa(propertyID(1))]
			if (found == 1) != (asked == day) {
				t.Errorf("%s, asked for %s: %d", at, asked, found)
			}
		}
	}
}

func TestCities(t *testing.T) {
	s := New(Options{Size: 3000})
	var ufs []string
	for page := 1; page <= 2; page++ {
		_, body := get(t, s, root+"/cities", "page", strconv.Itoa(page))
		var e struct {
			Total, LastPage int
			Data            []struct {
				UF, Name string
				Cities   []struct {
					ID            int
					Name          string
					Neighborhoods []struct {
						ID   int
						Name string
					}
				}
			}
		}
		if err := json.Unmarshal(body, &e); err != nil || e.Total != 27 || e.LastPage != 2 {
			t.Fatalf("%v: %s", err, body)
		}
		for _, row := range e.Data {
			ufs = append(ufs, row.UF)
			if row.Name == "" || len(row.Cities) == 0 || row.Cities[0].ID == 0 || len(row.Cities[0].Neighborhoods) == 0 {
				t.Errorf("%+v", row)
			}
		}
	}
	count := map[string]int{}
	for _, uf := range ufs {
		count[uf]++
	}
	if err := s.Expect()["cities"].Full.Compare(count); err != nil || ufs[0] != "sc" {
		t.Errorf("%v: %v", ufs, err)
	}
}
