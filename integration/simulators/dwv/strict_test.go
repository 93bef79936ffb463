package dwv

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

func TestAuth(t *testing.T) {
	const token = "t/+="
	right := http.Header{"Token": {token}, "Authorization": {"Bearer " + token}}
	only := func(name string) http.Header { return http.Header{name: right[name]} }
	for name, test := range map[string]struct {
		with   Options
		header http.Header
		text   string // of the 401; empty when it is admitted
	}{
		"token":                   {Options{}, only("Token"), ""},
		"bearer":                  {Options{}, only("Authorization"), ""},
		"both":                    {Options{}, right, ""},
		"none":                    {Options{}, http.Header{}, "não fornecido"},
		"wrong token":             {Options{}, http.Header{"Token": {"x"}}, "invalido"},
		"right token, wrong one":  {Options{}, http.Header{"Token": {token}, "Authorization": {"Bearer x"}}, "invalido"},
		"wrong token, right one":  {Options{}, http.Header{"Token": {"x"}, "Authorization": {"Bearer " + token}}, "invalido"},
		"twice":                   {Options{}, http.Header{"Token": {token, token}}, "invalido"},
		"without Bearer":          {Options{}, http.Header{"Authorization": {token}}, "invalido"},
		"token only, token":       {Options{Auth: TokenOnly}, only("Token"), ""},
		"token only, bearer":      {Options{Auth: TokenOnly}, only("Authorization"), "não fornecido"},
		"bearer only, bearer":     {Options{Auth: BearerOnly}, only("Authorization"), ""},
		"bearer only, token":      {Options{Auth: BearerOnly}, only("Token"), "não fornecido"},
		"both required, one":      {Options{Auth: BothHeaders}, only("Token"), "não fornecido"},
		"both required, both":     {Options{Auth: BothHeaders}, right, ""},
		"1.0.1 knows Bearer only": {Options{Version: Version101}, only("Token"), "não fornecido"},
		"1.0.1":                   {Options{Version: Version101}, right, ""},
	} {
		test.with.Token, test.with.Size = token, 1
		for _, path := range []string{root, root + "/587200", root + "/types", root + "/conditions", root + "/cities"} {
			w := simtest.Ask(t, New(test.with), http.MethodGet, path, test.header, "")
			if test.text == "" {
				if w.Code != http.StatusOK {
					t.Errorf("%s: %s: status %d: %s", name, path, w.Code, w.Body)
				}
				continue
			}
			var body []struct{ Message string }
			err := json.Unmarshal(w.Body.Bytes(), &body)
			if w.Code != http.StatusUnauthorized || err != nil || !strings.Contains(body[0].Message, test.text) {
				t.Errorf("%s: %s: status %d: %s", name, path, w.Code, w.Body)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	s, old := New(Options{Size: 10}), New(Options{Size: 10, Version: Version101})
	for _, test := range []struct {
		s      *Simulator
		path   string // below root, with its query
		status int
	}{
		{s, "", 200}, {s, "/", 404}, {s, "x", 404}, {s, "/587200/x", 404}, {s, "/587200/", 404},
		{s, "/587200", 200}, {s, "/999999999", 404}, {s, "/1", 404}, {s, "/abc", 400}, {s, "/587200?x=1", 400},
		{s, "/avaliable_fields", 200}, {old, "/avaliable_fields", 400},
		{s, "/types?limit=1", 400}, {s, "/conditions?page=1", 400}, {s, "/cities?limit=1&page=1", 200}, {s, "/cities?search=x", 400},
		{s, "?limit=0", 400}, {s, "?limit=-1", 400}, {s, "?limit=a", 400}, {s, "?limit=%2B5", 400},
		{s, "?limit=5&limit=5", 400}, {s, "?limit=", 400},
		{s, "?page=0", 400}, {s, "?page=1.0", 400}, {s, "?page=99", 200}, {s, "?page=99999999999", 400},
		{s, "?per_page=x", 200}, {s, "?perPage=5", 400},
		{s, "?Limit=5", 400}, {s, "?unknown=1", 400}, {s, "?search=", 400}, {s, "?%zz", 400},
		{s, "?last_updates=2020-10-25,2020-10-28", 200}, {s, "?last_updates=2020-10-25,2020-10-25", 200},
		{s, "?last_updates=25/10/2020,28/10/2020", 400}, {s, "?last_updates=2020-10-25", 400}, {s, "?last_updates=2020-10-25,", 400},
		{s, "?last_updates=2020-10-28,2020-10-25", 400}, {s, "?last_updates=2020-10-25,2020-10-28,2020-10-29", 400},
		{s, "?last_updates=2020-10-25T00:00:00,2020-10-28", 400}, {s, "?last_updates=2020-02-30,2020-03-01", 400},
		{s, "?bedrooms=1,3%2B", 200}, {s, "?bedrooms=1,3+", 400}, {s, "?bedrooms=a", 400},
		{s, "?bedrooms=1,", 400}, {s, "?unit_suites=%2B3", 400},
		{s, "?unit_parking_spaces=0", 200}, {s, "?property_condition=old", 400}, {s, "?types=apartment", 200}, {s, "?types=apartment,house", 400},
		{s, "?types=Apartamento", 400}, {s, "?status=active", 200}, {s, "?status=deleted", 400},
		{s, "?deleted=true", 200}, {s, "?deleted=1", 400},
		{s, "?deleted=True", 400}, {s, "?rent=false", 200}, {s, "?rent=no", 400},
		{s, "?construction_stage=Em%20constru%C3%A7%C3%A3o", 200}, {s, "?construction_stage=under%20construction", 400},
		{s, "?construction_stage_raw=under%20construction", 200}, {s, "?construction_stage_raw=under_construction", 400},
		{s, "?construction_stage_raw=pre-market", 200}, {s, "?incorporation=r32", 200},
		{old, "?construction_stage=under%20construction", 200}, {old, "?construction_stage=Em%20constru%C3%A7%C3%A3o", 400},
		{old, "?construction_stage=pre-market", 400}, {old, "?construction_stage_raw=new", 400},
		{old, "?incorporation=r32", 400}, {old, "?fields=[]", 400},
		{s, `?fields=["id","title",{"building":["title",{"gallery":["url"]}]}]`, 200},
		{s, `?fields=["building"]`, 400}, {s, `?fields=["nothing"]`, 400},
		{s, `?fields=[{"unit":["features"]}]`, 400}, {s, `?fields=[{"title":["x"]}]`, 400}, {s, `?fields=[]`, 400}, {s, `?fields=id`, 400},
		{s, `?fields=[{"unit":[]}]`, 400}, {s, `?fields=[1]`, 400},
	} {
		header := http.Header{"Authorization": {"Bearer " + test.s.Token()}}
		w := simtest.Ask(t, test.s, http.MethodGet, root+test.path, header, "")
		if w.Code != test.status || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s of %s: status %d, want %d: %s", test.path, test.s.with.Version, w.Code, test.status, w.Body)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodHead, http.MethodPut, http.MethodDelete} {
		w := simtest.Ask(t, s, method, root, http.Header{"Token": {s.Token()}}, "")
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET" {
			t.Errorf("%s: status %d", method, w.Code)
		}
	}
	if w := simtest.Ask(t, s, http.MethodGet, "/", http.Header{"Token": {s.Token()}}, ""); w.Code != http.StatusNotFound {
		t.Errorf("/: status %d", w.Code)
	}
}

// The texts are those of the document's samples.
func TestErrorBodies(t *testing.T) {
	s := New(Options{Size: 1})
	for status, want := range map[int]string{
		401: `[{"message":"Token que foi fornecido é invalido"}]`, 429: `{"message":"Too Many Attempts"}`, 404: `{"message":"Not Found"}`,
	} {
		w := httptest.NewRecorder()
		s.Error(w, status, "")
		if w.Code != status || w.Body.String() != want {
			t.Errorf("%d: %d %s", status, w.Code, w.Body)
		}
	}
}

func TestAuxiliaryLists(t *testing.T) {
	for _, enveloped := range []bool{false, true} {
		s := New(Options{Size: 1, Enveloped: enveloped})
		for path, want := range map[string][]string{"/types": tags(types()), "/conditions": {"new", "used"}} {
			_, body := get(t, s, root+path)
			var rows []label
			var err error
			if enveloped {
				var e struct{ Data []label }
				err = json.Unmarshal(body, &e)
				rows = e.Data
			} else {
				err = json.Unmarshal(body, &rows)
			}
			if err != nil || !slices.Equal(tags(rows), want) || rows[0].Name == "" {
				t.Errorf("%s: %v: %s", path, err, body)
			}
		}
	}
}

func TestFields(t *testing.T) {
	s := New(Options{Size: 20})
	_, body := get(t, s, root+"/avaliable_fields")
	var names []string
	if err := json.Unmarshal(body, &names); err != nil || !slices.Contains(names, "id") || !slices.Contains(names, "last_updated_at") {
		t.Errorf("%v: %s", err, body)
	}
	_, body = get(t, s, root, "fields", `["id",{"building":["title",{"gallery":["url"]}]}]`)
	var e struct{ Data []map[string]json.RawMessage }
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatal(err)
	}
	buildings := 0
	for _, row := range e.Data {
		if len(row) != 2 {
			t.Errorf("%d fields: %s", len(row), row)
		}
		if string(row["building"]) == "null" {
			continue
		}
		var b map[string]any
		if err := json.Unmarshal(row["building"], &b); err != nil || len(b) != 2 || b["title"] == "" {
			t.Errorf("%v: %s", err, row["building"])
		}
		buildings++
	}
	if len(e.Data) != 20 || buildings == 0 || strings.Contains(string(body), "sizes") {
		t.Errorf("%d rows, %d buildings: %s", len(e.Data), buildings, body)
	}
}
