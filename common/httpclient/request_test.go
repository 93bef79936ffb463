package httpclient

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"testing/synctest"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/record"
)

func TestWithLeavesTheOriginal(t *testing.T) {
	original := func() Request {
		return Request{
			Path:   "/p/{id}/x",
			Header: http.Header{"A": {"1"}},
			Query:  url.Values{"q": {"1"}},
			Body:   map[string]any{"deep": map[string]any{"a": 1}, "flat": 1},
		}
	}
	r := original()
	got := r.With(Query, "q", 2).With(Query, "page", 10_000_000.0).With(Query, "many", []string{"a", "b"}).With(Header, "b", true).
		With(Body, "deep.a", 2).With(Body, "deep.b.c", "x").With(Body, "flat.n", nil).With(Path, "id", "a/b c")
	want := Request{
		Path:   "/p/a%2Fb%20c/x",
		Header: http.Header{"A": {"1"}, "B": {"true"}},
		Query:  url.Values{"q": {"2"}, "page": {"10000000"}, "many": {"a", "b"}},
		Body: map[string]any{
			"deep": map[string]any{"a": 2, "b": map[string]any{"c": "x"}},
			"flat": map[string]any{"n": nil},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if !reflect.DeepEqual(r, original()) {
		t.Errorf("the original changed: %+v", r)
	}
	id := record.Record(`{"id":12345678901234567890}`).Get("id")
	if got := (Request{Path: "/{id}/{no}"}).With(Path, "id", id).With(Path, "no", nil).Path; got != "/12345678901234567890/" {
		t.Errorf("path %s", got)
	}
	got = Request{}.With(Query, "a", "1").With(Header, "b", 2).With(Query, "a", nil).With(Header, "b", nil).With(Body, "c", 3)
	if len(got.Query) != 0 || len(got.Header) != 0 || got.Body["c"] != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestListIsSentInTheOrderOfItsNames(t *testing.T) {
	r := Request{Body: map[string]any{"filters": List{"b": "x > 1"}}}
	changed := r.With(Body, "filters.a", "<first>").With(Body, "filters.c", 3).With(Body, "filters.b", nil)
	for want, r := range map[string]Request{
		`{"filters":["x > 1"]}`: r, `{"filters":["<first>",3]}`: changed, `{"filters":[]}`: {Body: map[string]any{"filters": List{}}},
	} {
		if body, _, err := r.encode(); string(body) != want || err != nil {
			t.Errorf("sent as %s, %v, want %s", body, err, want)
		}
	}
}

func TestFingerprint(t *testing.T) {
	base := Request{Path: "/p", Query: url.Values{"a": {"1"}, "b": {"2"}}, Body: map[string]any{"x": 1, "y": 2}}
	same := Request{Method: "GET", Path: "/p"}.With(Query, "b", 2).With(Query, "a", 1).With(Body, "y", 2).With(Body, "x", 1)
	if base.Fingerprint() != same.Fingerprint() {
		t.Error("two requests that ask the same differ")
	}
	seen := map[string]bool{base.Fingerprint(): true}
	for name, r := range map[string]Request{
		"method": {Method: "POST", Path: base.Path, Query: base.Query, Body: base.Body},
		"path":   {Path: "/q", Query: base.Query, Body: base.Body},
		"query":  base.With(Query, "a", 2),
		"body":   base.With(Body, "x", 2),
		"header": base.With(Header, "Cursor", "n"),
		"odd":    base.With(Body, "x", make(chan int)),
	} {
		if seen[r.Fingerprint()] {
			t.Errorf("%s does not count", name)
		}
		seen[r.Fingerprint()] = true
	}
}

func TestTarget(t *testing.T) {
	tests := []struct {
		base, path string
		query      url.Values
		want       string // "" is an error
	}{
		{"https://h", "", nil, "https://h/"},
		{"https://h", "a/b", nil, "https://h/a/b"},
		{"https://h", "/a%2Fb/c", nil, "https://h/a%2Fb/c"},
		{"https://h", "/a", url.Values{"q": {"ü &"}}, "https://h/a?q=%C3%BC+%26"},
		{"https://h", "/a?z=1&cursor=a%20b", nil, "https://h/a?z=1&cursor=a%20b"},
		{"https://h", "/a?z=1&b=0", url.Values{"b": {"2"}}, "https://h/a?b=2&z=1"},
		{"https://h", "/back?to=http://other/", nil, "https://h/back?to=http://other/"},
		{"https://h", "https://H/next?p=2", nil, "https://h/next?p=2"},
		{"https://h", "http://h/next", nil, "https://h/next"},
		{"https://h", "http://h:80/next", nil, "https://h/next"},
		{"https://h:443", "https://h/next", nil, "https://h:443/next"},
		{"http://localhost:8080", "http://localhost:8080/x", nil, "http://localhost:8080/x"},
		{"https://h", "https://other/next", nil, ""},
		{"https://h", "https://h:444/next", nil, ""},
		{"https://h", "//other/next", nil, ""},
		{"https://h", "/%zz", nil, ""},
	}
	for _, tt := range tests {
		base, err := url.Parse(tt.base)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Request{Path: tt.path, Query: tt.query}.target(base)
		if tt.want == "" {
			if err == nil {
				t.Errorf("%q: got %v, want an error", tt.path, got)
			} else {
				wantFault(t, err, fault.System)
			}
			continue
		}
		if err != nil || got.String() != tt.want {
			t.Errorf("%q: got %v, %v, want %s", tt.path, got, err, tt.want)
		}
	}
}

func TestEncoding(t *testing.T) {
	type sent struct{ method, contentType, accept, own, body, query string }
	tests := map[string]struct {
		r    Request
		want sent
	}{
		"get": {Request{Path: "/x"}, sent{"GET", "", "application/json", "api", "", ""}},
		"json": {
			Request{Method: "POST", Body: map[string]any{"a": "<&>", "n": json.Number("1.50")}},
			sent{"POST", "application/json", "application/json", "api", `{"a":"<&>","n":1.50}`, ""},
		},
		"empty object": {
			Request{Method: "POST", Body: map[string]any{}}, sent{"POST", "application/json", "application/json", "api", `{}`, ""},
		},
		"form": {
			Request{Method: "POST", Form: true, Body: map[string]any{"a": "x y", "n": 5, "l": []string{"1", "2"}}},
			sent{"POST", "application/x-www-form-urlencoded", "application/json", "api", "a=x+y&l=1&l=2&n=5", ""},
		},
		"own headers": {
			Request{
				Method: "PUT", Body: map[string]any{},
				Header: http.Header{"content-type": {"text/json"}, "Accept": {"*/*"}, "own": {"request"}},
			},
			sent{"PUT", "text/json", "*/*", "request", `{}`, ""},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got sent
				c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					h := r.Header
					got = sent{r.Method, h.Get("Content-Type"), h.Get("Accept"), h.Get("Own"), string(body), r.URL.RawQuery}
					good.write(w)
				}, func(o *Options) { o.Header = http.Header{"Own": {"api"}} })
				if _, err := c.Do(t.Context(), tt.r); err != nil {
					t.Fatal(err)
				}
				if got != tt.want {
					t.Errorf("got  %+v\nwant %+v", got, tt.want)
				}
			})
		})
	}
}

func TestRequestsThatCannotBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{good}}
		c, _ := client(t, s.ServeHTTP, nil)
		for name, tt := range map[string]struct {
			r    Request
			kind fault.Kind
		}{
			"body":        {Request{Body: map[string]any{"x": make(chan int)}}, fault.System},
			"method":      {Request{Method: "G T"}, fault.System},
			"other host":  {Request{Path: "https://example.com/"}, fault.System},
			"line breaks": {Request{Header: http.Header{"Token": {"a\nb"}}}, fault.Config},
		} {
			if _, err := c.Do(t.Context(), tt.r); err == nil || fault.Of(err).Kind != tt.kind {
				t.Errorf("%s: %v", name, err)
			}
		}
		if s.count() != 0 {
			t.Error("something was sent")
		}
	})
}
