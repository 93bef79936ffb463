// Package sim is what every API simulator shares: the interface by which tests and the demo use any of them without knowing
// its API, and the weather they are put in (quota, faults, latency), the same for all.
//
// A simulator is written from its vendor's documentation, never from the connector, and is at least as strict as the API is
// documented to be. It answers as the API does when all is well; what goes wrong on a real network is the Gate's part.
package sim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Simulator is one vendor's API with data of its own. Every method may be called at any time from any goroutine.
type Simulator interface {
	// ServeHTTP answers as the API does. It does not know of quotas and faults: those are the Gate's.
	http.Handler

	// Config is a valid configuration of the API's connector, with credentials, that reads from baseURL (scheme and host) at
	// the pace the quota allows; with the zero Quota as fast as it can.
	Config(baseURL string, quota Quota) map[string]any

	// Secrets are the values in Config that no output may show.
	Secrets() []string

	// Error answers with an error body as the API writes it. An empty text stands for the API's own text for that status.
	Error(w http.ResponseWriter, status int, text string)

	// Change says that all there is has been read, and then changes that many rows of every stream that has a time of change
	// and deletes that many others, where the API knows deletion. The time of change is the simulator's clock. It changes fewer
	// rows when there are fewer.
	Change(changed, deleted int)

	// Expect says per stream (by the connector's name of it) what a read must bring now.
	Expect() map[string]Expectation
}

// Pager is a Simulator with pages; without it the fault WrongPage does nothing.
type Pager interface {
	// Previous is the request for the page before the one r asks for, and false when r asks for the first or for no page.
	Previous(r *http.Request) (*http.Request, bool)
}

// Placed is a Simulator that keeps the place of its readers: what comes of one request depends on the requests before.
type Placed interface {
	// Place is what names the listing that r goes on with, and whether r asks for more of it or begins it; "" where its answer is always the same.
	// r and its body can be used once more afterwards.
	Place(r *http.Request) (listing string, further bool)
}

// Confidant is a Simulator that learns of secrets while it is used: tokens that it hands out, signatures that it is sent.
type Confidant interface {
	// Learnt are those that it knows of now, each of them from before anybody was told of it. No output may show them.
	Learnt() []string
}

// Taker is a Simulator that a destination writes to.
type Taker interface {
	// Offer is up to n records that can be written now, each once, in any order.
	Offer(n int) []Offered

	// Took is how often a record that was offered has been written.
	Took(o Offered) int
}

// Offered is a record that a destination can write.
type Offered struct {
	Stream string
	Data   map[string]any
	ID     any // what the simulator knows it by
}

// Drifter is a Simulator whose rows can come, go or move while they are read.
type Drifter interface {
	// Drifts are sets of its own options (see Options.Set), under each of which a read can be complete all the same.
	Drifts() []map[string]string
}

// Options are what any simulator can be told.
type Options struct {
	Size int               // rows of its largest stream; 0 is the simulator's own choice
	Seed uint64            // equal seeds give equal data
	Now  func() time.Time  // the simulator's clock; nil is the wall clock
	Set  map[string]string // the simulator's own options by name; its Open refuses what it does not know

	Rendered *Rendered // where rows are kept that were written, see Sharing; nil is a place of the simulator's own
}

// Open makes a simulator. An error names the option that cannot be.
type Open func(Options) (Simulator, error)

// Expectation is what a read of one stream must bring. A key is the text of the key field's value, without quotes; the values
// of a composite key are joined by a comma.
type Expectation struct {
	Full        Keys // by a full read
	Next        Keys // by the incremental read after Change, when the one before it was complete
	Incremental bool // whether the stream can be read incrementally; if not, Next says what Full says
}

// Keys are the rows that a read must bring and those that it may bring besides: rows at the mark, rows without a time of
// change, rows that came or went while it was reading.
type Keys struct {
	Must, May map[string]bool
}

// Compare holds what came (how often each key) against what had to. A nil error means that every row of Must came and none that
// is in neither set. How often a key came is the caller's to judge.
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

// some returns how many there are and the first few of them.
func some(keys []string) string {
	slices.Sort(keys)
	return fmt.Sprintf("%d [%s]", len(keys), strings.Join(keys[:min(len(keys), 5)], " "))
}

// Need is whether a row comes with a read.
type Need uint8

// The needs.
const (
	Never Need = iota
	May
	Must
)

// Incremental returns an expectation of no rows yet, of a stream that can be read incrementally.
func Incremental() Expectation {
	keys := func() Keys { return Keys{Must: map[string]bool{}, May: map[string]bool{}} }
	return Expectation{Full: keys(), Next: keys(), Incremental: true}
}

// Put enters the key of a row.
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

// Set makes a set of keys.
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
