// Package pagination describes how APIs cut a listing into pages: how the request for the next page follows from a page.
//
// A strategy is a value without memory. Its position is in the request that it is given. Some strategies write the position there as the request's
// Place, from which First goes on in a later run. The engine owns the loop, and with it the guards against a listing that never ends.
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

// Strategy is the way in which a kind of listing is paged. Implementations are values and are safe for concurrent use.
type Strategy interface {
	// First returns r made to ask for the first page. A strategy that writes down places makes it ask for the first page from r.Place on.
	First(r httpclient.Request) httpclient.Request
	// Next returns the request after r, which brought p, or false if p was the last page.
	Next(r httpclient.Request, p Page) (httpclient.Request, bool)
}

// Echoer is a Strategy that can tell from an answer that something else was asked for. APIs are known to repeat a page under the number of another,
// and to ignore parameters that they do not understand.
type Echoer interface {
	// Echoes reports whether p may be the answer to r, as far as p tells.
	Echoes(r httpclient.Request, p Page) bool
}

// Totaled is a Strategy of a listing that tells how many rows it has.
type Totaled interface {
	// Total returns the number of rows of the listing as p tells it: of the whole listing, or of all of it from the place on where it began. first says
	// whether p is the first page that came.
	Total(p Page, first bool) Total
}

// Total is what a page tells of the number of rows.
type Total struct {
	Rows int64
	Told bool
	Bad  string // the path of a value that should be the number but is not a number; "": there is no such value
	// Documented says that, according to the API's documentation, answers have the number.
	Documented bool
	// Part says that the number is of a part of the listing: the part that requests with the same Place ask for.
	Part bool
	// Reliable says that the number is a promise. Any other may be too high or too low: it is a reason to go on asking, but not a reason to stop.
	Reliable bool
}

// Bounded is a Strategy that cannot reach every row of every listing.
type Bounded interface {
	// Beyond reports whether rows that cannot be asked for follow p, the answer to r.
	Beyond(r httpclient.Request, p Page) bool
}

// Anchored is a Strategy of a listing whose rows do not move when others are added or removed. Its method is only a marker.
type Anchored interface{ Anchored() }

// Numbered is a Strategy whose pages can be asked for in any order, so that the last one can be searched for.
type Numbered interface {
	Strategy
	// At returns r made to ask for page n, counted from 0.
	At(r httpclient.Request, n int) httpclient.Request
	// Count returns how many pages the listing has as p tells it, or false if p does not tell.
	Count(p Page) (pages int, ok bool)
	// Fewest returns the smallest number of rows that a page before the last one can have; 0: it is unknown. sure says that the number is documented and
	// not only observed.
	Fewest() (rows int, sure bool)
	// Cut reports whether more rows may follow a page with this many, by what is known of the sizes of pages.
	Cut(rows int) bool
}

// Sized is a Strategy that asks for pages of a certain size and can ask for smaller ones.
type Sized interface {
	// Resize asks for pages of the given size, or of half the present size if it is 0. It returns false if that is not smaller or not possible.
	Resize(size int) (Strategy, bool)
}

// Single is for a listing without pages.
type Single struct{}

// First returns r as it is.
func (Single) First(r httpclient.Request) httpclient.Request { return r }

// Next returns false, because there is no next page.
func (Single) Next(httpclient.Request, Page) (httpclient.Request, bool) {
	return httpclient.Request{}, false
}

// Whole is for a listing that is one answer and tells how many rows it has.
type Whole struct {
	Single
	Rows string // path in the answer: the number of rows, which is reliable
}

// Total returns the number at Rows.
func (w Whole) Total(p Page, _ bool) Total { return total(p, w.Rows) }

