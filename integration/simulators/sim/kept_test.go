package sim

import (
	"fmt"
	"net/http"
	"testing"
)

// counting is an API whose answers say how many there were before.
type counting struct {
	fake
	asked *int
}

func (c counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	*c.asked++
	if r.URL.Path == "/bad" {
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = fmt.Fprint(w, *c.asked)
}

// placed is counting with one listing, which /b begins and /more continues.
type placed struct{ counting }

func (placed) Place(r *http.Request) (listing string, further bool) {
	if r.URL.Path == "/a" {
		return "", false
	}
	return "b", r.URL.Path == "/more"
}

// TestKeepPlaces checks that each page of a listing whose place the API keeps is kept separately.
func TestKeepPlaces(t *testing.T) {
	gate, got := NewGate(placed{counting{asked: new(int)}}, Behaviour{Keep: 100}), ""
	for _, path := range []string{"/a", "/b", "/more", "/more", "/a", "/b", "/more", "/more", "/more"} {
		answer, _ := ask(t, gate, path)
		got += answer.Body.String()
	}
	if got != "123412345" {
		t.Errorf("the answers are %s", got)
	}
}

func TestKeep(t *testing.T) {
	for _, test := range []struct {
		keep int64
		want string
	}{{0, "12345"}, {2, "11233"}, {1, "11234"}} {
		gate, got := NewGate(counting{asked: new(int)}, Behaviour{Keep: test.keep}), ""
		for _, path := range []string{"/a", "/a", "/bad", "/b", "/b"} {
			answer, _ := ask(t, gate, path)
			got += answer.Body.String()
		}
		if got != test.want || gate.Stats().Requests != 5 {
			t.Errorf("with room for %d the answers are %s, want %s", test.keep, got, test.want)
		}
	}
}
