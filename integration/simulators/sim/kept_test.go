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
