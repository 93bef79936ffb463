// Package snapproperty simulates the services of SnapProperty, a Brazilian real-estate CRM that lives in its customer's Salesforce
// organisation: the token service, the search of properties, the cities, and the six methods that change contracts. It is written from
// the vendor's pages and from Salesforce's documents. Where they are silent it is strict: a body has the documented members and no
// others, an assertion comes in the body of the form, an operator is one of the eight that the page names.
//
// The filters of a search are put behind a condition that is always true, as they came: "WHERE Id <> null" and then each of them. So
// every one begins with AND or OR, the first too, and one OR without parentheses beside an AND is an error.
package snapproperty

import (
	"cmp"
	"crypto/rsa"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Options are what a Simulator can be told. The zero value is an organisation of 1,000 properties and 2,000 photos that accepts all
// filters, whose sessions do not end, and that loses no answer.
type Options struct {
	Size   int              // properties; there are twice as many photos; 0 means 1,000
	Seed   uint64           // equal seeds give equal data
	Now    func() time.Time // the clock; nil is the wall clock
	Newest time.Time        // the newest time of change in the data at first; zero means 2025-11-03 18:30 in São Paulo
	Odd    bool             // rows have values as people leave them in old databases, see sim.Odd

	Login       Login // how Config and DestinationConfig log in
	Refuse      Refusal
	SessionUses int           // calls that an access token is good for; 0 means any number
	SessionIdle time.Duration // a token that was not used for so long is no longer good; 0 means two hours

	NoIdOrder     bool // comparisons of Id other than = and <> are refused, so that there is no paging by Id
	NoGroups      bool // parentheses are refused, but for IN's
	NoModified    bool // filters by LastModifiedDate and SystemModstamp are refused
	NoCreated     bool // filters by CreatedDate are refused
	ShowModified  bool // properties have LastModifiedDate
	Burst         int  // so many properties, from the middle on, were created within the same second
	Heap          int  // a search whose answer has more bytes fails with System.LimitException; 0 means 6,000,000
	Slow          int  // a search for more properties takes too long, and fails with QUERY_TIMEOUT; 0 means none does
	PhotosAtOnce  int  // more photos than these come in parts: done is false and nextRecordsUrl leads to the next ones; 0 means all at once
	NoNextPhotos  bool // with PhotosAtOnce: done is false, and nothing says where the others are
	Append        int  // so many properties are created after each search that is answered
	Vanish        int  // so many properties of those that were answered are deleted after each search
	DriftPages    int  // after so many searches nothing is created or deleted any more; 0 means it never ends
	Daily         int  // calls in any 24 hours; 0 means 100,000
	Used          int  // how many of them were made, by others, when the Simulator began
	BusyEvery     int  // every so-manieth call is one too many at the same time; 0 means none
	TooMany       int  // the status with which Error answers a quota that is used up: 429 (or 0), 403 or 503
	NoPackage     bool // the organisation does not have the package: 404
	NoAccess      bool // the user may not run the package's classes: 403
	FailureStatus int  // of a contract method that refuses: 200 (or 0), or 400
	QuietFailures bool // a contract method that refuses says so in words alone: Erro is false

	Losses Losses // which calls of contract methods have no answer; SetLosses changes it

	Rendered *sim.Rendered // where rows are kept that were written; nil is a place of its own
}

// Login is a way to come by an access token.
type Login string

// The ways to log in. The empty one is Assertion.
const (
	Assertion   Login = "assertion"    // the organisation's ready assertion, good for ten years
	PrivateKey  Login = "private_key"  // an assertion signed for each login, good for five minutes at most
	AccessToken Login = "access_token" // a token that the organisation's administrator handed out
)

// Refusal is why the token service refuses everybody, whatever the assertion.
type Refusal string

// The documented refusals; the empty one is none.
const (
	RefuseApproval Refusal = "approval" // invalid_grant, user hasn't approved this consumer
	RefuseAudience Refusal = "audience" // invalid_grant, audience is invalid
	RefuseExpired  Refusal = "expired"  // invalid_grant, expired authorization code
	RefuseLocked   Refusal = "locked"   // invalid_grant, user is locked
	RefuseClient   Refusal = "client"   // invalid_client_id, client identifier invalid
)

// Simulator is SnapProperty for one organisation. Its methods may be called at any time from any goroutine.
type Simulator struct {
	with      Options
	zone      *time.Location
	stock     *stock
	fields    []field
	filters   map[string]*field                // by lower-case name
	key       func() (*rsa.PrivateKey, string) // the consumer's, and its PEM; made when first needed
	assertion string
	fixed     string // the administrator's token

	data      sync.RWMutex // guards what follows
	rows      []row
	deleted   int               // properties
	contracts map[int]*contract // those that were touched, by number
	effects   []Effect
	refused   map[Run]string
	must      map[int]bool // properties changed in this period
	drifted   map[int]bool // properties created or deleted between pages in this period
	since     period

	books    sync.Mutex // guards what follows
	sessions map[string]*session
	tokens   []string
	signed   []string // assertions
	learnt   []string // tokens and all assertions that were sent, but for the ready one
	asked    []Search
	calls    []time.Time // of the last 24 hours
	number   int         // of calls in all
	searches int         // that were answered
	ticks    uint64      // searches whose order leaves something open
	losses   Losses
	posts    int   // of contract methods, since the losses were set
	first    int64 // when the first request of the period came; 0: none has
}

var (
	_ sim.Simulator = (*Simulator)(nil)
	_ sim.Pager     = (*Simulator)(nil)
	_ sim.Confidant = (*Simulator)(nil)
	_ sim.Drifter   = (*Simulator)(nil)
)

// New makes an organisation with its data. It panics on options that contradict themselves, for they are the programmer's.
func New(o Options) *Simulator { return sim.Sure(open(o)) }

func open(o Options) (*Simulator, error) {
	sim.Defaults(&o.Size, &o.Now, &o.Newest)
	o.Rendered = cmp.Or(o.Rendered, &sim.Rendered{})
	o.Login = cmp.Or(o.Login, Assertion)
	o.SessionIdle = cmp.Or(o.SessionIdle, 2*time.Hour)
	o.Heap = cmp.Or(o.Heap, 6_000_000)
	o.Daily = cmp.Or(o.Daily, 100_000)
	o.TooMany = cmp.Or(o.TooMany, http.StatusTooManyRequests)
	o.FailureStatus = cmp.Or(o.FailureStatus, http.StatusOK)
	s := &Simulator{
		with:      o,
		zone:      sim.Brasilia(),
		stock:     newStock(),
		assertion: readyAssertion(o.Seed),
		fixed:     accessToken(o.Seed, -1),
		key:       sync.OnceValues(newKey),
		contracts: map[int]*contract{},
		refused:   map[Run]string{},
		must:      map[int]bool{},
		drifted:   map[int]bool{},
		sessions:  map[string]*session{},
	}
	s.fields, s.filters = fields()
	if err := cmp.Or(
		sim.NonNegative("snapproperty",
			o.Size, o.SessionUses, o.Burst, o.Heap, o.Slow, o.PhotosAtOnce, o.Append, o.Vanish, o.DriftPages, o.Daily, o.Used, o.BusyEvery),
		sim.OneOf("snapproperty", "login", o.Login, Assertion, PrivateKey, AccessToken),
		sim.OneOf("snapproperty", "refuse", o.Refuse, "", RefuseApproval, RefuseAudience, RefuseExpired, RefuseLocked, RefuseClient),
		sim.OneOf("snapproperty", "too-many", o.TooMany, http.StatusTooManyRequests, http.StatusForbidden, http.StatusServiceUnavailable),
		sim.OneOf("snapproperty", "failure-status", o.FailureStatus, http.StatusOK, http.StatusBadRequest),
		o.Losses.check(),
	); err != nil {
		return nil, err
	}
	if o.BusyEvery == 1 {
		return nil, fmt.Errorf("opening snapproperty: every call would be one too many")
	}
	s.losses = o.Losses
	s.sessions[s.fixed] = &session{used: o.Now(), fixed: true}
	s.fill()
	return s, nil
}

// Open makes a Simulator from options by name: those of Options, see sim.Build.
func Open(o sim.Options) (sim.Simulator, error) { return sim.Build("snapproperty", o, open) }

// Config returns source-snapproperty's. Its pages are small where there are few properties, so that there are some of them all the same.
func (s *Simulator) Config(baseURL string, quota sim.Quota) map[string]any {
	config := s.DestinationConfig(baseURL, quota)
	config["page_size"] = min(max(s.with.Size/46, 5), 100)
	return config
}

// DestinationConfig returns destination-snapproperty's: a valid configuration with the credentials of Options.Login, that calls baseURL (scheme
// and host) at the pace the quota allows. The connector counts requests per minute; a quota over another window is converted.
func (s *Simulator) DestinationConfig(baseURL string, quota sim.Quota) map[string]any {
	credentials := map[string]any{"auth_type": string(s.with.Login)}
	switch s.with.Login {
	case Assertion:
		credentials["assertion"] = s.assertion
	case AccessToken:
		credentials["access_token"] = s.fixed
	case PrivateKey:
		credentials["client_id"], credentials["username"], credentials["audience"] = consumer, username, audience
		_, credentials["private_key"] = s.key()
	}
	return map[string]any{
		"org_url": baseURL, "token_url": baseURL + tokenPath, "credentials": credentials, "requests_per_minute": quota.PerMinute(),
	}
}

// Secrets returns those of Config. See Learnt for what comes up while it is used.
func (s *Simulator) Secrets() []string {
	switch s.with.Login {
	case AccessToken:
		return []string{s.fixed}
	case PrivateKey:
		_, pem := s.key()
		return []string{pem}
	default:
		return []string{s.assertion}
	}
}
