// Package pagination knows how APIs cut a listing into pages: from one page to the request for the next.
//
// A strategy is a value without memory: where it stands is in the request that it is given, and some write it down there as its Place,
// from which First goes on in a later run. The engine owns the loop, and with it the guards against a listing that never ends.
package pagination

import (
	"math"
	"net/http"
	"slices"
	"strconv"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// Page is one answer of a listing.
type Page struct {
	Header  http.Header
	Body    record.Value   // the whole answer
	Records []record.Value // the rows in it
}

// Strategy is how one kind of listing is paged. Implementations are values, safe for concurrent use.
type Strategy interface {
	// First returns r made to ask for the first page, or, by a strategy that writes down places, for the first one from r.Place on.
	First(r httpclient.Request) httpclient.Request
	// Next returns the request after r, which brought p, or false when p was the last page.
	Next(r httpclient.Request, p Page) (httpclient.Request, bool)
}

// Echoer is a Strategy that can tell from an answer that something else was asked for: APIs are known to repeat a page under another
// page's number, and to ignore what they do not understand.
type Echoer interface {
	// Echoes reports whether p may be the answer to r as far as p tells.
	Echoes(r httpclient.Request, p Page) bool
}

// Totaled is a Strategy of a listing that says how many rows it has.
type Totaled interface {
	// Total returns the number of rows of the whole listing, or of all of it from the place on where it began, as p tells it. first is whether p is
	// the first page that came of it.
	Total(p Page, first bool) Total
}

// Total is what a page says of the number of rows.
type Total struct {
	Rows int64
	Told bool
	Bad  string // where it says something that is no number; "": it does not
	// Documented says that the API's documentation has the number in its answers.
	Documented bool
	// Part says that the number is of a part of the listing: that which requests with the same Place ask for.
	Part bool
	// Reliable says that the number is a promise. One that is not may be wrong either way: it is a reason to go on asking, and none to stop.
	Reliable bool
}

// Bounded is a Strategy that cannot reach every row of every listing.
type Bounded interface {
	// Beyond reports whether p, the answer to r, is followed by rows that cannot be asked for.
	Beyond(r httpclient.Request, p Page) bool
}

// Anchored is a Strategy of a listing whose rows do not move when others come or go: the method only says so.
type Anchored interface{ Anchored() }

// Numbered is a Strategy whose pages can be asked for in any order, so that the last one can be looked for.
type Numbered interface {
	Strategy
	// At returns r made to ask for page n, counted from 0.
	At(r httpclient.Request, n int) httpclient.Request
	// Count returns the number of pages that the listing has as p tells it; false where p does not tell.
	Count(p Page) (pages int, ok bool)
	// Fewest returns how many rows every page has behind which there are more, as far as that is known; 0: it is not. sure is whether it is
	// documented, and not only what was seen.
	Fewest() (rows int, sure bool)
	// Cut reports whether more may follow a page of so many rows, by what is known of the sizes of pages.
	Cut(rows int) bool
}

// Sized is a Strategy that asks for pages of a size, and can ask for smaller ones.
type Sized interface {
	// Resize asks for pages of size, or half as large as now for 0. It is false when that is not smaller, or not at all possible.
	Resize(size int) (Strategy, bool)
}

// Single is for a listing that is not paged.
type Single struct{}

// First returns r as it is.
func (Single) First(r httpclient.Request) httpclient.Request { return r }

// Next returns false: there is no next page.
func (Single) Next(httpclient.Request, Page) (httpclient.Request, bool) {
	return httpclient.Request{}, false
}

// Whole is for a listing that is one answer, which says how many rows it has.
type Whole struct {
	Single
	Rows string // path in the answer: the number of rows, reliable
}

// Total returns the number that Rows names.
func (w Whole) Total(p Page, _ bool) Total { return total(p, w.Rows) }

// Number asks for pages by their number. Where the answer does not tell how many there are, the listing is read until nothing new comes.
type Number struct {
	In        httpclient.In
	Param     string // the page's number
	Start     int    // the number of the first page
	SizeParam string // the page's size; "" when it is not asked for
	Size      int
	Exact     bool   // every page but the last has Size rows: an API that refuses a size that it does not allow, instead of taking another
	Likely    bool   // they are likely to, though no refusal was seen: a page with fewer rows is the last one if there is none behind it
	Caps      []int  // sizes to which the API is known to cut pages without a word
	Last      string // path in the answer: the number of the last page
	Echo      string // path in the answer: the number of the page that it is
	Rows      string // path in the answer: the number of rows of the whole listing
	Unsure    bool   // Rows is wrong at times
	Bare      bool   // an answer may be the list alone, without Rows: it is not known how the API writes it
}

// First returns r made to ask for the page numbered Start.
func (n Number) First(r httpclient.Request) httpclient.Request { return n.At(r, 0) }

// At returns r made to ask for page i, counted from 0.
func (n Number) At(r httpclient.Request, i int) httpclient.Request {
	if n.SizeParam != "" {
		r = r.With(n.In, n.SizeParam, n.Size)
	}
	return r.With(n.In, n.Param, n.Start+i)
}

// Next asks for the number after r's. That there is always one is why the engine decides when to stop.
func (n Number) Next(r httpclient.Request, _ Page) (httpclient.Request, bool) {
	return r.With(n.In, n.Param, param(r, n.In, n.Param)+1), true
}

// Count returns the number of pages up to the one that Last names.
func (n Number) Count(p Page) (int, bool) {
	last, ok := number(p, n.Last)
	return int(max(0, min(last-int64(n.Start)+1, math.MaxInt32))), ok
}

// Fewest returns Size where it is Exact, one where that is Likely, or else the smallest of Caps.
func (n Number) Fewest() (rows int, sure bool) {
	switch {
	case n.Exact:
		return n.Size, true
	case n.Likely:
		return 1, false
	case len(n.Caps) == 0:
		return 0, false
	}
	return min(n.Size, slices.Min(n.Caps)), false
}

// Cut reports whether a page of so many rows may have been cut off: it has Size rows or more, or as many as one of Caps, or nothing is known.
func (n Number) Cut(rows int) bool {
	return rows >= n.Size || slices.Contains(n.Caps, rows) || !n.Exact && !n.Likely && len(n.Caps) == 0
}

// Echoes compares the page's own number with the one asked for.
func (n Number) Echoes(r httpclient.Request, p Page) bool {
	asked := param(r, n.In, n.Param)
	got, ok := number(p, n.Echo)
	return !ok || int64(asked) == got
}

// Resize asks for smaller pages.
func (n Number) Resize(size int) (Strategy, bool) {
	ok := smaller(n.SizeParam, &n.Size, size)
	return n, ok
}

// Total returns the number that Rows names. One that is Unsure and, on a later page, is no more than the rows of that page, is theirs alone.
func (n Number) Total(p Page, first bool) Total {
	t := total(p, n.Rows)
	t.Told = t.Told && (first || !n.Unsure || t.Rows > int64(len(p.Records)))
	t.Documented, t.Reliable = t.Documented && !n.Bare, t.Reliable && !n.Unsure
	return t
}

// AtOnce is a Number of which one page, numbered All, is said to be the whole listing, up to as many rows as one answer holds. The engine
// believes it once it has seen it be so: see package listing.
type AtOnce struct {
	Number
	All int
}

// Once returns r made to ask for all rows in one answer.
func (a AtOnce) Once(r httpclient.Request) httpclient.Request { return r.With(a.In, a.Param, a.All) }

// Offset asks for pages by the position of their first row. The next page begins after the rows that came, so a server that caps the size
// silently loses nothing; an empty page is the end.
type Offset struct {
	In        httpclient.In
	Param     string // the position of the first row
	SizeParam string // how many rows; "" when it is not asked for
	Size      int
	Rows      string // path in the answer: the number of rows of the whole listing, reliable
	Max       int    // the last position that can be asked for; 0: there is none
}

// First returns r made to ask from position 0.
func (o Offset) First(r httpclient.Request) httpclient.Request {
	if o.SizeParam != "" {
		r = r.With(o.In, o.SizeParam, o.Size)
	}
	return r.With(o.In, o.Param, 0)
}

// Next asks from the position after the rows that came, or from the last one that can be asked for.
func (o Offset) Next(r httpclient.Request, p Page) (httpclient.Request, bool) {
	at := param(r, o.In, o.Param)
	next := at + len(p.Records)
	if o.Max > 0 {
		next = min(next, max(o.Max, at))
	}
	return r.With(o.In, o.Param, next), next > at
}

// Total returns the number that Rows names.
func (o Offset) Total(p Page, _ bool) Total { return total(p, o.Rows) }

// Beyond reports whether rows follow p, which was asked for from the last position there is.
func (o Offset) Beyond(r httpclient.Request, p Page) bool {
	at := param(r, o.In, o.Param)
	if o.Max == 0 || at < o.Max || len(p.Records) == 0 {
		return false
	}
	rows, ok := number(p, o.Rows)
	return !ok || int64(at+len(p.Records)) < rows
}

// Resize asks for smaller pages.
func (o Offset) Resize(size int) (Strategy, bool) {
	ok := smaller(o.SizeParam, &o.Size, size)
	return o, ok
}

// Token asks for the next page by a token that the page before it carries; none, or an empty one, is the end.
type Token struct {
	In    httpclient.In
	Param string
	Path  string // the token's path in the answer
}

// First returns r without a token.
func (Token) First(r httpclient.Request) httpclient.Request { return r }

// Next returns r with the page's token.
func (t Token) Next(r httpclient.Request, p Page) (httpclient.Request, bool) {
	token := p.Body.Get(t.Path).Text()
	return r.With(t.In, t.Param, token), token != ""
}

// NextURL follows an address, absolute or of this host, that the page carries; none, or an empty one, is the end.
type NextURL struct {
	Path string // the address's path in the answer
}

// First returns r as it is.
func (NextURL) First(r httpclient.Request) httpclient.Request { return r }

// Next returns r with the address in the place of its path and query.
func (n NextURL) Next(r httpclient.Request, p Page) (httpclient.Request, bool) {
	return follow(r, p.Body.Get(n.Path).Text())
}

// Link follows the rel="next" address of the Link header (RFC 8288).
type Link struct{}

// First returns r as it is.
func (Link) First(r httpclient.Request) httpclient.Request { return r }

// Next returns r with the address in the place of its path and query.
func (Link) Next(r httpclient.Request, p Page) (httpclient.Request, bool) {
	return follow(r, nextLink(p.Header))
}

// Keyset asks for the rows after the last key that came, in the order of that key. A page that holds all rows that are left is the end, and
// so is an empty one. Its place is the last key.
type Keyset struct {
	In        httpclient.In
	Param     string                  // the key after which the page begins; not there for the first page
	Format    func(key string) string // how the key is written there; nil: as it is
	Field     string                  // the key's path in a row
	SizeParam string                  // how many rows; "" when it is not asked for
	Size      int
	Rows      string // path in the answer: the number of rows from the key on
	Sorted    bool   // keys are in the order of their bytes, so that a page that is not is no answer to what was asked
}

// First returns r made to ask for the rows after its place, or for the first ones.
func (k Keyset) First(r httpclient.Request) httpclient.Request {
	if k.SizeParam != "" {
		r = r.With(k.In, k.SizeParam, k.Size)
	}
	if r.Place == "" {
		return r
	}
	return k.after(r, r.Place)
}

// Next returns r with the key of the page's last row.
func (k Keyset) Next(r httpclient.Request, p Page) (httpclient.Request, bool) {
	rows, ok := number(p, k.Rows)
	if len(p.Records) == 0 || ok && rows <= int64(len(p.Records)) {
		return r, false
	}
	key := k.key(p.Records[len(p.Records)-1])
	return k.after(r, key), key != ""
}

func (k Keyset) key(row record.Value) string { return row.Get(k.Field).Text() }

func (k Keyset) after(r httpclient.Request, key string) httpclient.Request {
	r.Place = key
	if k.Format != nil {
		key = k.Format(key)
	}
	return r.With(k.In, k.Param, key)
}

// Total returns the number that Rows names in the first page: in the others it falls.
func (k Keyset) Total(p Page, first bool) Total {
	t := total(p, k.Rows)
	t.Told = t.Told && first
	return t
}

// Anchored says that what comes or goes before the key moves nothing that is behind it.
func (Keyset) Anchored() {}

// Echoes reports whether the keys of a Sorted listing rise from the one after which the page was to begin.
func (k Keyset) Echoes(r httpclient.Request, p Page) bool {
	last := r.Place
	for _, row := range p.Records {
		key := k.key(row)
		if k.Sorted && key <= last {
			return false
		}
		last = key
	}
	return true
}

// Resize asks for smaller pages.
func (k Keyset) Resize(size int) (Strategy, bool) {
	ok := smaller(k.SizeParam, &k.Size, size)
	return k, ok
}

// Func is for what is peculiar to one API: the whole strategy is how the next request follows from a page.
type Func func(r httpclient.Request, p Page) (httpclient.Request, bool)

// First returns r as it is.
func (Func) First(r httpclient.Request) httpclient.Request { return r }

// Next returns f itself.
func (f Func) Next(r httpclient.Request, p Page) (httpclient.Request, bool) { return f(r, p) }

// smaller sets size to what it should be, or half of it for 0, and is false when that is not smaller, or not asked for at all.
func smaller(param string, size *int, to int) bool {
	if to == 0 {
		to = *size / 2
	}
	if param == "" || to < 1 || to >= *size {
		return false
	}
	*size = to
	return true
}

// number returns the whole number at path in the answer, or false where path is "" or leads to none.
func number(p Page, path string) (int64, bool) {
	if path == "" {
		return 0, false
	}
	return p.Body.Get(path).Int()
}

// total returns what the answer says at path, as a promise that is documented; "": nothing.
func total(p Page, path string) (t Total) {
	if path == "" {
		return t
	}
	t.Documented, t.Reliable = true, true
	said := p.Body.Get(path)
	t.Rows, t.Told = said.Int()
	if !t.Told && !said.IsBlank() {
		t.Bad = path
	}
	return t
}

// param returns the whole number that r, which this package made, has for key.
func param(r httpclient.Request, in httpclient.In, key string) int {
	if in == httpclient.Body {
		n, _ := r.Body[key].(int)
		return n
	}
	text := r.Query.Get(key)
	if in == httpclient.Header {
		text = r.Header.Get(key)
	}
	n, _ := strconv.Atoi(text)
	return n
}
