package listing_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/internal/memnet"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// The tests of this file check the promise of package listing: a listing that is Done without a warning has every row.

// old is a row that changed long ago: the clock of a synctest bubble begins in 2000.
func old(id int) string { return fmt.Sprintf(`{"id":%d,"at":"1999-01-01T00:00:00Z"}`, id) }

// olds returns several such rows.
func olds(from, to int) (rows []string) {
	for id := from; id <= to; id++ {
		rows = append(rows, old(id))
	}
	return rows
}

// clocked is a listing of numbered pages of rows with times of change.
func clocked(p pagination.Number) listing.Listing {
	l := numbered(p)
	l.Clock = &listing.Clock{Field: "at", Zone: time.UTC}
	return l
}

// told fails if the listing is done without a warning although a row is missing.
func (r *result) told(t *testing.T, want []string) {
	t.Helper()
	missing := r.missing(want)
	if r.end.Kind == listing.Done && !r.warned() && len(missing) > 0 {
		t.Errorf("complete without a word, and without %d rows: %v; logged: %q", len(missing), missing, r.logged)
	}
}

// withRows returns an answer with other rows.
func withRows(good string, rows []string) string {
	head, _, _ := strings.Cut(good, "[")
	return head + "[" + strings.Join(rows, ",") + "]}"
}

// body is an answer.
func body(total int, rows []string) string {
	return fmt.Sprintf(`{"total":%d,"rows":[%s]}`, total, strings.Join(rows, ","))
}

// TestStaleFirstPage has page 1 come from a cache of an earlier state in every reading: since then five rows have been added at the front.
func TestStaleFirstPage(t *testing.T) {
	for name, p := range map[string]pagination.Number{
		"reliable": {Size: 10, Rows: "total"}, "exact unsure": {Size: 10, Rows: "total", Exact: true, Unsure: true},
	} {
		for _, dated := range []bool{true, false} {
			t.Run(fmt.Sprint(name, dated), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := &api{rows: olds(1, 95), total: exactly}
					stale := body(90, a.rows[5:15])
					a.page = func(_ *api, n int, good string) string {
						if n == 1 {
							return stale
						}
						return good
					}
					l := clocked(p)
					if !dated {
						l.Clock = nil
					}
					read(t, a, l).told(t, ids(1, 95))
				})
			})
		}
	}
}

// TestReplicas has answers come randomly from two replicas, one of which lags behind.
func TestReplicas(t *testing.T) {
	for seed := range 100 {
		sub(t, fmt.Sprint(seed), func(t *testing.T) {
			chance := dice(seed)
			now, lag := olds(1, 95), olds(6, 95)
			a := &api{rows: now, total: exactly}
			a.before = func(a *api, n int) {
				if a.rows = now; chance.IntN(2) == 0 {
					a.rows = lag
				}
			}
			read(t, a, clocked(pagination.Number{Size: 10, Rows: "total"})).told(t, ids(1, 95))
		})
	}
}

// TestAPageThatIsNeverRightWhileRowsCome has one page be refused, short or another page in every reading, while one row is added in each. That the
// listing changes hides the wrong page.
func TestAPageThatIsNeverRightWhileRowsCome(t *testing.T) {
	for _, how := range []string{"refused", "another's", "short"} {
		for name, p := range map[string]pagination.Number{
			"none": {Size: 10, Caps: []int{5}}, "unsure": {Size: 10, Rows: "total", Exact: true, Unsure: true}, "reliable": {Size: 10, Rows: "total"},
		} {
			for _, come := range []bool{true, false} {
				t.Run(fmt.Sprint(how, " ", name, " ", come), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						a := &api{rows: olds(1, 95), pause: time.Second}
						if p.Rows != "" {
							a.total = exactly
						}
						next := 1000
						a.page = func(a *api, n int, good string) string {
							if n == 7 && how == "another's" {
								return withRows(good, a.rows[20:30])
							}
							if n == 5 && how == "short" {
								return good[:strings.LastIndex(good, `,{`)] + "]}"
							}
							return good
						}
						h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							if r.URL.Query().Get("page") == "7" && how == "refused" {
								a.mu.Lock()
								a.asked = append(a.asked, "refused 7")
								a.mu.Unlock()
								w.WriteHeader(403)
								return
							}
							if r.URL.Query().Get("page") == "9" && come { // a row is added in the middle of each reading, at the end of the listing
								a.mu.Lock()
								a.rows = append(slices.Clone(a.rows), fmt.Sprintf(`{"id":%d,"at":%q}`, next, time.Now().UTC().Format(time.RFC3339)))
								next++
								a.mu.Unlock()
							}
							a.ServeHTTP(w, r)
						})
						read(t, h, clocked(p)).told(t, ids(1, 95))
					})
				})
			}
		}
	}
}

