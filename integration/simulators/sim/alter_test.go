package sim

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// shelf is an API with one listing of rows 1 to 5, two per page.
type shelf struct{ fake }

func (shelf) Listing(r *http.Request) (Listing, bool) {
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	return Listing{
		Name: "shelf", Page: page, Size: 2, Key: "id", Form: Form{List: "rows", Total: "total", Last: "last", Echo: "page"},
		At: func(page int) *http.Request {
			return httptest.NewRequestWithContext(r.Context(), http.MethodGet, "/?page="+strconv.Itoa(page), nil)
		},
	}, err == nil
}

func (shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		_, _ = fmt.Fprint(w, `{"detail":"ação"}`)
		return
	}
	var rows []string
	for id := page*2 - 1; id <= min(page*2, 5); id++ {
		rows = append(rows, fmt.Sprintf(`{"id":%d,"text":"ação"}`, id))
	}
	_, _ = fmt.Fprintf(w, `{"last":3,"page":%d,"rows":[%s],"total":5}`, page, strings.Join(rows, ","))
}

// pageFaultTest describes faults and their effect.
type pageFaultTest struct {
	faults []PageFault
	asked  []int // the pages, one after the other
	want   string
	must   []string // the rows that were in it all the time; nil for all
}

func pageFaultTests() map[string]pageFaultTest {
	row := func(id string) string { return `{"id":` + id + `,"text":"ação"}` }
	page := func(n, total, last string, ids ...string) string {
		for i, id := range ids {
			ids[i] = row(id)
		}
		return fmt.Sprintf(`{"last":%s,"page":%s,"rows":[%s],"total":%s}`, last, n, strings.Join(ids, ","), total)
	}
	return map[string]pageFaultTest{
		"none":       {nil, []int{2}, page("2", "5", "3", "3", "4"), nil},
		"past end":   {nil, []int{9}, page("9", "5", "3"), nil},
		"removed":    {[]PageFault{Once(1, Removed())}, []int{1, 1, 2}, page("2", "4", "2", "4", "5"), []string{"2", "3", "4", "5"}},
		"replaced":   {[]PageFault{Once(1, Replaced())}, []int{1, 3}, page("3", "5", "3", "1900000001"), []string{"2", "3", "4", "5"}},
		"added":      {[]PageFault{Once(1, Added())}, []int{1, 2}, page("2", "6", "3", "2", "3"), nil},
		"restless":   {[]PageFault{Restless()}, []int{1, 1, 1}, page("1", "5", "3", "1900000001", "2"), []string{"2", "3", "4", "5"}},
		"filtered":   {[]PageFault{On(2, Filtered())}, []int{2}, page("2", "5", "3", "3"), []string{"1", "2", "3", "5"}},
		"capped":     {[]PageFault{Capped(1)}, []int{2}, page("2", "5", "5", "2"), nil},
		"empty":      {[]PageFault{Once(2, Empty())}, []int{2}, page("2", "5", "3"), nil},
		"empty once": {[]PageFault{Once(2, Empty())}, []int{2, 2}, page("2", "5", "3", "3", "4"), nil},
		"stale":      {[]PageFault{Times(1, Stale())}, []int{2}, page("1", "5", "3", "1", "2"), nil},
		"stale once": {[]PageFault{Times(1, Stale())}, []int{2, 2}, page("2", "5", "3", "3", "4"), nil},
		"full, and the last again": {[]PageFault{Full(), LastAgain()}, []int{1, 8}, page("8", "4", "2", "3", "4"),
			[]string{"1", "2", "3", "4"}},
		"the first again": {[]PageFault{FirstAgain(), Promise(90)}, []int{4}, page("4", "95", "3", "1", "2"), nil},
		"instead":         {[]PageFault{Once(1, Instead(200, "null"))}, []int{1}, "null", nil},
		"instead of none": {[]PageFault{PastEnd(Instead(404, "gone"))}, []int{4}, "gone", nil},
		"HTML":            {[]PageFault{HTML(404)}, []int{1}, "<!DOCTYPE html><html><body>Not Found</body></html>", nil},
		"total":           {[]PageFault{Totals(`"many"`), Lasts("10000000")}, []int{3}, page("3", `"many"`, "10000000", "5"), nil},
		"text total":      {[]PageFault{TextTotal()}, []int{3}, page("3", `"5"`, "3", "5"), nil},
		"no total":        {[]PageFault{Totals("")}, []int{3}, `{"last":3,"page":3,"rows":[` + row("5") + `]}`, nil},
		"keyless":         {[]PageFault{Keyless(1)}, []int{1}, page("1", "5", "3", "null", "2"), []string{"2", "3", "4", "5"}},
		"control": {[]PageFault{Written("text", "\"a\tb\"")}, []int{3},
			"{\"last\":3,\"page\":3,\"rows\":[{\"id\":5,\"text\":\"a\tb\"}],\"total\":5}", nil},
		"deep": {[]PageFault{Written("text", Deep(2))}, []int{3}, `{"last":3,"page":3,"rows":[{"id":5,"text":[[]]}],"total":5}`, nil},
		"encoded": {[]PageFault{Encoded("; charset=x", func(text string) []byte { return []byte(strings.ToUpper(text)) })}, []int{3},
			strings.ToUpper(page("3", "5", "3", "5")), nil},
	}
}

