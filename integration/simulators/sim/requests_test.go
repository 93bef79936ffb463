package sim

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRequests(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/x?page=3&size=5", strings.NewReader("body"))
	for range 2 {
		if got := string(Body(r)); got != "body" {
			t.Errorf("the body is %q", got)
		}
	}
	other := Turn(WithBody(r, []byte("other")), "page", 2)
	body, err := io.ReadAll(other.Body)
	if err != nil || string(body) != "other" || other.ContentLength != 5 || other.URL.RawQuery != "page=2&size=5" || r.URL.RawQuery != "page=3&size=5" {
		t.Errorf("%v, %q, %v, %v", err, body, other.URL, r.URL)
	}
	if !Same("a", "a") || Same("a", "b") || Same("", "b") {
		t.Error("credentials are mistaken")
	}
}

func TestBounds(t *testing.T) {
	for _, test := range []struct{ page, size, total, from, to int }{
		{1, 20, 45, 0, 20}, {3, 20, 45, 40, 45}, {4, 20, 45, 45, 45}, {math.MaxInt32, 100, 45, 45, 45}, {1, 20, 0, 0, 0}, {2, 20, 40, 20, 40},
	} {
		if from, to := Bounds(test.page, test.size, test.total); from != test.from || to != test.to {
			t.Errorf("%+v: %d to %d", test, from, to)
		}
	}
}
