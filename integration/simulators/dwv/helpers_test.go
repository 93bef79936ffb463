package dwv

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

// get asks for a path with query parameters, given as name, value, name, value.
func get(t *testing.T, s *Simulator, path string, query ...string) (status int, body []byte) {
	t.Helper()
	header := http.Header{"Token": {s.Token()}}
	if s.with.Auth == BearerOnly {
		header = http.Header{"Authorization": {"Bearer " + s.Token()}}
	}
	w := simtest.Ask(t, s, http.MethodGet, path+"?"+simtest.Set(query...).Encode(), header, "")
	return w.Code, w.Body.Bytes()
}

// envelope is a page of properties.
type envelope struct {
	Total    int        `json:"total"`
	PerPage  int        `json:"perPage"`
	Page     int        `json:"page"`
	LastPage int        `json:"lastPage"`
	Data     []property `json:"data"`
}

// property is what the tests look at of one.
type property struct {
	ID            int    `json:"id"`
	Title         string `json:"title"`
	Status        string `json:"status"`
	Stage         string `json:"construction_stage"`
	StageRaw      string `json:"construction_stage_raw"`
	LastUpdatedAt string `json:"last_updated_at"`
	Deleted       bool   `json:"deleted"`
	Rent          any    `json:"rent"`
	Unit          *home  `json:"unit"`
	Building      *site  `json:"building"`
	Third         *struct {
		home
		site
	} `json:"third_party_property"`
}

type home struct {
	Price   string `json:"price"`
	Type    string `json:"type"`
	Dorms   *int   `json:"dorms"`
	Suites  *int   `json:"suites"`
	Parking *int   `json:"parking_spaces"`
	Rent    bool   `json:"rent"`
}

type site struct {
	Title         string `json:"title"`
	Address       string `json:"text_address"`
	Incorporation string `json:"incorporation"`
	Place         struct {
		City  string `json:"city"`
		State string `json:"state"`
	} `json:"address"`
}

// parts returns the home and the site, whichever kind of property it is.
func (p property) parts() (home, site) {
	if p.Third != nil {
		return p.Third.home, p.Third.site
	}
	return *p.Unit, *p.Building
}

// list reads a page of properties.
func list(t *testing.T, s *Simulator, query ...string) (e envelope) {
	t.Helper()
	status, body := get(t, s, root, query...)
	if status != http.StatusOK {
		t.Fatalf("%v: status %d: %s", query, status, body)
	}
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatalf("%v: %v", query, err)
	}
	return e
}

// all reads every page.
func all(t *testing.T, s *Simulator, query ...string) (rows []property) {
	t.Helper()
	for page := 1; ; page++ {
		e := list(t, s, append([]string{"limit", "100", "page", strconv.Itoa(page)}, query...)...)
		rows = append(rows, e.Data...)
		if page >= e.LastPage {
			return rows
		}
	}
}

// came counts how often each key is there.
func came(rows []property) map[string]int {
	n := map[string]int{}
	for _, row := range rows {
		n[strconv.Itoa(row.ID)]++
	}
	return n
}

// mustUnmarshal reads what this package wrote.
func mustUnmarshal(value []byte, into any) {
	if err := json.Unmarshal(value, into); err != nil {
		panic(fmt.Sprintf("dwv wrote broken JSON: %v: %s", err, value))
	}
}