func TestPageFaults(t *testing.T) {
	for name, test := range pageFaultTests() {
		t.Run(name, func(t *testing.T) {
			g := NewGate(shelf{}, Behaviour{Alter: InPages("shel", test.faults...)})
			var got string
			for _, n := range test.asked {
				answer, _ := ask(t, g, "/?page="+strconv.Itoa(n))
				got = answer.Body.String()
			}
			if got != test.want {
				t.Errorf("page %d is\n%s, want\n%s", test.asked[len(test.asked)-1], got, test.want)
			}
			if test.must == nil {
				test.must = []string{"1", "2", "3", "4", "5"}
			}
			listed := g.Listed("shelf")
			if must := slices.Sorted(maps.Keys(listed.Must)); !slices.Equal(must, test.must) || listed.Requests != len(test.asked) || listed.Pages != 3 {
				t.Errorf("known are %v, %d requests, %d pages", must, listed.Requests, listed.Pages)
			}
		})
	}
}

// TestAlter checks that status and Content-Type are sent as altered, and an answer that is not a page of the listing is sent unchanged.
func TestAlter(t *testing.T) {
	g := NewGate(shelf{}, Behaviour{Gzip: true, Alter: InPages("shelf", HTML(404))})
	answer, _ := ask(t, g, "/?page=1")
	if answer.Code != http.StatusNotFound || !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/html") {
		t.Errorf("%d %v", answer.Code, answer.Header())
	}
	if answer, _ := ask(t, g, "/"); answer.Body.String() != `{"detail":"ação"}` || answer.Code != http.StatusOK {
		t.Errorf("what is no page is %d %s", answer.Code, answer.Body)
	}
	g = NewGate(shelf{}, Behaviour{Alter: InPages("others", HTML(404))})
	if answer, _ := ask(t, g, "/?page=1"); answer.Code != http.StatusOK {
		t.Errorf("another listing has %d", answer.Code)
	}
	attempts := 0
	g = NewGate(fake{}, Behaviour{Alter: func(a *Answer) {
		if attempts = a.Attempt; a.Page() != nil {
			t.Error("a simulator without listings has a page")
		}
		a.Replace(http.StatusTeapot, "tea")
	}})
	_, _ = ask(t, g, "/a?page=1")
	answer, _ = ask(t, g, "/a?page=1")
	if answer.Code != http.StatusTeapot || answer.Body.String() != "tea" || attempts != 2 {
		t.Errorf("%d %s after %d", answer.Code, answer.Body, attempts)
	}
}
