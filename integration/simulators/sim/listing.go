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
	// Listing is the page that r asks for; false where r asks for anything else. r and its body can be used once more afterwards.
	Listing(r *http.Request) (Listing, bool)
}

// Listing is a listing, the page of it that a request asks for, and how the API writes one.
type Listing struct {
	Name  string // method and path, then the parameters that choose rows: equal for all pages of a listing
	Page  int    // from 1, where the API counts pages
	From  int    // the position at which the page begins, where the API goes on by position
	After string // the key behind which it begins, where the API goes on by key
	Size  int    // the rows of a page, as the API understands the request
	Key   string // the member of a row that names it
	Form  Form

	// At is the request for another page of the listing.
	At func(page int) *http.Request
}

// Form names the members of an answer. Without a List the answer is the list itself; an empty name of another says that there is none.
type Form struct{ List, Total, Last, Echo string }

// Answer is an answer on its way out. What Behaviour.Alter leaves alone goes out as the simulator wrote it.
type Answer struct {
	Request *http.Request
	Attempt int // 1 for the first request with this method, URI and body
	Status  int
	Header  http.Header
	Body    []byte

	listing string // its name; empty for none
	page    *Page
	cut     func() *Page
}

// Page takes the answer apart; nil where it is no page of a listing. What is done to a Page goes out, unless Replace or Recode is called.
func (a *Answer) Page() *Page {
	if a.page == nil && a.cut != nil {
		a.page = a.cut()
	}
	return a.page
}

// Replace puts another answer in the place of this one, of the same Content-Type.
func (a *Answer) Replace(status int, body string) {
	a.Status, a.Body, a.cut, a.page = status, []byte(body), nil, nil
}

// Recode changes the bytes of the answer and says what they are.
func (a *Answer) Recode(contentType string, bytes func(body []byte) []byte) {
	body := a.Body
	if a.page != nil {
		body = a.page.render(a.Body)
	}
	a.Replace(a.Status, string(bytes(body)))
	a.Header.Set("Content-Type", contentType)
}

// Page is a page of a listing in an answer. From is the position of its first row among All, whatever the API goes on by; past the end it is as
// many as there are, or more.
type Page struct {
	Listing

	Asked int // pages of the listing that were asked for so far, this one included
	Rows  []json.RawMessage
	All   *Rows // what is done to it can be seen from the next page on

	// The members of the envelope, as JSON; an empty one is left out.
	Total, Last, Echo string
}

// Take makes the page the one that has that number where pages have that many rows; where an API does not count pages it only has that many.
func (p *Page) Take(page, size int) {
	if p.Page > 0 {
		p.From = (page - 1) * size
	}
	from := min(p.From, len(p.All.Rows))
	p.Rows = slices.Clone(p.All.Rows[from:min(from+size, len(p.All.Rows))])
}

// Recount cuts the page out of what All has now, and brings the total and the last page's number up to that.
func (p *Page) Recount() {
	p.Take(p.Page, p.Size)
	total := len(p.All.Rows)
	if p.After != "" {
		total -= min(p.From, total) // those that the condition on the key lets through
	}
	p.Total, p.Last = strconv.Itoa(total), strconv.Itoa((total+p.Size-1)/p.Size)
}

// Past tells whether the page lies past the end of the listing, which is not so of the first one.
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

// Rows are all rows of a listing as they are now.
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

// Remove takes out the row at a position, if there is one.
func (r *Rows) Remove(at int) {
	if at >= len(r.Rows) {
		return
	}
	key := keyOf(r.Rows[at], r.key)
	delete(r.keys.Must, key)
	r.keys.May[key] = true
	r.Rows = slices.Delete(slices.Clone(r.Rows), at, at+1)
}

// Insert puts a new row at a position: a copy of the last one with a number of its own for a key.
func (r *Rows) Insert(at int) {
	r.news++
	key := strconv.Itoa(1_900_000_000 + r.news)
	r.keys.May[key] = true
	r.Rows = slices.Insert(slices.Clone(r.Rows), at, With(r.Rows[len(r.Rows)-1], r.key, key))
}

// With returns a row with a member set to a value in JSON; an empty value takes the member out.
func With(row json.RawMessage, name, value string) json.RawMessage {
	members := map[string]json.RawMessage{}
	mustRead(row, &members)
	if members[name] = json.RawMessage(value); value == "" {
		delete(members, name)
	}
	return write(members)
}

// Listed is what is known of a listing whose pages were taken apart.
type Listed struct {
	Keys         // Must: the rows that were there from the first request to now; May: those that came or went
	Requests int // for pages of it
	Pages    int // as many as a reader needs for all rows that were there at first
}

// Listed returns what is known of the listings whose name has that part, together.
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

// alteration is Behaviour.Alter at work.
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
	_, _ = w.Write(answer.Body) // a reader that went away is its own affair
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

// page returns the page of a listing that body is the answer for.
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

// fetch asks the simulator for all rows of a listing. Its books have these requests too; the gate's have not.
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

// write returns an object of members that are JSON already, or are meant to be none: they are not checked.
func write(members map[string]json.RawMessage) []byte {
	var parts [][]byte
	for _, name := range slices.Sorted(maps.Keys(members)) {
		parts = append(parts, slices.Concat(Encode(name), []byte{':'}, members[name]))
	}
	return slices.Concat([]byte{'{'}, bytes.Join(parts, []byte{','}), []byte{'}'})
}

// mustRead reads what a simulator wrote.
func mustRead(body []byte, into any) {
	if err := json.Unmarshal(body, into); err != nil {
		panic(fmt.Sprintf("a simulator's answer cannot be taken apart: %v: %.200s", err, body))
	}
}
