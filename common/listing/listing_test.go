package listing_test

import (
	"fmt"
	"maps"
	"math"
	"math/bits"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// kinds is every kind of numbered listing: what it tells of its rows, and what it answers behind its end.
func kinds() map[string]func() (*api, pagination.Number) {
	all := map[string]func() (*api, pagination.Number){}
	for name, p := range map[string]past{
		"nothing": empty, "the last page": lastAgain, "the first page": firstAgain, "a 400": badRequest, "a 401": unauthorized,
	} {
		all["no total, "+name+" behind the end"] = func() (*api, pagination.Number) {
			return &api{past: p}, pagination.Number{Size: 10, Caps: []int{5}}
		}
		all["no total, exact sizes, "+name+" behind the end"] = func() (*api, pagination.Number) {
			return &api{past: p}, pagination.Number{Size: 10, Exact: true}
		}
		all["a number that is not reliable, "+name+" behind the end"] = func() (*api, pagination.Number) {
			return &api{past: p, total: exactly}, pagination.Number{Size: 10, Exact: true, Rows: "total", Unsure: true}
		}
		all["a number that is too small, "+name+" behind the end"] = func() (*api, pagination.Number) {
			return &api{past: p, total: func(rows int) string { return strconv.Itoa(rows / 2) }},
				pagination.Number{Size: 10, Exact: true, Rows: "total", Unsure: true}
		}
	}
	all["a total"] = func() (*api, pagination.Number) {
		return &api{total: exactly}, pagination.Number{Size: 10, Rows: "total"}
	}
	all["a total as text"] = func() (*api, pagination.Number) {
		return &api{total: func(rows int) string { return `"` + strconv.Itoa(rows) + `"` }}, pagination.Number{Size: 10, Rows: "total"}
	}
	return all
}

// before is how many requests it took to read a listing with this many rows exactly to its end.
func before(rows int, p pagination.Number, a *api) int {
	pages := (rows + p.Size - 1) / p.Size
	switch {
	case p.Rows != "" && !p.Unsure, p.Exact && rows%p.Size != 0:
		return max(1, pages)
	case rows == 0:
		return 1
	case a.past == lastAgain, a.past == firstAgain:
		return pages + 2
	default:
		return pages + 1
	}
}

func TestHonestListings(t *testing.T) {
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, rows := range []int{0, 1, 4, 9, 10, 11, 20, 21, 30, 39, 40, 41, 50, 57, 60, 63, 80, 81, 95, 160, 161, 333, 640, 1000} {
				synctest.Test(t, func(t *testing.T) {
					a, p := kind()
					a.rows = made(rows)
					r := read(t, a, numbered(p))
					r.whole(t, ids(1, rows))
					if len(r.ids) != rows || len(r.logged) > 0 {
						t.Errorf("%d of %d rows came; logged: %q", len(r.ids), rows, r.logged)
					}
					pages := (rows + p.Size - 1) / p.Size
					allowed := before(rows, p, a)
					switch full := rows > 0 && rows%p.Size == 0; {
					case pages > 1:
						allowed += 2 + int(math.Ceil(2*log2(pages)))
					case pages == 1 && full: // the two pages behind it, and the first of them once more; see docs/decisions/008
						allowed += 3
					case pages == 0 && p.Rows == "":
						allowed += 2
					case pages == 1 && p.Rows == "" && len(p.Caps) > 0 && rows >= p.Caps[0]: // it may be cut to an unknown size
						allowed++
						fallthrough
					case pages == 1 && (a.past == badRequest || a.past == unauthorized): // the reading asks whether the API still answers, and for the page behind
						allowed += 2
					}
					if got := a.requests(); got > allowed {
						t.Errorf("%d rows: %d requests, at most %d: %v", rows, got, allowed, a.asked)
					}
				})
			}
		})
	}
}

// TestWideFirstPages reads listings whose first page is too large to be held while the last one is searched for.
func TestWideFirstPages(t *testing.T) {
	wide := `,"note":"` + strings.Repeat("x", 1<<20) + `"}`
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			for _, rows := range []int{1, 10, 11, 25} {
				synctest.Test(t, func(t *testing.T) {
					a, p := kind()
					a.rows = made(rows)
					a.page = func(_ *api, n int, good string) string {
						if n > 1 {
							return good
						}
						return strings.TrimSuffix(good, "}") + wide
					}
					r := read(t, a, numbered(p))
					r.whole(t, ids(1, rows))
					if len(r.ids) != rows || len(r.logged) > 0 {
						t.Errorf("%d of %d rows came; logged: %q", len(r.ids), rows, r.logged)
					}
				})
			}
		})
	}
}

