// Package nectarcrm simulates the API of NectarCRM (app.nectarcrm.com.br), a Brazilian sales CRM, from its vendor's documents and from
// what is known of its practice: bare arrays without a total, page sizes that are lowered without a word and differently per resource,
// lists that show only what is open, filters that are ignored, absent members instead of null, texts and objects in one another's places.
//
// A page does not say which one it is, so nobody can tell a page from the one before: it is no sim.Pager. The API's throttle (429 after
// some fast pages, without Retry-After) is a sim.Quota, see Throttle and Spacing.
package nectarcrm

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Options are what a Simulator can be told. The zero value is a company with 1,000 contacts that nobody changes, and an API that honours
// the filter by time of change, ends a list with an empty page and refuses what it does not document.
type Options struct {
	Size   int              // contacts; the other tables grow with them; 0 means 1,000
	Seed   uint64           // equal seeds give equal data
	Now    func() time.Time // the clock for what changes; nil is the wall clock
	Newest time.Time        // the newest time of change in the data at first, in milliseconds; zero means 2025-11-03 18:30:00.789 in São Paulo
	Odd    bool             // rows have values as people leave them in old databases, see sim.Odd

	Token        Token // what the company's token looks like
	HTML401      bool  // a 401 has an HTML page for a body
	BadParameter int   // what a value that cannot be gets: 401 (or 0), 400, or 200: the parameter is ignored

	Refused []string // parameters that get a 401 whatever their value
	Missing []string // paths that answer 404 with an HTML page, as if the route did not exist
	Gated   []string // paths that answer 403, as features do that are not in the plan

	Caps       map[string]int // rows of a page at the most, by path, where other than usual
	Short      int            // every so-manieth place of a list is one that the token's user may not see: pages are shorter; 0 is none
	Repeat     bool           // after its last page a list repeats it for ever; otherwise pages are empty from then on
	Messages   float64        // the share of requests for a list that get 200 with {"message":…} in place of it
	Unfiltered bool           // the filter by time of change is ignored
	Exclusive  bool           // the filter by time of change leaves out the days it names
	UTCDays    bool           `sim:"utc-days"` // the days of the filter are those of UTC

	SameScale   bool       // the status that qualificacoes are asked for is the one they have; otherwise 1 to 4 stand for the six of them
	HighStatus  HighStatus // what becomes of qualificacoes?status=5 and 6
	BareAll     bool       // qualificacoes without a status are all; otherwise those of status=1
	EndedHidden bool       // price tables that are not in use come only where active=false asks for them
	Enveloped   bool       // answers whose form is not documented (dynamic tables, their rows, reports) are {"data":[…]}
	Wrapped     bool       // every list is {"data":[…]}
	NoProposals Nothing    // what stands in the place of the list of an opportunity that has no proposals
	Empty       Nothing    // what stands in the place of every other page without rows
	Twins       bool       // some records have undocumented members whose names differ from documented ones by their case or by a "_" only
	ProposalsOf string     // the connector's setting proposals_of; empty leaves it out

	Drift Drift

	Rendered *sim.Rendered // where rows are kept that were written; nil is a place of its own
}

// HighStatus says what the API makes of a status of qualificacoes that its documents do not allow in the filter.
type HighStatus string

// The ways.
const (
	HighRefused HighStatus = ""       // as a bad parameter
	HighEmpty   HighStatus = "empty"  // a list without rows
	HighServed  HighStatus = "served" // with SameScale, the rows that have it; otherwise none
)

// Nothing is what stands in the place of a list without rows.
type Nothing string

// The ways.
const (
	NoRows    Nothing = ""         // a list without rows
	Sentence  Nothing = "message"  // 200 with {"message":…}
	Sentence2 Nothing = "mensagem" // 200 with {"mensagem":…}
	NoContent Nothing = "204"      // 204
	NotFound  Nothing = "404"      // 404 with {"message":…}
	Invalid   Nothing = "400"      // 400 with {"message":…}
)

// Drift is what happens to the contacts, opportunities, qualifications, tasks and appointments after each page of them that is answered:
// a list changes while it is read. No row moves to an earlier page, so a reader that reads on to the end sees every row.
type Drift struct {
	Move    int  // rows of the pages up to the answered one that move to later pages, some of them again; new rows take their places
	Touch   bool // those rows also change, and their time of change with them; some opportunities also get another status
	Append  int  // new rows at the end
	Prepend int  // new rows at the front, which push all others towards later pages
	Pages   int  `sim:"drift-pages"` // after so many pages of a table nothing happens to it any more; 0 means it never ends
}

