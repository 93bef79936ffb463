package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tidwall/gjson"
)

// Lister is a Simulator that says how its API asks for pages and writes them, so that Behaviour.Alter can change them.
type Lister interface {
	// Listing returns the page that r asks for, or false if r asks for something else. r and its body can be used once more afterwards.
	Listing(r *http.Request) (Listing, bool)
}

// Listing is a listing, the page of it that a request asks for, and the form in which the API writes a page.
type Listing struct {
	Name  string // method and path, then the parameters that select rows: equal for all pages of a listing
	Page  int    // from 1, if the API counts pages
	From  int    // the position at which the page begins, if the API pages by position
	After string // the key after which the page begins, if the API pages by key
	Size  int    // rows per page, as the API understands the request
	Key   string // the member of a row that identifies it
	Form  Form

	// At returns the request for another page of the listing.
	At func(page int) *http.Request
}

// Form names the members of an answer. Without List the answer is the list itself. Any other empty name means that the member does not exist.
type Form struct{ List, Total, Last, Echo string }

// Answer is an answer before it is sent. What Behaviour.Alter does not change is sent as the simulator wrote it.
type Answer struct {
	Request *http.Request
	Attempt int // 1 for the first request with this method, URI and body
	Status  int
	Header  http.Header
	Body    []byte

	listing string // its name; empty if there is none
	page    *Page
	cut     func() *Page
}

// Page takes the answer apart, and returns nil if it is not a page of a listing. Changes of the Page are sent, unless Replace or Recode is called.
func (a *Answer) Page() *Page {
	if a.page == nil && a.cut != nil {
		a.page = a.cut()
	}
	return a.page
}

// Replace replaces the answer by another one with the same Content-Type.
func (a *Answer) Replace(status int, body string) {
	a.Status, a.Body, a.cut, a.page = status, []byte(body), nil, nil
}

// Recode changes the bytes of the answer and declares their content type.
func (a *Answer) Recode(contentType string, bytes func(body []byte) []byte) {
	body := a.Body
	if a.page != nil {
		body = a.page.render(a.Body)
	}
	a.Replace(a.Status, string(bytes(body)))
	a.Header.Set("Content-Type", contentType)
}

// Page is a page of a listing in an answer. From is the position of its first row among All, however the API pages. Past the end it is the number of
// rows, or more.
type Page struct {
	Listing

	Asked int // number of pages of the listing that were requested so far, including this one
	Rows  []json.RawMessage
	All   *Rows // changes of it are visible from the next page on

	// The members of the envelope, as JSON. An empty one is left out.
	Total, Last, Echo string
}

// Take turns the page into page number page of pages with size rows. If the API does not count pages, only its size changes.
func (p *Page) Take(page, size int) {
	if p.Page > 0 {
		p.From = (page - 1) * size
	}
	from := min(p.From, len(p.All.Rows))
	p.Rows = slices.Clone(p.All.Rows[from:min(from+size, len(p.All.Rows))])
}

// Recount takes the rows of the page from the current rows of All, and updates the total and the number of the last page.
func (p *Page) Recount() {
	p.Take(p.Page, p.Size)
	total := len(p.All.Rows)
	if p.After != "" {
		total -= min(p.From, total) // the rows that fulfil the condition on the key
	}
	p.Total, p.Last = strconv.Itoa(total), strconv.Itoa((total+p.Size-1)/p.Size)
}

// Past reports whether the page is past the end of the listing. The first page never is.
func (p *Page) Past() bool { return p.From > 0 && p.From >= len(p.All.Rows) }

// render writes the page into the envelope of an answer.
func (p *Page) render(body []byte) []byte {
	rows := make([]JSON, len(p.Rows))
	for i, row := range p.Rows {
		rows[i] = JSON(row)
	}
	list := Encode(rows)
	if p.Form.List == "" {
		return list
	}
	envelope := map[string]json.RawMessage{}
	mustRead(body, &envelope)
	envelope[p.Form.List] = list
	for name, value := range map[string]string{p.Form.Total: p.Total, p.Form.Last: p.Last, p.Form.Echo: p.Echo} {
		if delete(envelope, name); name != "" && value != "" {
			envelope[name] = json.RawMessage(value)
		}
	}
	return write(envelope)
}

// Rows are all current rows of a listing.
type Rows struct {
	Rows []json.RawMessage
	key  string
	keys Keys
	news int
}

// Find returns the position of the row with a key, or -1.
func (r *Rows) Find(key string) int {
	return slices.IndexFunc(r.Rows, func(row json.RawMessage) bool { return keyOf(row, r.key) == key })
}

// Remove removes the row at a position, if there is one.
func (r *Rows) Remove(at int) {
	if at >= len(r.Rows) {
		return
	}
	key := keyOf(r.Rows[at], r.key)
	delete(r.keys.Must, key)
	r.keys.May[key] = true
	r.Rows = slices.Delete(slices.Clone(r.Rows), at, at+1)
}

// Insert inserts a new row at a position: a copy of the last row with a new number as its key.
func (r *Rows) Insert(at int) {
	r.news++
	key := strconv.Itoa(1_900_000_000 + r.news)
	r.keys.May[key] = true
	r.Rows = slices.Insert(slices.Clone(r.Rows), at, With(r.Rows[len(r.Rows)-1], r.key, key))
}