func log2(n int) float64 {
	whole := bits.Len(uint(n)) - 1
	return float64(whole) + float64(n-1<<whole)/float64(int(1)<<whole)
}

// TestRowsThatGo removes one row of a listing at every moment and every position. All rows that existed throughout must come.
func TestRowsThatGo(t *testing.T) {
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, rows := range []int{11, 20, 35} { // the removed row is hidden if the rows fill pages exactly, or exceed them by one
				for moment := 1; moment <= 12; moment++ {
					for _, at := range []int{0, 9, 12, 25, 34} {
						if at >= rows {
							continue
						}
						synctest.Test(t, func(t *testing.T) {
							a, p := kind()
							a.rows = made(rows)
							a.after = func(a *api, number int) {
								if number == moment {
									a.rows = without(a.rows, at)
								}
							}
							r := read(t, a, numbered(p))
							if r.whole(t, without(ids(1, rows), at)); t.Failed() {
								t.Fatalf("%d rows, number %d went after request %d: %v", rows, at+1, moment, a.asked)
							}
						})
					}
				}
			}
		})
	}
}

// TestListingsThatChangeAllTheTime changes a listing with times of change before random requests: rows are added, and one or many are removed. The
// reading must end after at most three readings. If it says that the listing is complete and one row was removed, all others that existed throughout
// must have come. If many are removed, each reading may miss the same row, and nothing shows that. Without a reliable number the third reading
// decides.
func TestListingsThatChangeAllTheTime(t *testing.T) {
	dated := func(id int, at time.Time) string {
		return fmt.Sprintf(`{"id":%d,"at":%q}`, id, at.UTC().Format(time.RFC3339))
	}
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const seeds = 48
			done := 0
			for seed := range seeds {
				going, many := 1, seed%4 == 0
				if many {
					going = 1 << 30
				}
				synctest.Test(t, func(t *testing.T) {
					a, p := kind()
					a.pause = time.Second
					chance := dice(seed)
					kept := map[string]bool{}
					for id := range 60 {
						a.rows = append(a.rows, dated(id+1, time.Now().Add(-time.Hour)))
						kept[strconv.Itoa(id+1)] = true
					}
					next := 100
					a.before = func(a *api, _ int) {
						switch at := chance.IntN(len(a.rows)); chance.IntN(6) {
						case 0:
							if going--; going < 0 {
								return
							}
							delete(kept, strings.TrimLeft(strings.Split(a.rows[at], ",")[0], `{"id:`))
							a.rows = without(a.rows, at)
						case 1:
							a.rows = append(slices.Clone(a.rows), dated(next, time.Now()))
							next++
						case 2:
							a.rows = slices.Insert(slices.Clone(a.rows), 0, dated(next, time.Now()))
							next++
						}
					}
					l := numbered(p)
					l.Clock = &listing.Clock{Field: "at", Zone: time.UTC}
					r := read(t, a, l)
					r.once(t)
					if got := a.requests(); got > 3*80 {
						t.Errorf("%d requests", got)
					}
					if r.end.Kind != listing.Done {
						if f := fault.Of(r.end.Err); f.Kind != fault.Transient {
							t.Errorf("ended as %d: %v", r.end.Kind, r.end.Err)
						}
						return
					}
					done++
					var all []string
					for id := range kept {
						all = append(all, id)
					}
					if missing := r.missing(all); len(missing) > 0 && !many && (p.Rows != "" && !p.Unsure || len(r.logged) < 2) {
						t.Errorf("seed %d: whole without %v", seed, missing)
					}
				})
			}
			if done*3 < seeds*2 {
				t.Errorf("only %d of %d came to an end", done, seeds)
			}
		})
	}
}