// Number asks for pages by their number. If the answer does not tell how many there are, the listing is read until nothing new comes.
type Number struct {
	In        httpclient.In
	Param     string // the page's number
	Start     int    // the number of the first page
	SizeParam string // the page's size; "": it is not asked for
	Size      int
	Exact     bool   // every page but the last has Size rows: the API refuses a size that it does not allow, instead of using another
	Likely    bool   // Exact is likely, though no refusal was observed: a page with fewer rows is the last one if there is none behind it
	Caps      []int  // sizes to which the API is known to cut pages silently
	Last      string // path in the answer: the number of the last page
	Echo      string // path in the answer: the number of the page itself
	Rows      string // path in the answer: the number of rows of the whole listing
	Unsure    bool   // Rows is sometimes wrong
	Bare      bool   // an answer may be the bare list, without Rows, because it is unknown how the API writes it
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

// Next asks for the number after r's. It never returns false, so the engine decides when to stop.
func (n Number) Next(r httpclient.Request, _ Page) (httpclient.Request, bool) {
	return r.With(n.In, n.Param, param(r, n.In, n.Param)+1), true
}

// Count returns the number of pages up to the one at Last.
func (n Number) Count(p Page) (int, bool) {
	last, ok := number(p, n.Last)
	return int(max(0, min(last-int64(n.Start)+1, math.MaxInt32))), ok
}

// Fewest returns Size if it is Exact, 1 if that is Likely, or else the smallest of Caps.
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

// Cut reports whether a page with this many rows may be cut off: it has at least Size rows, or as many as one of Caps, or nothing is known.
func (n Number) Cut(rows int) bool {
	return rows >= n.Size || slices.Contains(n.Caps, rows) || !n.Exact && !n.Likely && len(n.Caps) == 0
}

// Echoes compares the page's own number with the requested one.
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

// Total returns the number at Rows. If it is Unsure, and on a later page no larger than that page, it counts that page alone and is not used.
func (n Number) Total(p Page, first bool) Total {
	t := total(p, n.Rows)
	t.Told = t.Told && (first || !n.Unsure || t.Rows > int64(len(p.Records)))
	t.Documented, t.Reliable = t.Documented && !n.Bare, t.Reliable && !n.Unsure
	return t
}

// AtOnce is a Number of which one page, numbered All, is said to be the whole listing, up to as many rows as an answer can hold. The engine believes
// that once it has been observed: see package listing.
type AtOnce struct {
	Number
	All int
}

// Once returns r made to ask for all rows in one answer.
func (a AtOnce) Once(r httpclient.Request) httpclient.Request { return r.With(a.In, a.Param, a.All) }

// Offset asks for pages by the position of their first row. The next page begins after the rows that came, so nothing is lost if a server silently
// caps the size. An empty page is the end.
type Offset struct {
	In        httpclient.In
	Param     string // the position of the first row
	SizeParam string // how many rows; "": it is not asked for
	Size      int
	Rows      string // path in the answer: the number of rows of the whole listing, which is reliable
	Max       int    // the last position that can be asked for; 0: there is no limit
}

// First returns r made to ask from position 0.
func (o Offset) First(r httpclient.Request) httpclient.Request {
	if o.SizeParam != "" {
		r = r.With(o.In, o.SizeParam, o.Size)
	}
	return r.With(o.In, o.Param, 0)
}

// Next asks from the position after the rows that came, or from the last position that can be asked for.
func (o Offset) Next(r httpclient.Request, p Page) (httpclient.Request, bool) {
	at := param(r, o.In, o.Param)
	next := at + len(p.Records)
	if o.Max > 0 {
		next = min(next, max(o.Max, at))
	}
	return r.With(o.In, o.Param, next), next > at
}

// Total returns the number at Rows.
func (o Offset) Total(p Page, _ bool) Total { return total(p, o.Rows) }

// Beyond reports whether rows follow p, if p was asked for from the last possible position.
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

// Token asks for the next page with a token from the page before it. If the token is missing or empty, that page is the last.
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

// NextURL follows an address in the page, absolute or relative to the host. If the address is missing or empty, the page is the last.
type NextURL struct {
	Path string // the address's path in the answer
}

// First returns r as it is.
func (NextURL) First(r httpclient.Request) httpclient.Request { return r }

// Next returns r with its path and query replaced by the address.
func (n NextURL) Next(r httpclient.Request, p Page) (httpclient.Request, bool) {
	return follow(r, p.Body.Get(n.Path).Text())
}

// Link follows the rel="next" address of the Link header (RFC 8288).
type Link struct{}

// First returns r as it is.
func (Link) First(r httpclient.Request) httpclient.Request { return r }

// Next returns r with its path and query replaced by the address.
func (Link) Next(r httpclient.Request, p Page) (httpclient.Request, bool) {
	return follow(r, nextLink(p.Header))
}

// Keyset asks for the rows after the last key that came, in the order of that key. A page with all remaining rows is the end, and so is an empty one.
// Its place is the last key.
type Keyset struct {
	In        httpclient.In
	Param     string                  // the key after which the page begins; missing for the first page
	Format    func(key string) string // writes the key as Param needs it; nil: as it is
	Field     string                  // the key's path in a row
	SizeParam string                  // how many rows; "": it is not asked for
	Size      int
	Rows      string // path in the answer: the number of rows from the key on
	Sorted    bool   // keys are in byte order, so a page out of order does not answer what was asked
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

// Next returns r made to ask for the rows after the last key of the page.
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

// Total returns the number at Rows in the first page. In later pages that number falls, so it is not used.
func (k Keyset) Total(p Page, first bool) Total {
	t := total(p, k.Rows)
	t.Told = t.Told && first
	return t
}

// Anchored says that rows that are added or removed before the key do not move those after it.
func (Keyset) Anchored() {}

// Echoes reports whether the keys of a Sorted listing rise, starting above the key after which the page should begin.
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

// Func is for pagination that is peculiar to one API: the function alone decides which request follows a page.
type Func func(r httpclient.Request, p Page) (httpclient.Request, bool)

// First returns r as it is.
func (Func) First(r httpclient.Request) httpclient.Request { return r }

// Next calls f.
func (f Func) Next(r httpclient.Request, p Page) (httpclient.Request, bool) { return f(r, p) }

// smaller sets size to the given one, or to half of it if that is 0. It returns false if that is not smaller, or if no size is asked for.
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

// number returns the whole number at path in the answer, or false if path is "" or there is no such number.
func number(p Page, path string) (int64, bool) {
	if path == "" {
		return 0, false
	}
	return p.Body.Get(path).Int()
}

// total returns the number at path in the answer, as a documented promise, or the zero Total if path is "".
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