// Simulator is NectarCRM for one company. Its methods may be called at any time from any goroutine.
type Simulator struct {
	with   Options
	token  string
	zone   *time.Location
	routes map[string]*table // by path, aliases too
	tables []*table

	contacts, opportunities, leads, tasks, appointments *table
	products, pipelines, users                          *table
	prices                                              *table
	feed, filledForms, queues, dynamic                  *table
	reports                                             *table            // without rows of its own: they are the opportunities'
	lists                                               map[string]*table // the lists that the connector reads, by its names of them

	mu       sync.Mutex // guards what changes in the tables, and what follows
	asked    map[string]int
	comments map[int][]int64 // by publication, when those were written that came later
	since    period
}

var (
	_ sim.Simulator = (*Simulator)(nil)
	_ sim.Drifter   = (*Simulator)(nil)
)

// New makes a company with its data. It panics on options that contradict themselves, for they are the programmer's.
func New(o Options) *Simulator { return sim.Sure(open(o)) }

func open(o Options) (*Simulator, error) {
	if o.Newest.IsZero() {
		o.Newest = time.Date(2025, time.November, 3, 18, 30, 0, 789_000_000, sim.Brasilia())
	}
	sim.Defaults(&o.Size, &o.Now, &o.Newest)
	o.Rendered = cmp.Or(o.Rendered, &sim.Rendered{})
	o.BadParameter = cmp.Or(o.BadParameter, http.StatusUnauthorized)
	if err := cmp.Or(
		sim.OneOf("nectarcrm", "token", o.Token, JWT, Expired, Expiring, Texts, Hex),
		sim.OneOf("nectarcrm", "high-status", o.HighStatus, HighRefused, HighEmpty, HighServed),
		sim.OneOf("nectarcrm", "no-proposals", o.NoProposals, NoRows, Sentence, Sentence2, NoContent, NotFound, Invalid),
		sim.OneOf("nectarcrm", "empty", o.Empty, NoRows, Sentence, Sentence2, NoContent, NotFound, Invalid),
		sim.OneOf("nectarcrm", "bad-parameter", o.BadParameter, http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized),
		sim.NonNegative("nectarcrm", o.Size, o.Short, o.Drift.Move, o.Drift.Append, o.Drift.Prepend, o.Drift.Pages),
	); err != nil {
		return nil, err
	}
	if o.Short == 1 || o.Messages < 0 || o.Messages > 1 {
		return nil, fmt.Errorf("opening nectarcrm: short is 1, or messages is no share")
	}
	s := &Simulator{with: o, token: o.Token.make(o.Seed, o.Now()), zone: sim.Brasilia(), asked: map[string]int{}, comments: map[int][]int64{}}
	s.fill()
	for name, rows := range o.Caps {
		t, ok := s.routes[name]
		if !ok || rows < 1 {
			return nil, fmt.Errorf("opening nectarcrm: there is no path %q with pages of %d rows", name, rows)
		}
		t.limit = rows
	}
	for _, name := range slices.Concat(o.Missing, o.Gated) {
		if _, ok := s.routes[name]; !ok && name != commentsPath && name != rowsPath {
			return nil, fmt.Errorf("opening nectarcrm: there is no path %q", name)
		}
	}
	return s, nil
}

// Open makes a Simulator from options by name: those of Options, see sim.Build. A cap is PATH=ROWS; a path is one
// below /crm/api/1/ and has no slash at its end.
func Open(o sim.Options) (sim.Simulator, error) { return sim.Build("nectarcrm", o, open) }

// Throttle returns what a client measured in August 2026: nine pages in 35 seconds, and 429 without Retry-After for the tenth. How long it
// lasts is not known; here it is ten seconds.
func Throttle() sim.Quota {
	return sim.Quota{Requests: 9, Window: 35 * time.Second, Hold: 10 * time.Second, RetryAfter: sim.NoRetryAfter}
}

// Spacing returns a throttle of one request in each so long a time.
func Spacing(d time.Duration) sim.Quota {
	return sim.Quota{Requests: 1, Window: d, RetryAfter: sim.NoRetryAfter}
}

// Secrets returns the token.
func (s *Simulator) Secrets() []string { return []string{s.token} }

// Config reads from baseURL with the company's token. The connector counts requests per minute; a quota over another window is converted.
func (s *Simulator) Config(baseURL string, quota sim.Quota) map[string]any {
	config := map[string]any{"api_token": s.token, "base_url": baseURL, "requests_per_minute": quota.PerMinute()}
	if s.with.ProposalsOf != "" {
		config["proposals_of"] = s.with.ProposalsOf
	}
	return config
}