// TestAnswersThatAreNone has the first answers, or all of them, lack their list in every way. The rows must come, or the reading must fail soon.
func TestAnswersThatAreNone(t *testing.T) {
	bodies := []string{
		`{"total":35,"message":"Internal error"}`, `{"total":35,"rows":null}`, `null`, `[]`, `{"rows":null}`, `{"error":"internal","rows":[]}`,
		`{"total":0,"rows":[{"id":1}]}`, `{"total":-1,"rows":[{"id":1}]}`, `{"total":"many","rows":[{"id":1}]}`, `{"total":{},"rows":[]}`,
		`{"total":35,"rows":"none"}`, `{"total":35,"rows":{"id":1}}`, `{}`, `"no"`,
	}
	reliable := pagination.Number{Size: 10, Rows: "total"}
	for _, body := range bodies {
		for _, times := range []int{1, 2, 1 << 30} {
			for _, first := range []int{1, 2, 4} {
				t.Run(fmt.Sprintf("%s %d times from page %d", body, times, first), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						left := times
						a := &api{rows: made(35), total: exactly, page: func(_ *api, n int, good string) string {
							if n >= first && left > 0 {
								left--
								return body
							}
							return good
						}}
						began := time.Now()
						r := read(t, a, numbered(reliable))
						if times <= 2 {
							r.whole(t, ids(1, 35))
							return
						}
						if r.end.Kind != listing.Failed || fault.Of(r.end.Err).Kind != fault.Transient || time.Since(began) > 3*time.Minute {
							t.Errorf("ended as %d after %v: %v", r.end.Kind, time.Since(began), r.end.Err)
						}
					})
				})
			}
		}
	}
}

// TestAPageThatIsNot has one page be short, empty, or another page for some time.
func TestAPageThatIsNot(t *testing.T) {
	bad := map[string]func(a *api, good string) string{
		"empty":             func(*api, string) string { return `{"total":95,"rows":[]}` },
		"the first one":     func(a *api, _ string) string { return `{"total":95,"rows":[` + strings.Join(a.rows[:10], ",") + `]}` },
		"one row too short": func(_ *api, good string) string { return good[:strings.LastIndex(good, ",")] + "]}" },
	}
	for name, kind := range kinds() {
		for how, page := range bad {
			for number := 2; number <= 9; number++ {
				t.Run(fmt.Sprintf("%s, page %d %s", name, number, how), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						a, p := kind()
						a.rows = made(95)
						left := 1
						a.page = func(a *api, n int, good string) string {
							if n == number && left > 0 && a.requests2() > 1 {
								left--
								return page(a, good)
							}
							return good
						}
						read(t, a, numbered(p)).whole(t, ids(1, 95))
					})
				})
			}
		}
	}
}

// TestAPageThatIsAlwaysEmpty has one page always come without rows although rows follow it, whatever the API tells of their number, and with or
// without times. The listing must not be complete without a warning.
func TestAPageThatIsAlwaysEmpty(t *testing.T) {
	const rows = 95
	for name, kind := range kinds() {
		for _, body := range []string{`{"total":95,"rows":[]}`, `{"total":40,"rows":[]}`, `{"total":120,"rows":[]}`, `{"total":0,"rows":[]}`, `[]`} {
			for _, dated := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, dated %v", name, body, dated), func(t *testing.T) {
					t.Parallel()
					for _, number := range []int{1, 2, 3, 5, 9} {
						if _, p := kind(); number == 1 && p.Rows != "" && strings.Contains(body, `"total":0`) {
							continue // a listing without rows
						}
						synctest.Test(t, func(t *testing.T) {
							a, p := kind()
							a.rows = olds(1, rows)
							a.page = func(_ *api, n int, good string) string {
								if n == number {
									return body
								}
								return good
							}
							l := numbered(p)
							if dated {
								l = clocked(p)
							}
							r := read(t, a, l)
							if r.end.Kind == listing.Done && !r.warned() {
								t.Errorf("page %d: %d of %d rows are all, without a word: %q", number, len(r.ids), rows, r.logged)
							}
							if r.end.Kind == listing.Failed && fault.Of(r.end.Err).Kind != fault.Transient {
								t.Errorf("page %d: %v", number, r.end.Err)
							}
							if n := a.requests(); n > 3*(25+3) {
								t.Errorf("page %d: %d requests", number, n)
							}
						})
					}
				})
			}
		}
	}
}

