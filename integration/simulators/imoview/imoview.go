// Package imoview simulates the API of Imoview (api.imoview.com.br), a Brazilian real-estate CRM, from its documents and from what is
// known of its practice: page sizes that are refused rather than lowered, validation errors that come as 404, texts for money, areas,
// counts and times, and all of them in more than one form. Where nothing is known it is strict.
//
// A page does not say which one it is, so nobody can tell a page from the one before: it is no sim.Pager.
package imoview

import (
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Options are what a Simulator can be told. The zero value is an account of 1,000 clients that answers as documented.
type Options struct {
	Size   int              // clients, of which a third are tenants and one in twenty is a guarantor; 0 means 1,000
	Seed   uint64           // equal seeds give equal data, but for the appointments, which lie around the day of Now at New
	Now    func() time.Time // the clock for what changes; nil is the wall clock
	Newest time.Time        // the newest time of change in the data at first; zero means 2025-11-03 18:30 in São Paulo
	Odd    bool             // rows have values as people leave them in old databases, see sim.Odd

	Off        []string       // paths that the account does not have, "all" for every one
	Denied     []string       // paths that the key or the user may not read
	Unfiltered []string       // paths whose filter by time of change is ignored, "all" for every one
	Exclusive  bool           // the filters by time of change leave out the bound itself
	Caps       map[string]int // rows that a path allows in a page, where other than documented
	Cuts       map[string]int // rows to which a path cuts a page without a word
	Count      Count          // what is said of the number of rows
	Quiet      bool           // service requests change without an interaction: the time that they are filtered by moves, and not the one that they show
	Unoffered  int            // the first so many condominiums have nothing to offer, and are not listed, until Change: their time does not move then
	Nothing    string         // what a client of whom there is nothing is answered with; empty means an empty list
	NothingAs  int            // with which status: 404 (or 0), or 200
	CountOff   int            // is added to quantidade, which stays 0 or more
	Repeat     int            // each page begins with so many rows of the page before, as when rows come in at the front meanwhile
	SiteOnly   bool           // properties that are not on the agency's site come only with naoconsiderarmeusite
	CodeText   bool           // every tenth codigo is a text
	RegionsGet bool           // the regions are asked for by GET, and not by POST: which it is, is not documented
	BareDetail bool           // the answer about one property is the property, and not an object that has it

	LoginStatus   int           // of a login with a wrong password: 200 (or 0) with an empty codigoacesso, or 401
	SessionUses   int           // requests that a codigoacesso is good for; 0 means any number
	SessionAge    time.Duration // how long it is good; 0 means for ever
	SessionStatus int           // of a request with one that is not good any more: 401 (or 0), or 403

	// TooMany is the status with which Error answers a quota that is used up: 429 (or 0), or 401 with the very bytes of a wrong key, as
	// has been seen in practice.
	TooMany    int
	MessageKey string // the member of an error that has its text; empty means mensagem

	Rendered *sim.Rendered // where rows are kept that were written; nil is a place of its own
}

// Count is what an answer says of the number of rows. That it is of all of them is not true of every path.
type Count string

// The ways.
const (
	OfAll  Count = ""     // quantidade has it
	OfPage Count = "page" // quantidade has that of the page
	Untold Count = "none" // there is no quantidade
	Bare   Count = "bare" // the list is the answer
)

// Simulator is Imoview for one agency. Its methods may be called at any time from any goroutine.
type Simulator struct {
	with  Options
	stock *stock // the parts that rows are made of; never changes
	zone  *time.Location
	key   string
	today int64 // midnight of the day of New
	paths map[string]path

	data                                          sync.RWMutex // guards what follows
	users, contracts, inspections                 *table
	condominiums, properties, movements, requests *table
	leases                                        []parties          // of the contracts
	visits                                        []parties          // of the inspections
	clients                                       [partner + 1][]int // users by role, those of whom the listing of clients tells it
	contractsOf, inspectionsOf, guaranteedBy      map[int][]int
	letBy                                         map[int][]int // contracts by landlord
	since                                         period

	books    sync.Mutex // guards what follows
	asked    map[Ask]int
	sessions map[string]*session
	tokens   []string
	ticks    int   // pages cut out of a listing without a stable order
	first    int64 // when the first request of the period came; 0: none has
}

var (
	_ sim.Simulator = (*Simulator)(nil)
	_ sim.Confidant = (*Simulator)(nil)
)

// New makes an agency with its data. It panics on options that contradict themselves, for they are the programmer's.
func New(o Options) *Simulator { return sim.Sure(open(o)) }

func open(o Options) (*Simulator, error) {
	sim.Defaults(&o.Size, &o.Now, &o.Newest)
	o.Rendered = cmp.Or(o.Rendered, &sim.Rendered{})
	o.LoginStatus = cmp.Or(o.LoginStatus, http.StatusOK)
	o.SessionStatus = cmp.Or(o.SessionStatus, http.StatusUnauthorized)
	o.TooMany = cmp.Or(o.TooMany, http.StatusTooManyRequests)
	o.NothingAs = cmp.Or(o.NothingAs, http.StatusNotFound)
	o.MessageKey = cmp.Or(o.MessageKey, "mensagem")
	s := &Simulator{
		with:     o,
		stock:    sim.Part(o.Rendered, o.Seed, func() *stock { return newStock(o.Seed) }),
		zone:     sim.Brasilia(), // older times are never converted here
		key:      apiKey(o.Seed),
		asked:    map[Ask]int{},
		sessions: map[string]*session{},
	}
	s.today = s.wall(o.Now()) / day * day
	s.paths = s.routes()
	if err := cmp.Or(
		sim.NonNegative("imoview", o.Size, o.Repeat, o.Unoffered, o.SessionUses, int(o.SessionAge), o.CountOff+math.MaxInt32),
		sim.OneOf("imoview", "login-status", o.LoginStatus, http.StatusOK, http.StatusUnauthorized),
		sim.OneOf("imoview", "nothing-as", o.NothingAs, http.StatusOK, http.StatusNotFound),
		sim.OneOf("imoview", "count", o.Count, OfAll, OfPage, Untold, Bare),
		sim.OneOf("imoview", "session-status", o.SessionStatus, http.StatusUnauthorized, http.StatusForbidden),
		sim.OneOf("imoview", "too-many", o.TooMany, http.StatusTooManyRequests, http.StatusUnauthorized),
	); err != nil {
		return nil, err
	}
	for _, name := range slices.Concat(o.Off, o.Denied, o.Unfiltered, slices.Collect(maps.Keys(o.Caps))) {
		if _, ok := s.paths[name]; !ok && name != all {
			return nil, fmt.Errorf("opening imoview: there is no path %q", name)
		}
	}
	for name, rows := range o.Caps {
		if rows <= o.Repeat {
			return nil, fmt.Errorf("opening imoview: %s cannot have pages of %d rows of which %d repeat", name, rows, o.Repeat)
		}
	}
	s.fill()
	return s, nil
}

// all stands for every path in an option.
const all = "all"

// Open makes a Simulator from options by name: those of Options, see sim.Build. A cap is PATH=ROWS.
func Open(o sim.Options) (sim.Simulator, error) { return sim.Build("imoview", o, open) }

// apiKey looks as the vendor's keys do: 44 characters of base64.
func apiKey(seed uint64) string {
	raw := sim.Noise(seed, 0xc4a7e, 32)
	raw[0], raw[1], raw[2] = 0xfb, 0xff, 0xbe // "+/++": what must be encoded in a URL
	return base64.StdEncoding.EncodeToString(raw)
}

// The person whose login the App_ paths need. In a URL both must be encoded.
const (
	email    = "ana+leitura@imobiliaria.example"
	password = "S3nha+de/teste&=%1"
	userCode = 12
)

// digest returns the password as the API takes it.
func digest() string {
	sum := md5.Sum([]byte(password))
	return hex.EncodeToString(sum[:])
}

// Key returns the agency's key.
func (s *Simulator) Key() string { return s.key }

// Secrets returns the key and the password.
func (s *Simulator) Secrets() []string { return []string{s.key, password} }

// Config reads from baseURL with the agency's key and a person's login. The connector counts requests per minute; a quota over another
// window is converted.
func (s *Simulator) Config(baseURL string, quota sim.Quota) map[string]any {
	return map[string]any{
		"api_key": s.key, "email": email, "password": password, "base_url": baseURL, "requests_per_minute": quota.PerMinute(),
	}
}
