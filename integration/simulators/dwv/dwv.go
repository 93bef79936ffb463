// Package dwv simulates the integration API of DWV (dwvapp.com.br), from its documents 1.0.2 and 1.0.1 and from what is known of its
// practice: the drift between schema and samples, nulls, texts of all kinds. Where the documents are silent it is strict: what
// they do not name is refused.
package dwv

import (
	"cmp"
	"strconv"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// The documents that describe the API.
const (
	Version102 = "1.0.2" // header token, avaliable_fields, fields, incorporation, construction_stage in Portuguese
	Version101 = "1.0.1" // Authorization: Bearer only
)

// Options are what a Simulator can be told. The zero value is 1.0.2 with 1,000 properties that nobody changes.
type Options struct {
	Size    int              // properties, deleted ones included; 0 means 1,000
	Seed    uint64           // equal seeds give equal data
	Now     func() time.Time // the clock for what changes; nil is the wall clock
	Newest  time.Time        // the newest time of change in the data at first; zero means 2025-11-03 18:30 in São Paulo
	Odd     bool             // rows have values as people leave them in old databases, see sim.Odd
	Version string           // empty means Version102
	Token   string           // empty means one that looks different in each encoding
	Auth    Auth             // which credentials are required; 1.0.1 knows Bearer only

	MaxLimit      int  // a larger limit is lowered to this; 0 means 100
	NumbersAsText bool // the numbers of the envelope are strings
	Enveloped     bool // conditions and types come as {"data":[…]}
	NoUpdates     bool // last_updates is checked and then ignored

	Rendered *sim.Rendered // where rows are kept that were written; nil is a place of its own

	Drift Drift
}

// Drift is what happens to the properties after each page of them that is answered: the listing changes while it is read.
type Drift struct {
	Move    int  // rows of the pages up to the answered one that move to the end of the listing
	Touch   bool // those rows also change, and their time of change with them
	Append  int  // new rows at the end
	Prepend int  // new rows at the front, which push all others towards later pages
	Delete  int  // rows of the pages up to the answered one that the agency removes; their time of change stays
	Vanish  int  // rows of the pages up to the answered one that go for good: in neither list, detail 404
	Pages   int  `sim:"drift-pages"` // after so many pages nothing happens any more; 0 means it never ends
}

// Simulator is DWV for one agency. Its methods may be called at any time from any goroutine.
type Simulator struct {
	with  Options
	stock *stock // the parts that properties are made of; never changes

	routes map[string]route // see below

	mu    sync.Mutex
	rows  sim.Table
	ticks uint64 // steps of the simulator's own dice
	pages int    // pages of properties answered
	mark  int64  // the newest time of change when all had been read
	begun bool   // it had
}

var (
	_ sim.Pager   = (*Simulator)(nil)
	_ sim.Drifter = (*Simulator)(nil)
)

// New makes an agency with its properties. It panics on options that contradict themselves, for they are the programmer's.
func New(o Options) *Simulator { return sim.Sure(open(o)) }

func open(o Options) (*Simulator, error) {
	sim.Defaults(&o.Size, &o.Now, &o.Newest)
	o.Rendered = cmp.Or(o.Rendered, &sim.Rendered{})
	o.Version = cmp.Or(o.Version, Version102)
	o.MaxLimit = cmp.Or(o.MaxLimit, 100)
	o.Token = cmp.Or(o.Token, "eyJhbGciOiJIUzI1NiJ9.dwv+segredo/"+strconv.FormatUint(sim.Mix(o.Seed), 36)+"==")
	if o.Version == Version101 {
		o.Auth = BearerOnly
	}
	if err := cmp.Or(
		sim.NonNegative("dwv", o.Size), sim.OneOf("dwv", "version", o.Version, Version101, Version102),
		sim.OneOf("dwv", "auth", o.Auth, EitherHeader, TokenOnly, BearerOnly, BothHeaders),
	); err != nil {
		return nil, err
	}
	s := &Simulator{with: o, stock: sim.Part(o.Rendered, o.Seed, func() *stock { return newStock(o.Seed) })}
	s.routes = s.below()
	s.rows.Settle()
	s.fill()
	return s, nil
}

// Open makes a Simulator from options by name: those of Options, see sim.Build.
func Open(o sim.Options) (sim.Simulator, error) { return sim.Build("dwv", o, open) }

// Token returns the agency's token.
func (s *Simulator) Token() string { return s.with.Token }

// Secrets returns the token.
func (s *Simulator) Secrets() []string { return []string{s.with.Token} }

// Config reads from baseURL with the agency's token. The connector counts requests per minute; a quota over another window is converted.
func (s *Simulator) Config(baseURL string, quota sim.Quota) map[string]any {
	return map[string]any{"token": s.with.Token, "base_url": baseURL, "requests_per_minute": quota.PerMinute()}
}
