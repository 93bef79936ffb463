// Package imobiliar simulates the web service of Imobiliar, a Brazilian property-administration system, from what is known of it: one address,
// an action and a session id in the JSON of each request, a limited number of sessions, and listings whose place the server keeps with the
// session. It is strict: what a session is in the middle of is over when it is asked for anything else, and what is not documented is refused.
package imobiliar

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Options are what a Simulator can be told. The zero value is a company with 60 payables whose service knows every action.
type Options struct {
	Size     int              // payables, the largest table; the others grow with it, people up to 600
	Seed     uint64           // equal seeds give equal data
	Now      func() time.Time // the clock; nil is the wall clock
	Sessions int              // MaxSessions; 0 is 5
	Lifetime int              // requests after which a session has ended; 0: it does not end
	Cap      int              // rows of a segment at the most, whatever is asked for; 0: as asked
	Most     int              // rows of a segment that may be asked for; 0: any number
	Past     Past             // what comes behind the last segment
	Ends     Ends             // which of the days that it is told the service leaves out
	Undated  Undated          // what is answered where it is told none and need not be
	Nothing  string           // what is said, as an error, in the place of a list without rows, which is not documented; "": a list
	Odd      bool             // rows have values as people leave them in old databases, see sim.Odd

	ErrorStatus   int // of an answer that says what is wrong, which is not documented; 0: 200
	ExpiredStatus int // of the one that says that a session has ended; 0: 200

	Relet        bool     // properties were let before
	NumericCPF   bool     `sim:"numeric-cpf"` // CPF and CNPJ are numbers, so that zeros in front are missing
	ErrorsObject bool     // Erros is an object
	Unknown      []string // actions that the server does not know
	Denied       []string // actions that this user may not call
	Refused      []string // fields that the server does not take
}

// Past is what is answered behind the last segment of a listing, which is not documented.
type Past string

// The ways.
const (
	Empty  Past = ""       // a list without rows
	Absent Past = "absent" // a body without the list
	Fails  Past = "fails"  // an error
	Begins Past = "begins" // the first segment
)

// Ends is whether the first and the last day that a listing is asked for are in it, which is not documented.
type Ends string

// The ways.
const (
	Included Ends = ""      // both are
	NotFirst Ends = "first" // the first is not
	NotLast  Ends = "last"  // the last is not
	Neither  Ends = "both"  // neither is
)

// Undated is what is answered where days are not told, which is not documented.
type Undated string

// The ways. But for the first one there are payables without a due date, and with some long ago and far ahead.
const (
	AllDays  Undated = ""        // all rows
	Listed   Undated = "listed"  // all rows
	Unlisted Undated = "none"    // no rows
	Missing  Undated = "refused" // an error
)

// Simulator is Imobiliar for one company. Its methods may be called at any time from any goroutine.
type Simulator struct {
	with     Options
	password string
	now      func() time.Time
	known    map[string]action
	forms    map[byte]*regexp.Regexp

	mu          sync.Mutex
	data        *data
	sessions    map[string]*session
	learnt      []string
	logins      int
	interrupted int
	actions     map[string]int
}

// session is one that was opened and not ended.
type session struct {
	used     time.Time
	requests int
	action   string   // whose listing it is in
	body     string   // what was asked for first
	rows     []object // that are left of it
	first    []object
	size     int
}

const company, user = "EXEMPLO", "INTEGRA"

var (
	_ sim.Confidant = (*Simulator)(nil)
	_ sim.Placed    = (*Simulator)(nil)
)

// New makes a company with its data.
func New(o Options) *Simulator {
	o.Size, o.Sessions = cmp.Or(o.Size, 60), cmp.Or(o.Sessions, 5)
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Simulator{with: o, now: o.Now, known: actions(), forms: forms(), sessions: map[string]*session{}, actions: map[string]int{}}
	s.password = fmt.Sprintf("Ségredo-%x", sim.Noise(o.Seed, 1, 6))
	s.data = newData(o)
	return s
}

// Open makes a Simulator from options by name, such as errors-object.
func Open(o sim.Options) (sim.Simulator, error) {
	return sim.Build("imobiliar", o, func(o Options) (*Simulator, error) {
		if err := cmp.Or(
			sim.NonNegative("imobiliar", o.Size, o.Sessions, o.Lifetime, o.Cap, o.Most),
			sim.OneOf("imobiliar", "past", o.Past, Empty, Absent, Fails, Begins),
			sim.OneOf("imobiliar", "ends", o.Ends, Included, NotFirst, NotLast, Neither),
			sim.OneOf("imobiliar", "undated", o.Undated, AllDays, Listed, Unlisted, Missing),
		); err != nil {
			return nil, err
		}
		return New(o), nil
	})
}

// digest returns the password as it is sent: the MD5 of its capitals.
func (s *Simulator) digest() string {
	sum := md5.Sum([]byte(strings.ToUpper(s.password)))
	return hex.EncodeToString(sum[:])
}

// Secrets returns the password.
func (s *Simulator) Secrets() []string { return []string{s.password} }

// Learnt returns the digest of the password, which is as good as the password, and the ids of the sessions.
func (s *Simulator) Learnt() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{s.digest()}, s.learnt...)
}

// Config reads from baseURL; the connector counts requests per minute.
func (s *Simulator) Config(baseURL string, quota sim.Quota) map[string]any {
	return map[string]any{
		"base_url": baseURL, "imob_id": company, "user_id": user, "password": s.password, "requests_per_minute": quota.PerMinute(),
		"page_size": max(7, s.with.Size/1000), "start_date": "2015-01-01",
	}
}

// Sessions returns how many sessions are open, how many were opened, and how often a listing was left for another action.
func (s *Simulator) Sessions() (open, logins, interrupted int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions), s.logins, s.interrupted
}

// Actions returns how often each action was asked for.
func (s *Simulator) Actions() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.actions)
}