// TestAPageThatIsAlwaysRefused has one page always be refused, even the last one, by an API that answers without rows behind the end. That is not the
// end.
func TestAPageThatIsAlwaysRefused(t *testing.T) {
	for name, kind := range kinds() {
		if a, _ := kind(); a.past != empty {
			continue
		}
		for number := 2; number <= 10; number++ {
			for i, rows := range []int{95, number * 10, number*10 - 9} {
				if strings.Contains(name, "too small") && rows/2 == (number-1)*10 {
					continue // as many rows came as the API says
				}
				status := []int{400, 401, 403, 404}[(number+i)%4]
				t.Run(fmt.Sprintf("%s, page %d of %d rows, %d", name, number, rows, status), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						a, p := kind()
						a.rows = olds(1, rows)
						r := read(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							if r.URL.Query().Get("page") == strconv.Itoa(number) {
								http.Error(w, `{"message":"Sem permissão"}`, status)
								return
							}
							a.ServeHTTP(w, r)
						}), clocked(p))
						if r.end.Kind != listing.Failed {
							t.Errorf("it ended as %v with %d rows; logged: %q", r.end.Kind, len(r.ids), r.logged)
						}
					})
				})
			}
		}
	}
}

// TestASecondPageThatIsNotForAMoment has the page behind a full first one come without rows, once.
func TestASecondPageThatIsNotForAMoment(t *testing.T) {
	for name, kind := range kinds() {
		for rows := 11; rows <= 30; rows++ {
			t.Run(fmt.Sprintf("%s, %d rows", name, rows), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					a, p := kind()
					a.rows = made(rows)
					left := 1
					a.page = func(_ *api, n int, good string) string {
						if n == 2 && left > 0 {
							left--
							return withRows(good, nil)
						}
						return good
					}
					read(t, a, numbered(p)).whole(t, ids(1, rows))
				})
			})
		}
	}
}

// TestTwoStalePages has two pages come as the first one, once each, which need not be the end.
func TestTwoStalePages(t *testing.T) {
	for rows := 21; rows <= 95; rows += 9 {
		synctest.Test(t, func(t *testing.T) {
			stale := map[int]bool{2: true, 3: true}
			a := &api{rows: made(rows), page: func(a *api, n int, good string) string {
				if stale[n] {
					delete(stale, n)
					return `{"rows":[` + strings.Join(a.rows[:10], ",") + `]}`
				}
				return good
			}}
			read(t, a, numbered(pagination.Number{Size: 10, Caps: []int{5}})).whole(t, ids(1, rows))
		})
	}
}

// keyset is a listing of rows with a time, in the order of their ids, starting at an id.
func keyset() listing.Listing {
	l := numbered(pagination.Number{})
	l.Clock = &listing.Clock{Field: "at", Zone: time.UTC}
	l.Ways = []listing.Way{{Pages: pagination.Keyset{Param: "after", Field: "id", SizeParam: "size", Size: 10, Rows: "total"}}}
	return l
}

// serveKeyset answers for a keyset of ids, and calls change after each answer. It tells lied more rows than there are.
func serveKeyset(ids func() []int, change func(request int), lied int) http.HandlerFunc {
	asked := 0
	return func(w http.ResponseWriter, r *http.Request) {
		after, _ := strconv.Atoi(r.URL.Query().Get("after"))
		var rows []string
		for _, id := range ids() {
			if id > after {
				rows = append(rows, fmt.Sprintf(`{"id":%d,"at":"1999-01-01T00:00:00Z"}`, id))
			}
		}
		_, _ = fmt.Fprintf(w, `{"total":%d,"rows":[%s]}`, len(rows)+lied, strings.Join(rows[:min(10, len(rows))], ","))
		asked++
		change(asked)
	}
}

// TestAKeysetThatLosesRowsAllDay removes rows not yet read in each reading. Rows that existed throughout must come, and the reading must end.
func TestAKeysetThatLosesRowsAllDay(t *testing.T) {
	for going, rows := range []int{35, 35, 35, 95} {
		for lied := range 2 {
			if lied > 0 && going > 0 {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				have := []int{}
				for id := range rows {
					have = append(have, id+1)
				}
				change := func(request int) {
					if going > 0 && request%going == 0 {
						have = have[:len(have)-1]
					}
				}
				r := read(t, serveKeyset(func() []int { return have }, change, lied), keyset())
				if lied > 0 {
					if r.end.Kind != listing.Failed || fault.Of(r.end.Err).Kind != fault.Transient {
						t.Errorf("ended as %d although a row is missing in each reading", r.end.Kind)
					}
					return
				}
				r.whole(t, ids(1, len(have)))
			})
		}
	}
}

