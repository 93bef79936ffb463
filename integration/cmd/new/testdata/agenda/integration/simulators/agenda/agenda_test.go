package agenda

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// get asks for an address with a key.
func get(t *testing.T, to http.Handler, uri, key string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, uri, nil)
	r.Header.Set("X-Api-Key", key)
	w := httptest.NewRecorder()
	to.ServeHTTP(w, r)
	return strconv.Itoa(w.Code) + " " + w.Body.String()
}

// What the documentation allows is answered, and nothing else.
func TestStrict(t *testing.T) {
	s, err := open(Options{Size: 3, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	for uri, want := range map[string]string{
		"/v2/visits?cursor=" + cursor(3):            `200 {"next":null,"visits":[]}`,
		"/v2/visits?changed_after=2026-01-01+00:00": `200 {"next":null,"visits":[]}`,
		"/v2/visits?changed_after=2026-01-01":       `400 {"error":"changed_after cannot be \"2026-01-01\""}`,
		"/v2/visits?cursor=3":                       `400 {"error":"cursor cannot be \"3\""}`,
		"/v2/visits?limit=5":                        `400 {"error":"there is no parameter limit"}`,
		"/v2/visits/v-1/notes":                      `200 {"notes":[{"number":1,"text":"Note 1 of edition 0"}]}`,
		"/v2/visits/v-4/notes":                      `404 {"error":"no such visit"}`,
		"/v1/visits":                                `404 {"error":"Not Found"}`,
	} {
		if got := get(t, s, uri, "k"); got != want {
			t.Errorf("%s: %s, want %s", uri, got, want)
		}
	}
	if got, want := get(t, s, "/v2/visits", "K"), `401 {"error":"the key is not known"}`; got != want {
		t.Errorf("with another key: %s, want %s", got, want)
	}
}

// A page is the same after it was taken apart as the gate does to alter it, and all rows are known from any page.
func TestListing(t *testing.T) {
	s, err := open(Options{Size: 25, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	gate := sim.NewGate(s, sim.Behaviour{Alter: sim.InPages("")})
	for _, uri := range []string{"/v2/visits", "/v2/visits?cursor=" + cursor(20), "/v2/visits?changed_after=2025-01-02+00:00"} {
		if right, altered := get(t, s, uri, "k"), get(t, gate, uri, "k"); right != altered || !strings.Contains(right, `"id":"v-`) {
			t.Errorf("%s: %s, altered %s", uri, right, altered)
		}
	}
	if n := len(gate.Listed("GET /v2/visits").Must); n != 25 {
		t.Errorf("%d rows are known, want 25", n)
	}
}

func TestChange(t *testing.T) {
	now := time.Date(2026, 1, 1, 3, 0, 0, 0, time.UTC)
	s, err := open(Options{Size: 10, Key: "k", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	s.Change(3, 1)
	e := s.Expect()
	if len(e["visits"].Full.Must) != 10 || len(e["visits"].Next.Must) != 3 {
		t.Errorf("%+v; want 10 visits in all, 3 of them in the next sync", e["visits"])
	}
	if n := strings.Count(get(t, s, "/v2/visits?changed_after=2026-01-01+00:00", "k"), `"id"`); n != 3 {
		t.Errorf("%d visits changed, want 3", n)
	}
}