// TestARowOfTheFuture has a row that seems to change in every reading: it must not hide a page that is another, nor be a failure if all is well.
func TestARowOfTheFuture(t *testing.T) {
	for name, p := range map[string]pagination.Number{
		"none": {Size: 10, Caps: []int{5}}, "unsure": {Size: 10, Rows: "total", Exact: true, Unsure: true}, "reliable": {Size: 10, Rows: "total"},
	} {
		for _, how := range []string{"honest", "another's"} {
			t.Run(name+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := &api{rows: olds(1, 95)}
					a.rows[94] = fmt.Sprintf(`{"id":95,"at":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
					if p.Rows != "" {
						a.total = exactly
					}
					a.page = func(a *api, n int, good string) string {
						if n == 7 && how == "another's" {
							return withRows(good, a.rows[20:30])
						}
						return good
					}
					r := read(t, a, clocked(p))
					r.told(t, ids(1, 95))
					if how == "honest" && r.end.Kind != listing.Done {
						t.Errorf("it failed: %v", r.end.Err)
					}
				})
			})
		}
	}
}

// TestAtOnceRefused has the answer with all rows be refused for one list of many, after others were answered so: that is no empty list.
func TestAtOnceRefused(t *testing.T) {
	all := pagination.AtOnce{Number: pagination.Number{Param: "page", Start: 1, Size: 20, Caps: []int{5, 10}}, All: -1}
	for _, status := range []int{400, 401, 402, 403, 404, 409, 422} {
		for _, missing := range []bool{true, false} {
			sub(t, fmt.Sprint(status, missing), func(t *testing.T) {
				log := &lines{}
				revoked := false
				r := reader(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					if revoked {
						w.WriteHeader(status)
						return
					}
					rows, page := made(12), req.URL.Query().Get("page")
					n, _ := strconv.Atoi(page)
					if page != "-1" {
						rows = rows[min(len(rows), (n-1)*5):min(len(rows), n*5)]
					}
					_, _ = w.Write([]byte(`[` + strings.Join(rows, ",") + `]`))
				}), log)
				for _, path := range []string{"/a", "/b", "/c"} {
					l := listing.Listing{
						Name: "things", Request: httpclient.Request{Path: path}, Key: []string{"id"}, Child: true, Missing: missing,
						Ways: []listing.Way{{Pages: all}},
					}
					revoked = path == "/c"
					got := readWith(t, r, l, log)
					got.told(t, ids(1, 12))
				}
			})
		}
	}
}

// TestAPageThatIsAlwaysShort has one page always lack a row, and no number tells that.
func TestAPageThatIsAlwaysShort(t *testing.T) {
	for _, k := range []int{1, 2, 5} {
		for name, p := range map[string]pagination.Number{"caps": {Size: 10, Caps: []int{5}}, "nothing known": {Size: 10}} {
			t.Run(fmt.Sprint(name, " page ", k), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := &api{rows: made(95)}
					a.page = func(_ *api, n int, good string) string {
						if n == k {
							return good[:strings.LastIndex(good, ",")] + "]}"
						}
						return good
					}
					read(t, a, numbered(p)).told(t, ids(1, 95))
				})
			})
		}
	}
}

// TestANumberThatIsThePages has a number that counts the rows of its page, and page 2 come empty, once or always.
func TestANumberThatIsThePages(t *testing.T) {
	for _, size := range []pagination.Number{{Size: 10, Rows: "total", Unsure: true, Exact: true}, {Size: 10, Rows: "total", Unsure: true}} {
		for _, times := range []int{1, 1 << 30} {
			for _, empty := range []string{`{"total":0,"rows":[]}`, `{"total":35,"rows":[]}`} {
				sub(t, fmt.Sprint(size.Exact, times, empty), func(t *testing.T) {
					a := &api{rows: made(35)}
					left := times
					a.page = func(_ *api, n int, good string) string {
						if n == 2 && left > 0 {
							left--
							return empty
						}
						return fmt.Sprintf(`{"total":%d,%s`, strings.Count(good, `"id"`), good[1:])
					}
					read(t, a, numbered(size)).told(t, ids(1, 35))
				})
			}
		}
	}
}

// TestANumberThatIsTooSmall has a number that is smaller than what came.
func TestANumberThatIsTooSmall(t *testing.T) {
	for _, total := range []string{"4", "9", "25", "35"} {
		for name, p := range map[string]pagination.Number{"reliable": {Size: 10, Rows: "total"}, "exact": {Size: 10, Rows: "total", Exact: true}} {
			t.Run(total+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := &api{rows: made(35), total: func(int) string { return total }}
					read(t, a, numbered(p)).told(t, ids(1, 35))
				})
			})
		}
	}
}

// TestPagesThatAreCountedAndNotThere has the API count ten pages, the last of which are always empty or another page.
func TestPagesThatAreCountedAndNotThere(t *testing.T) {
	for _, from := range []int{2, 8, 9, 10} {
		for _, how := range []string{`{"last":10,"rows":[]}`, ""} {
			sub(t, fmt.Sprint(from, how), func(t *testing.T) {
				a := &api{rows: made(95)}
				a.page = func(a *api, n int, good string) string {
					if n >= from && how != "" {
						return how
					}
					if n >= from {
						return `{"last":10,"rows":[` + strings.Join(a.rows[:10], ",") + `]}`
					}
					return `{"last":10,` + good[1:]
				}
				read(t, a, numbered(pagination.Number{Size: 10, Last: "last"})).told(t, ids(1, 95))
			})
		}
	}
}

// TestAListingThatIsLookedAtAgain adds a row to the last page of a listing whose number does not tell that.
func TestAListingThatIsLookedAtAgain(t *testing.T) {
	for name, total := range map[string]func(int) string{
		"half": func(rows int) string { return strconv.Itoa(rows / 2) }, "capped": func(rows int) string { return strconv.Itoa(min(rows, 50)) },
		"exact": exactly,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &lines{}
				a := &api{rows: made(94), total: total}
				r := reader(t, a, log)
				l := numbered(pagination.Number{Size: 10, Rows: "total", Unsure: true, Exact: true})
				l.Seen = listing.NewSeen(false)
				one := readWith(t, r, l, log)
				one.told(t, ids(1, 94))
				a.rows = made(95)
				l.Had = one.end.Rows
				two := readWith(t, r, l, log)
				two.told(t, ids(95, 95))
			})
		})
	}
}

// TestPagesThatBecomeTooLarge has pages behind the first ones be too large, as a 4xx that the connector recognizes says.
func TestPagesThatBecomeTooLarge(t *testing.T) {
	for _, status := range []int{400, 413, 500} {
		for name, p := range map[string]pagination.Number{
			"none": {Size: 10, Caps: []int{5}}, "unsure": {Size: 10, Rows: "total", Exact: true, Unsure: true}, "reliable": {Size: 10, Rows: "total"},
		} {
			t.Run(fmt.Sprint(status, name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					log := &lines{}
					a := &api{rows: made(95)}
					if p.Rows != "" {
						a.total = exactly
					}
					r := reader(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
						n, _ := strconv.Atoi(req.URL.Query().Get("page"))
						size, _ := strconv.Atoi(req.URL.Query().Get("size"))
						if size > 5 && n >= 8 && n <= 10 {
							w.WriteHeader(status)
							_, _ = w.Write([]byte(`{"wrong":"too large"}`))
							return
						}
						a.ServeHTTP(w, req)
					}), log)
					r.TooLarge = func(resp *httpclient.Response) (int, bool) { return 0, resp.Body.Get("wrong").Text() == "too large" }
					got := readWith(t, r, numbered(p), log)
					got.told(t, ids(1, 95))
					if got.end.Kind != listing.Done {
						t.Errorf("it failed: %v", got.end.Err)
					}
				})
			})
		}
	}
}

// TestPartsThatAreNone has the rest of a list be missing, or repeat the part before it.
func TestPartsThatAreNone(t *testing.T) {
	for _, total := range []string{"", "total"} {
		for _, part := range []string{`{"error":"internal"}`, `{}`, `[]`, `{"list":null,"done":true}`, `{"list":[1,2,3],"done":true,"total":6}`} {
			sub(t, total+part, func(t *testing.T) {
				log := &lines{}
				r := reader(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					if req.URL.Path == "/next" {
						_, _ = w.Write([]byte(part))
						return
					}
					_, _ = w.Write([]byte(`{"rows":[{"id":1,"in":{"list":[1,2,3],"done":false,"next":"/next","total":6}}]}`))
				}), log)
				l := numbered(pagination.Number{})
				l.Ways = nil
				l.Partial = &listing.Partial{Member: "in", Rows: "list", Done: "done", Next: "next", Total: total}
				pages, end := r.Read(t.Context(), l)
				for page := range pages {
					for _, row := range page.Rows {
						t.Errorf("a part is taken for all: %s", row.Data.Raw())
					}
				}
				if end.Kind != listing.Failed || fault.Of(end.Err).Kind != fault.Transient {
					t.Errorf("ended as %d: %v", end.Kind, end.Err)
				}
			})
		}
	}
}

// TestElementsOfAnotherRow has the API answer for a row's list with elements that name another row, once or always.
func TestElementsOfAnotherRow(t *testing.T) {
	const more = `{"rows":[{"id":"A1","in":{"list":[{"n":1,"of":"a1"}],"done":false,"next":"/next","total":2}},{"id":"b2","in":null}]}`
	const another = "/next answered with the rest of the list in of another row of things"
	for name, c := range map[string]struct{ page, next, wrongNext, fails string }{
		"the rest":             {more, `[{"n":2,"of":"A1"}]`, `[{"n":2,"of":"b2"}]`, another},
		"one of the rest":      {more, `[{"n":2,"of":"a1"}]`, `[{"n":2},{"n":3,"of":"b2"}]`, another},
		"without a word":       {more, `[{"n":2}]`, `[{"n":2,"of":null}]`, ""},
		"no word before":       {strings.Replace(more, `,"of":"a1"`, "", 1), `[{"n":2}]`, `[{"n":2,"of":"b2"}]`, ""},
		"another, all of them": {strings.Replace(more, `"of":"a1"`, `"of":"b2"`, 1), `[{"n":2,"of":"b2"}]`, `[{"n":2,"of":"b2"}]`, ""},
	} {
		for _, always := range []bool{false, true} {
			sub(t, fmt.Sprint(name, always), func(t *testing.T) {
				asked := map[string]int{}
				log := &lines{}
				r := reader(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					path := req.URL.Path
					asked[path]++
					wrong, answer := always || asked[path] == 1, c.page
					switch {
					case path == "/next" && wrong:
						answer = `{"list":` + c.wrongNext + `,"done":true,"total":2}`
					case path == "/next":
						answer = `{"list":` + c.next + `,"done":true,"total":2}`
					}
					_, _ = w.Write([]byte(answer))
				}), log)
				l := numbered(pagination.Number{})
				l.Ways = nil
				l.Partial = &listing.Partial{
					Member: "in", Rows: "list", Done: "done", Next: "next", Total: "total", Of: "of", Same: strings.ToLower,
				}
				got, came := 0, []string{}
				pages, end := r.Read(t.Context(), l)
				for page := range pages {
					for _, row := range page.Rows {
						came = append(came, row.Key)
						got += len(row.Data.Get("in.list").Array())
					}
				}
				switch fails := always && c.fails != ""; {
				case fails && (end.Kind != listing.Failed || fault.Of(end.Err).Kind != fault.Transient || !strings.Contains(end.Err.Error(), c.fails)):
					t.Errorf("ended as %d: %v", end.Kind, end.Err)
				case fails && (len(came) > 0 || asked["/things"]+asked["/next"] > 20):
					t.Errorf("rows %v came of %v requests", came, asked)
				case !fails && (end.Kind != listing.Done || got != 2 || len(came) != 2):
					t.Errorf("ended as %d with %d elements of %v: %v", end.Kind, got, came, end.Err)
				}
			})
		}
	}
}

// sub runs a test in a bubble.
func sub(t *testing.T, name string, f func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// TestNumbersThatDiffer has a different number on one page in every reading, and a page lack a row.
func TestNumbersThatDiffer(t *testing.T) {
	for name, p := range map[string]pagination.Number{
		"unsure": {Size: 10, Rows: "total", Exact: true, Unsure: true}, "reliable": {Size: 10, Rows: "total"},
	} {
		for _, dated := range []bool{false, true} {
			for _, which := range []string{"first lower", "last lower", "last higher"} {
				sub(t, fmt.Sprint(name, dated, which), func(t *testing.T) {
					a := &api{rows: olds(1, 95)}
					a.page = func(a *api, n int, good string) string {
						total := 95
						switch {
						case which == "first lower" && n == 1, which == "last lower" && n == 10:
							total = 80
						case which == "last higher" && n == 10:
							total = 96
						}
						if n == 5 {
							good = good[:strings.LastIndex(good, `,{`)] + "]}"
						}
						return fmt.Sprintf(`{"total":%d,%s`, total, good[1:])
					}
					l := clocked(p)
					if !dated {
						l.Clock = nil
					}
					read(t, a, l).told(t, ids(1, 95))
				})
			}
		}
	}
}

// TestHeldRowsWithPartialLists has so many rows with partial lists come segment by segment that segments are compressed.
func TestHeldRowsWithPartialLists(t *testing.T) {
	k := &keeping{}
	for id := range 600 {
		k.rows = append(k.rows, fmt.Sprintf(`{"id":%d,"text":%q,"in":{"list":[1],"done":false,"next":"/next"}}`, id+1, strings.Repeat("x", 20000)))
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/next" {
			_, _ = w.Write([]byte(`{"list":[2],"done":true}`))
			return
		}
		k.ServeHTTP(w, r)
	})
	r, l, _ := sessions(t, h, 2)
	l.Partial = &listing.Partial{Member: "in", Rows: "list", Done: "done", Next: "next"}
	part, came := 0, 0
	pages, end := r.Read(t.Context(), l)
	for page := range pages {
		for _, row := range page.Rows {
			if came++; row.Data.Get("in.done").Text() != "true" {
				part++
			}
		}
	}
	if part > 0 {
		t.Errorf("%d of %d rows have a part of their list: %d %v", part, came, end.Kind, end.Err)
	}
}

// TestPartialListsOfAllThatIsInFlight has as many pages in flight as possible, each with a row with a partial list. The rest of a list must not wait
// for any of them.
func TestPartialListsOfAllThatIsInFlight(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/rest" {
			_, _ = w.Write([]byte(`{"list":[2],"done":true}`))
			return
		}
		time.Sleep(time.Second)
		_, _ = w.Write([]byte(`{"rows":[{"id":1,"in":{"list":[1],"done":false,"next":"/rest"}}]}`))
	})
	for parallel, child := range map[int]bool{1: false, 2: true} {
		synctest.Test(t, func(t *testing.T) {
			r := reader(t, h, &lines{})
			r.New(parallel)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			var all sync.WaitGroup
			for range parallel {
				all.Go(func() {
					pages, end := r.Read(ctx, listing.Listing{
						Name: "x", Request: httpclient.Request{Path: "/things"}, Records: "rows", Key: []string{"id"}, Child: child,
						Partial: &listing.Partial{Member: "in", Rows: "list", Done: "done", Next: "next"},
					})
					for range pages {
					}
					if end.Kind != listing.Done {
						t.Errorf("%d in flight: %v", parallel, end.Err)
					}
				})
			}
			all.Wait()
		})
	}
}

// TestListingWithoutKeysAndEnd has rows without keys whose bytes differ in each answer, and the last page come again behind the end.
func TestListingWithoutKeysAndEnd(t *testing.T) {
	sub(t, "keyless", func(t *testing.T) {
		n := 0
		a := &api{rows: made(35), past: lastAgain}
		a.page = func(a *api, _ int, good string) string {
			n++
			return strings.ReplaceAll(good, `{"id"`, fmt.Sprintf(`{"url":"https://x/?signature=%d","id"`, n))
		}
		l := numbered(pagination.Number{Size: 10, Caps: []int{5}})
		l.Key = nil
		pages, end := reader(t, a, &lines{}).Read(t.Context(), l)
		for range pages {
			if a.requests() > 2000 {
				t.Fatalf("%d requests for 35 rows", a.requests())
			}
		}
		if end.Kind != listing.Failed {
			t.Errorf("ended as %d: %v", end.Kind, end.Err)
		}
	})
}

// TestStaleFirstPageByPosition is TestStaleFirstPage for pages that are requested by the position of their first row.
func TestStaleFirstPageByPosition(t *testing.T) {
	for _, dated := range []bool{true, false} {
		sub(t, fmt.Sprint(dated), func(t *testing.T) {
			rows := olds(1, 95)
			a := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				at, _ := strconv.Atoi(r.URL.Query().Get("offset"))
				if at == 0 { // stale
					_, _ = w.Write([]byte(body(90, rows[5:15])))
					return
				}
				_, _ = w.Write([]byte(body(95, rows[min(95, at):min(95, at+10)])))
			})
			l := clocked(pagination.Number{})
			if !dated {
				l.Clock = nil
			}
			l.Ways = []listing.Way{{Pages: pagination.Offset{Param: "offset", SizeParam: "size", Size: 10, Rows: "total"}}}
			read(t, a, l).told(t, ids(1, 95))
		})
	}
}

// TestAQuotaIsNoEnd has pages be refused with a 403 that the connector recognizes as a quota.
func TestAQuotaIsNoEnd(t *testing.T) {
	sub(t, "quota", func(t *testing.T) {
		a := &api{rows: made(95)}
		m := memnet.New()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n, _ := strconv.Atoi(r.URL.Query().Get("page")); n >= 8 {
				w.WriteHeader(403)
				_, _ = w.Write([]byte(`{"wrong":"quota"}`))
				return
			}
			a.ServeHTTP(w, r)
		})}
		go func() { _ = server.Serve(m) }()
		client, err := httpclient.New(httpclient.Options{BaseURL: "http://localhost", Dial: m.Dial, Judge: func(r *httpclient.Response) httpclient.Verdict {
			if r.Status == 403 {
				return httpclient.Again(fault.Transientf("The quota is used up."))
			}
			return httpclient.Verdict{}
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close(); _ = server.Close() })
		log := &lines{}
		r := (&listing.Reader{Client: client, Log: slog.New(log), Began: time.Now()}).New(4)
		readWith(t, r, numbered(pagination.Number{Size: 10, Caps: []int{5}}), log).told(t, ids(1, 95))
	})
}

// TestAListingThatSeemsEmptyWhenLookedAtAgain has the first page come empty, with the same number as before.
func TestAListingThatSeemsEmptyWhenLookedAtAgain(t *testing.T) {
	sub(t, "empty", func(t *testing.T) {
		log := &lines{}
		a := &api{rows: made(95), total: exactly}
		r := reader(t, a, log)
		l := numbered(pagination.Number{Size: 10, Rows: "total"})
		l.Seen = listing.NewSeen(false)
		one := readWith(t, r, l, log)
		a.rows[0] = row(1000)
		a.page = func(_ *api, n int, good string) string {
			if n == 1 {
				return `{"total":95,"rows":[]}`
			}
			return good
		}
		l.Had = one.end.Rows
		readWith(t, r, l, log).told(t, []string{"1000"})
	})
}

// TestARowInThePlaceOfAnother has a row be counted but never shown, while others are added.
func TestARowInThePlaceOfAnother(t *testing.T) {
	sub(t, "x", func(t *testing.T) {
		// a reliable number; the API always hides one row that it counts, and a row is added between the first page and the second in each reading
		a := &api{rows: olds(1, 95), pause: time.Second}
		next := 1000
		a.total = exactly
		a.page = func(a *api, n int, good string) string { return strings.Replace(good, old(50), old(49), 1) }
		a.after = func(a *api, number int) {
			if strings.Contains(a.asked[number-1], "page=2&") {
				a.rows = append(slices.Clone(a.rows), fmt.Sprintf(`{"id":%d,"at":%q}`, next, time.Now().UTC().Format(time.RFC3339)))
				next++
			}
		}
		read(t, a, clocked(pagination.Number{Size: 10, Rows: "total"})).told(t, ids(1, 95))
	})
}

// TestAnObjectInThePlaceOfTheList has an object in the place of a list: it is the only row if it has a key, and else no row.
func TestAnObjectInThePlaceOfTheList(t *testing.T) {
	paged := numbered(pagination.Number{Size: 10})
	single := paged
	single.Ways = []listing.Way{{Pages: pagination.Single{}}}
	for answer, want := range map[string]int{
		`{"rows":{"id":7,"n":1}}`:                          1,
		`{"rows":{"message":"tente mais tarde","code":5}}`: -1,
		`{"rows":{"0":{"id":1},"2":{"id":3}}}`:             -1,
		`{"rows":{"page":1,"rows":[{"id":1},{"id":2}]}}`:   -1,
	} {
		for name, l := range map[string]listing.Listing{"single": single, "paged": paged} {
			t.Run(name+" "+answer, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := read(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if page := r.URL.Query().Get("page"); page != "" && page != "1" {
							_, _ = w.Write([]byte(`{"rows":[]}`))
							return
						}
						_, _ = w.Write([]byte(answer))
					}), l)
					if failed := r.end.Kind == listing.Failed; failed != (want < 0) || len(r.ids) != max(0, want) {
						t.Errorf("ended with %v (%v) after %v, want %d", r.end.Kind, r.end.Err, r.ids, want)
					}
				})
			})
		}
	}
}

// TestBlankKeys has rows with blank keys: each of them must come.
func TestBlankKeys(t *testing.T) {
	for _, key := range []string{`""`, `" "`, `"\t "`, `null`, `{}`, `[]`, `[ ]`} {
		for _, keys := range [][]string{{"id"}, {"of", "id"}} {
			t.Run(key+strings.Join(keys, " "), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := &api{rows: []string{old(1), `{"id":` + key + `,"of":1,"n":2}`, `{"id":` + key + `,"of":1,"n":3}`}, total: exactly}
					l := numbered(pagination.Number{Size: 10, Rows: "total"})
					l.Key = keys
					if r := read(t, a, l); r.end.Kind != listing.Done || len(r.ids) != len(a.rows) {
						t.Errorf("ended with %v (%v) after %q", r.end.Kind, r.end.Err, r.ids)
					}
				})
			})
		}
	}
}

// TestAnEmptyListAlone has an API that should wrap its lists answer with a bare empty one. That is the end if lists came so before and, for a row's
// own list, if nothing else is known and the answer stays the same.
func TestAnEmptyListAlone(t *testing.T) {
	const wrapped, alone = `{"total":1,"rows":[{"id":1}]}`, `[{"id":1},{"id":2}]`
	for name, test := range map[string]struct {
		child   bool
		before  string // the earlier answer to a listing of the same name; "": there was none
		answers []string
		want    int // rows; -1: it fails
	}{
		"a listing":                     {false, "", []string{`[]`}, -1},
		"a row's list":                  {true, "", []string{`[]`}, 0},
		"a row's list, at first":        {true, "", []string{`[]`, wrapped}, 1},
		"behind wrapped ones":           {true, wrapped, []string{`[]`}, -1},
		"behind wrapped ones, at first": {true, wrapped, []string{`[]`, wrapped}, 1},
		"behind others alone":           {true, alone, []string{`[]`}, 0},
		"a listing behind others alone": {false, alone, []string{`[]`}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := []string{test.before}
				log := &lines{}
				r := reader(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					answer := answers[0]
					switch page := r.URL.Query().Get("page"); {
					case page != "1":
						answer = answer[:strings.Index(answer, "[")+1] + answer[strings.LastIndex(answer, "]"):]
					case len(answers) > 1:
						answers = answers[1:]
					}
					_, _ = w.Write([]byte(answer))
				}), log)
				l := numbered(pagination.Number{Size: 2, Rows: "total", Unsure: true})
				l.Records, l.Child = "rows,", test.child
				if test.before != "" {
					readWith(t, r, l, log)
				}
				answers = test.answers
				if got := readWith(t, r, l, log); (got.end.Kind == listing.Failed) != (test.want < 0) || len(got.ids) != max(0, test.want) {
					t.Errorf("ended with %v (%v) after %v, want %d", got.end.Kind, got.end.Err, got.ids, test.want)
				}
			})
		})
	}
}

// TestAPageWithoutRowsBeforeOthers has a page come without rows in every reading, before pages with rows. An unreliable number of rows says nothing
// about that.
func TestAPageWithoutRowsBeforeOthers(t *testing.T) {
	for name, p := range map[string]pagination.Number{
		"reliable": {Size: 10, Rows: "total"}, "unsure": {Size: 10, Rows: "total", Exact: true, Unsure: true},
		"likely": {Size: 10, Rows: "total", Likely: true, Unsure: true}, "no number": {Size: 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &api{rows: olds(1, 95), total: exactly}
				a.page = func(_ *api, n int, good string) string {
					if n == 2 {
						return withRows(good, nil)
					}
					return good
				}
				if r := read(t, a, clocked(p)); r.end.Kind != listing.Failed {
					t.Errorf("it ended as %v with %d rows; logged: %q", r.end.Kind, len(r.ids), r.logged)
				}
			})
		})
	}
}

// TestAbsentAfterRows has the API say that the account does not have a listing from which rows have come.
func TestAbsentAfterRows(t *testing.T) {
	for after := range 6 {
		t.Run(strconv.Itoa(after), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &api{rows: olds(1, 25), total: exactly}
				l := clocked(pagination.Number{Size: 10, Rows: "total", Exact: true, Unsure: true})
				l.Optional, l.Absent = true, func(r *httpclient.Response) bool { return r.Status == http.StatusNotFound }
				var asked atomic.Int64
				r := read(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if asked.Add(1) > int64(after) {
						http.Error(w, `{"error":"There is no such thing."}`, http.StatusNotFound)
						return
					}
					a.ServeHTTP(w, r)
				}), l)
				if absent := r.end.Kind == listing.Absent; absent != (after == 0) || r.end.Kind == listing.Done && len(r.missing(ids(1, 25))) > 0 {
					t.Errorf("it ended as %v with %d rows after %d requests: %v", r.end.Kind, len(r.ids), asked.Load(), r.end.Err)
				}
			})
		})
	}
}

// TestARowThatComesForAnother has a row be removed from the first page and another added, with an older time (a whole minute or day, or because the
// server took a while) or a time in this second. The row that moves onto the first page must come.
func TestARowThatComesForAnother(t *testing.T) {
	for name, at := range map[string]string{ // the clock of a synctest bubble begins at midnight; the reading in its fiftieth second
		"this second": "2000-01-01T00:00:50Z", "this minute": "2000-01-01T00:00", "today": "2000-01-01", "a moment ago": "2000-01-01T00:00:40Z",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(50 * time.Second)
				a := &api{rows: olds(1, 35), total: exactly}
				changed := false
				a.after = func(a *api, _ int) {
					if !changed {
						changed = true
						a.rows = append(slices.Delete(a.rows, 3, 4), fmt.Sprintf(`{"id":36,"at":%q}`, at))
					}
				}
				l := clocked(pagination.Number{Size: 10, Rows: "total"})
				l.Clock.Layouts = []string{"2006-01-02T15:04", time.DateOnly}
				got := read(t, a, l)
				got.told(t, slices.Concat(ids(1, 3), ids(5, 31)))
			})
		})
	}
}

// TestAWrongSecondPage has an API cut pages to an unknown size, and answer once for the second page without rows or with those of the first.
func TestAWrongSecondPage(t *testing.T) {
	for name, wrong := range map[string]func(a *api) []string{
		"empty": func(*api) []string { return nil }, "the first again": func(a *api) []string { return a.rows[:7] },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, answered := &api{rows: made(30), size: 7}, false
				a.page = func(a *api, n int, good string) string {
					if n != 2 || answered {
						return good
					}
					answered = true
					return withRows(good, wrong(a))
				}
				read(t, a, numbered(pagination.Number{Size: 10, Caps: []int{5}})).told(t, ids(1, 30))
			})
		})
	}
}