// TestAnEmptyPageOfAKeyset has a page briefly come without rows although it says that there are some.
func TestAnEmptyPageOfAKeyset(t *testing.T) {
	for number := 1; number <= 3; number++ {
		synctest.Test(t, func(t *testing.T) {
			good := serveKeyset(func() []int { return []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21} }, func(int) {}, 0)
			asked := 0
			read(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked == number || asked == number+1 {
					_, _ = w.Write([]byte(`{"total":21,"rows":[]}`))
					return
				}
				good(w, r)
			}), keyset()).whole(t, ids(1, 21))
		})
	}
}

// requests2 returns the number of requests. The caller must hold the lock.
func (a *api) requests2() int { return len(a.asked) }

// TestPagesComeWhileOthersAreUsed checks that pages that lead from one to the next are requested while the page before is used, except if only one
// request may be in flight.
func TestPagesComeWhileOthersAreUsed(t *testing.T) {
	for parallel, want := range map[int]time.Duration{4: 11 * time.Second, 1: 20 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var have []int
			for id := range 100 {
				have = append(have, id+1)
			}
			answer := serveKeyset(func() []int { return have }, func(int) {}, 0)
			slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Second)
				answer(w, r)
			})
			began := time.Now()
			pages, end := reader(t, slow, &lines{}).New(parallel).Read(t.Context(), keyset())
			for range pages {
				time.Sleep(time.Second)
			}
			if took := time.Since(began); end.Kind != listing.Done || took != want {
				t.Errorf("%d at a time: took %v, want %v: %v", parallel, took, want, end.Err)
			}
		})
	}
}

// TestListingsWithoutEnd has listings that never end by themselves.
func TestListingsWithoutEnd(t *testing.T) {
	first := func(a *api, _ int, _ string) string {
		return `{"total":20000,"last":2000,"rows":[` + strings.Join(a.rows[:10], ",") + `]}`
	}
	bare := func(*api, int, string) string { return `{"rows":[{"id":1},{"id":null,"name":"b"}]}` }
	tests := map[string]struct {
		api    *api
		pages  pagination.Number
		whole  bool
		atMost int
	}{
		"the same page for ever": {&api{rows: made(30), page: first}, pagination.Number{Size: 10, Rows: "total", Last: "last"}, false, 60},
		"a last page far behind the end": {
			&api{rows: made(30), page: func(_ *api, _ int, good string) string { return `{"total":30,"last":10000000,` + good[1:] }},
			pagination.Number{Size: 10, Rows: "total", Last: "last"}, true, 15,
		},
		"a last page far behind the end, without a total": {
			&api{rows: made(30), page: func(_ *api, _ int, good string) string { return `{"last":10000000,` + good[1:] }},
			pagination.Number{Size: 10, Last: "last"}, true, 40,
		},
		"more rows are promised than there are": {
			&api{rows: made(30), total: func(int) string { return "31" }}, pagination.Number{Size: 10, Rows: "total"}, false, 40,
		},
		"more rows are said than there are": {
			&api{rows: made(30), total: func(int) string { return "31" }}, pagination.Number{Size: 10, Rows: "total", Unsure: true, Exact: true}, true, 60,
		},
		"rows without keys": {&api{page: bare}, pagination.Number{Size: 10, Caps: []int{5}}, true, 5},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := read(t, tt.api, numbered(tt.pages))
				if done := r.end.Kind == listing.Done; done != tt.whole {
					t.Errorf("ended as %d: %v", r.end.Kind, r.end.Err)
				}
				r.once(t)
				if got := tt.api.requests(); got > tt.atMost {
					t.Errorf("%d requests, more than %d", got, tt.atMost)
				}
			})
		})
	}
}

func TestRowsWithoutKeysCountOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{rows: []string{`{"n":1}`, `{"n":1}`, `{"n":2}`, `{"id":7}`}, total: exactly}
		r := read(t, a, numbered(pagination.Number{Size: 2, Rows: "total"}))
		if r.end.Kind != listing.Done || len(r.ids) != 4 {
			t.Errorf("%v, %v", r.ids, r.end)
		}
	})
	synctest.Test(t, func(t *testing.T) { // two never come, and two come without a key: these must not make up the number in a second reading
		a := &api{rows: []string{`{"n":1}`, `{"n":2}`, `{"id":7}`}, total: func(int) string { return "5" }}
		if r := read(t, a, numbered(pagination.Number{Size: 2, Rows: "total"})); r.end.Kind != listing.Failed || len(r.ids) != 3 {
			t.Errorf("%v, %v", r.ids, r.end)
		}
	})
}

// TestAtOnce reads listings that are said to come in one answer.
func TestAtOnce(t *testing.T) {
	all := pagination.AtOnce{Number: pagination.Number{Param: "page", Start: 1, Size: 20, Caps: []int{5, 10}}, All: -1}
	type account struct {
		lists map[string]int // rows by list
		once  bool           // page -1 works
	}
	serve := func(c account) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			rows, page := made(c.lists[r.URL.Path]), r.URL.Query().Get("page")
			n, _ := strconv.Atoi(page)
			switch {
			case page == "-1" && strings.HasPrefix(r.URL.Path, "/404"):
				w.WriteHeader(http.StatusNotFound)
				return
			case page == "-1" && c.once:
				rows = rows[:min(20, len(rows))]
			case page == "-1":
				rows = nil
			default:
				rows = rows[min(len(rows), (n-1)*5):min(len(rows), n*5)]
			}
			_, _ = w.Write([]byte(`[` + strings.Join(rows, ",") + `]`))
		}
	}
	for name, c := range map[string]account{
		"it works":         {map[string]int{"/a": 0, "/b": 3, "/c": 0, "/d": 12, "/e": 33, "/f": 4}, true},
		"it does not work": {map[string]int{"/a": 0, "/b": 3, "/c": 0, "/d": 12, "/e": 33, "/f": 4}, false},
		"it is not there":  {map[string]int{"/404/a": 0, "/404/b": 3, "/404/d": 12, "/404/e": 33}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log, asked := &lines{}, 0
				handler := serve(c)
				r := reader(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { asked++; handler(w, req) }), log)
				for _, path := range slices.Sorted(maps.Keys(c.lists)) {
					l := listing.Listing{
						Name: "things", Request: httpclient.Request{Path: path}, Key: []string{"id"}, Child: true, Missing: true,
						Ways: []listing.Way{{Pages: all}},
					}
					asked = 0
					readWith(t, r, l, log).whole(t, ids(1, c.lists[path]))
					if path == "/c" && asked != 1 {
						t.Errorf("%d requests for a list of which the way is known", asked)
					}
				}
			})
		})
	}
}

// TestPagesUnderAnotherName has an API that knows the page number under another name than expected, and sometimes wants smaller pages.
func TestPagesUnderAnotherName(t *testing.T) {
	for _, rows := range []int{7, 10, 20, 35, 100} {
		synctest.Test(t, func(t *testing.T) {
			most := 10 - rows%2*6 // 4 if there is an odd number of rows
			a := &api{rows: made(rows), total: exactly}
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				q := r.URL.Query()
				q.Set("page", q.Get("pagina"))
				if q.Get("pagina") == "" {
					q.Set("page", "1")
				}
				if size, _ := strconv.Atoi(q.Get("size")); size > most {
					http.Error(w, `{"message":"too large"}`, http.StatusBadRequest)
					return
				}
				r.URL.RawQuery = q.Encode()
				a.ServeHTTP(w, r)
			})
			l := numbered(pagination.Number{Size: 10, Exact: true, Rows: "total", Unsure: true})
			other := l.Ways[0].Pages.(pagination.Number)
			other.Param = "pagina"
			l.Ways = append(l.Ways, listing.Way{Pages: other})
			log := &lines{}
			r := reader(t, handler, log)
			r.TooLarge = func(r *httpclient.Response) (int, bool) { return most, r.Body.Get("message").Text() == "too large" }
			readWith(t, r, l, log).whole(t, ids(1, rows))
		})
	}
}