// With returns a row with a member set to a value in JSON. An empty value removes the member.
func With(row json.RawMessage, name, value string) json.RawMessage {
	members := map[string]json.RawMessage{}
	mustRead(row, &members)
	if members[name] = json.RawMessage(value); value == "" {
		delete(members, name)
	}
	return write(members)
}

// Listed is what is known about a listing whose pages were taken apart.
type Listed struct {
	Keys         // Must: the rows that were in it from the first request until now; May: those that came or went
	Requests int // for pages of it
	Pages    int // as many as a reader needs for all rows of the first request
}

// Listed returns the sum of what is known about the listings whose names contain name.
func (g *Gate) Listed(name string) Listed {
	g.alter.mu.Lock()
	defer g.alter.mu.Unlock()
	all := Listed{Keys: Keys{Must: Set(), May: Set()}}
	for listing, known := range g.alter.listings {
		if !strings.Contains(listing, name) {
			continue
		}
		for key := range known.rows.keys.Must {
			all.Must[key] = true
		}
		for key := range known.rows.keys.May {
			all.May[key] = true
		}
		all.Requests += known.asked
		all.Pages += known.pages
	}
	return all
}

// alteration is the state of Behaviour.Alter.
type alteration struct {
	simulator Simulator
	mu        sync.Mutex // guards what follows, and is held while answers are altered
	attempts  map[string]int
	listings  map[string]*listed
}

// listed is one listing whose pages are taken apart.
type listed struct {
	rows         Rows
	asked, pages int
}

func newAlteration(s Simulator) *alteration {
	return &alteration{simulator: s, attempts: map[string]int{}, listings: map[string]*listed{}}
}

// serve answers r as the simulator does, altered.
func (a *alteration) serve(alter func(*Answer), w http.ResponseWriter, r *http.Request) {
	answer := a.answer(alter, r)
	head(w, answer.Header, answer.Status, len(answer.Body))
	_, _ = w.Write(answer.Body) // it does not matter if the reader has gone
}

func (a *alteration) answer(alter func(*Answer), r *http.Request) *Answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	body := Body(r)
	var listing Listing
	var ok bool
	if l, can := a.simulator.(Lister); can {
		listing, ok = l.Listing(r)
	}
	right := capture(a.simulator, r)
	key := r.Method + " " + r.URL.RequestURI() + " " + string(body)
	a.attempts[key]++
	answer := &Answer{Request: r, Attempt: a.attempts[key], Status: right.status, Header: right.header, Body: right.body.Bytes()}
	if ok && right.status == http.StatusOK {
		answer.listing, answer.cut = listing.Name, func() *Page { return a.page(listing, answer.Body) }
	}
	alter(answer)
	if answer.page != nil {
		answer.Body = answer.page.render(answer.Body)
	}
	return answer
}

// page returns the page of a listing for which body is the answer.
func (a *alteration) page(l Listing, body []byte) *Page {
	known := a.listings[l.Name]
	if known == nil {
		known = &listed{rows: a.fetch(l)}
		known.pages = max(1, (len(known.rows.Rows)+l.Size-1)/l.Size)
		a.listings[l.Name] = known
	}
	known.asked++
	p := &Page{Listing: l, Asked: known.asked, All: &known.rows}
	if l.After != "" {
		for p.From < len(p.All.Rows) && keyOf(p.All.Rows[p.From], l.Key) <= l.After {
			p.From++
		}
	}
	p.Recount()
	if l.Form.Echo != "" {
		p.Echo = gjson.GetBytes(body, gjson.Escape(l.Form.Echo)).Raw
	}
	return p
}

// fetch requests all rows of a listing from the simulator. Its own records include these requests; the gate's do not.
func (a *alteration) fetch(l Listing) Rows {
	all := Rows{key: l.Key, keys: Keys{Must: Set(), May: Set()}}
	for page := 1; ; page++ {
		answer := capture(a.simulator, l.At(page))
		rows := list(answer.body.Bytes(), l.Form.List)
		all.Rows = append(all.Rows, rows...)
		for _, row := range rows {
			all.keys.Must[keyOf(row, l.Key)] = true
		}
		if len(rows) < l.Size {
			return all
		}
	}
}

// list returns the rows of an answer.
func list(body []byte, member string) (rows []json.RawMessage) {
	all := gjson.ParseBytes(body)
	if member != "" {
		all = all.Get(gjson.Escape(member))
	}
	for _, row := range all.Array() {
		rows = append(rows, json.RawMessage(row.Raw))
	}
	return rows
}

// keyOf returns the text of a row's key.
func keyOf(row json.RawMessage, member string) string {
	return gjson.GetBytes(row, gjson.Escape(member)).String()
}

// write returns an object of members that are already JSON, or deliberately not: they are not checked.
func write(members map[string]json.RawMessage) []byte {
	var parts [][]byte
	for _, name := range slices.Sorted(maps.Keys(members)) {
		parts = append(parts, slices.Concat(Encode(name), []byte{':'}, members[name]))
	}
	return slices.Concat([]byte{'{'}, bytes.Join(parts, []byte{','}), []byte{'}'})
}

// mustRead parses what a simulator wrote.
func mustRead(body []byte, into any) {
	if err := json.Unmarshal(body, into); err != nil {
		panic(fmt.Sprintf("a simulator's answer cannot be taken apart: %v: %.200s", err, body))
	}
}
