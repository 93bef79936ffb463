// Package sim is what all API simulators share: the interface through which tests and the demo use any of them without knowing its API, and the
// conditions under which they serve (quota, faults, latency), which are the same for all.
//
// A simulator is written from its vendor's documentation, never from the connector, and is at least as strict as the API is documented to be. It
// answers as the API does if all is well. What goes wrong on a real network is the Gate's task.
package sim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Simulator is one vendor's API with its own data. Every method may be called at any time from any goroutine.
type Simulator interface {
	// ServeHTTP answers as the API does. It does not know quotas and faults, which are the Gate's task.
	http.Handler

	// Config returns a valid configuration of the API's connector, with credentials. It reads from baseURL (scheme and host) at the pace that the quota
	// allows, or as fast as it can with the zero Quota.
	Config(baseURL string, quota Quota) map[string]any

	// Secrets returns the values in Config that no output may show.
	Secrets() []string

	// Error answers with an error body as the API writes it. An empty text stands for the API's own text for that status.
	Error(w http.ResponseWriter, status int, text string)

	// Change declares that everything has been read. It then changes that many rows of every stream that has a time of change, and deletes that many
	// others if the API knows deletion. The time of change is the simulator's clock. If there are fewer rows, fewer change.
	Change(changed, deleted int)

	// Expect returns what a read must bring now, by the connector's name of the stream.
	Expect() map[string]Expectation
}

// Pager is a Simulator with pages. Without it the fault WrongPage does nothing.
type Pager interface {
	// Previous returns the request for the page before the one that r asks for, or false if r asks for the first page or for no page.
	Previous(r *http.Request) (*http.Request, bool)
}

// Placed is a Simulator that keeps its readers' positions: the answer to a request depends on the requests before it.
type Placed interface {
	// Place returns the name of the listing that r reads, and whether r continues it or begins it. The name is "" if r always gets the same answer. r
	// and its body can be used once more afterwards.
	Place(r *http.Request) (listing string, further bool)
}

// Confidant is a Simulator that learns secrets while it is used: tokens that it issues, signatures that it receives.
type Confidant interface {
	// Learnt returns the secrets that it knows now. It knows each before anybody else is told. No output may show them.
	Learnt() []string
}

// Taker is a Simulator that a destination writes to.
type Taker interface {
	// Offer returns up to n records that can be written now, each once, in any order.
	Offer(n int) []Offered

	// Took returns how often an offered record has been written.
	Took(o Offered) int
}

// Offered is a record that a destination can write.
type Offered struct {
	Stream string
	Data   map[string]any
	ID     any // how the simulator identifies it
}

// Drifter is a Simulator whose rows can come, go or move while they are read.
type Drifter interface {
	// Drifts returns sets of the simulator's own options (see Options.Set). Under each set, a read can be complete in spite of the changes.
	Drifts() []map[string]string
}

// Options are the options of any simulator.
type Options struct {
	Size int               // rows of its largest stream; 0: the simulator's own choice
	Seed uint64            // equal seeds give equal data
	Now  func() time.Time  // the simulator's clock; nil: the wall clock
	Set  map[string]string // the simulator's own options by name; its Open refuses unknown ones

	Rendered *Rendered // where encoded rows are kept, see Sharing; nil: a place of the simulator's own
}

// Open makes a simulator. An error names the invalid option.
type Open func(Options) (Simulator, error)

// Expectation is what a read of one stream must bring. A key is the text of the key field's value, without quotes. The values of a composite key are
// joined by commas.
type Expectation struct {
	Full        Keys // by a full read
	Next        Keys // by the incremental read after Change, if the read before it was complete
	Incremental bool // whether the stream can be read incrementally; if not, Next equals Full
}

// Keys are the rows that a read must bring, and those that it may bring besides: rows at the mark, rows without a time of change, and rows that came
// or went while they were read.
type Keys struct {
	Must, May map[string]bool
}

// Compare compares the rows that came, with the number of times for each key, with the expected ones. A nil error means that every row of Must came
// and no row that is in neither set. The caller decides how often a key may come.
func (k Keys) Compare(came map[string]int) error {
	var missing, foreign []string
	for key := range k.Must {
		if came[key] == 0 {
			missing = append(missing, key)
		}
	}
	for key := range came {
		if !k.Must[key] && !k.May[key] {
			foreign = append(foreign, key)
		}
	}
	if len(missing)+len(foreign) == 0 {
		return nil
	}
	return fmt.Errorf("comparing the rows that came: missing %s; not expected %s", some(missing), some(foreign))
}

// some returns the number of keys and the first few of them.
func some(keys []string) string {
	slices.Sort(keys)
	return fmt.Sprintf("%d [%s]", len(keys), strings.Join(keys[:min(len(keys), 5)], " "))
}

// Need says whether a read brings a row.
type Need uint8

// The needs.
const (
	Never Need = iota
	May
	Must
)

// Incremental returns an expectation without rows, for a stream that can be read incrementally.
func Incremental() Expectation {
	keys := func() Keys { return Keys{Must: map[string]bool{}, May: map[string]bool{}} }
	return Expectation{Full: keys(), Next: keys(), Incremental: true}
}

// Put adds the key of a row.
func (e Expectation) Put(key string, full, next Need) {
	for keys, need := range map[*Keys]Need{&e.Full: full, &e.Next: next} {
		switch need {
		case Must:
			keys.Must[key] = true
		case May:
			keys.May[key] = true
		}
	}
}

// Set returns a set of keys.
func Set(keys ...string) map[string]bool {
	set := make(map[string]bool, len(keys))
	for _, key := range keys {
		set[key] = true
	}
	return set
}

// Whole returns the expectation of a stream that is read whole each time.
func Whole(keys ...string) Expectation {
	full := Keys{Must: Set(keys...)}
	return Expectation{Full: full, Next: Keys{Must: maps.Clone(full.Must)}}
}
