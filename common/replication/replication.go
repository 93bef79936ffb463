// Package replication decides which rows of a listing are sent and what is remembered for the next sync: cycles, marks and their margins, slices,
// children, removed rows, statuses and endings.
//
// It gets listings as values and knows neither requests nor page numbers. Its input is families, each a listing with the streams that are made from
// it, and the states of these streams from the platform. Its output is records, states and statuses, through one Emitter.
package replication

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/state"
)

// Sync is one read of a source. All fields are needed.
type Sync struct {
	*listing.Reader
	Out *protocol.Emitter
	// Alive repeats the request of a check. Its error says why the API does not answer even that. waiting is called before a wait for a quota.
	Alive func(ctx context.Context, waiting func(until time.Time)) error

	wide sync.Mutex // held while a wide record is made and sent, which takes as much memory as its row, in addition to the pages
}

// Family is a listing and the selected streams that are made from it, in one namespace. The listing is read once for all of them.
type Family struct {
	Streams []Stream
	Name    string   // of the listing's stream, for messages and for what is learnt about it
	Sets    []Set    // sets of parameters; the listing is read once for each; one Set{} if there are none
	Windows *Windows // the listing is read window by window; nil: it is not
	// Apart says that the account may have some sets and not others. Missing sets are left out, with a WARN for each stream.
	Apart    bool
	Removed  bool          // removed rows are listed too, in a reading of their own; see RemovedKept
	Changes  bool          // the API can be asked for changes only
	Lookback time.Duration // how much earlier than the mark changes are asked for
	// Open returns the listing for a question. It must be pure. One goroutine at a time calls it.
	Open func(Question) listing.Listing
}

// Set is a set of parameters of a listing.
type Set struct {
	Name string          // its name in states
	Put  []record.Member // put into the record of each row, whose key then counts only within the set; nil: nothing is
	// Maybe says that the API may refuse the set itself, and not only the request for changes. A refused set is read as empty.
	Maybe bool
}

// Question says which part of a listing is asked for. The zero value asks for everything in the first set.
type Question struct {
	Set     int       // index into Family.Sets
	From    time.Time // what changed at or after it; zero: everything
	Until   time.Time // what changed before it; zero: no limit
	Removed bool      // the removed rows, of all sets
	Window  Window    // with Family.Windows, the days asked for
	Undated bool      // with Family.Windows, no days are asked for
}

// Stream is a stream selected by the configured catalog, and how its records are made from the rows of its family's listing. Without Child and
// Explode the records are those rows. With both, they lie in the rows of the child.
type Stream struct {
	protocol.Descriptor
	Mode    protocol.SyncMode
	State   state.Doc // to begin from
	Cursor  Cursor
	Child   *Child
	Explode *Explode
	// Derive makes members from a row and what is put into it. They replace the row's own members; nil: none. For each configured stream, one goroutine
	// at a time calls it.
	Derive func(get func(path string) record.Value) []record.Member
	// Key is the members that identify the API's rows, from which listing.Row.Key is made; nil: there are none. Some rows may lack them, but not all.
	Key []string
	// Repeats is the member that receives listing.Row.Repeat; "": none.
	Repeats string
	Shape   *record.Shape // not shared with other streams, since it counts what does not fit; nil: rows are sent unchanged
	Choice  string        // which rows or fields are asked for; "": all; nothing is taken from a state with another choice
}

// Cursor describes the time of change of a stream's rows. Without a Name the stream has none, and only full refresh is possible.
type Cursor struct {
	Name   string         // of the time in the record
	Zone   *time.Location // for writing marks; not nil
	Start  time.Time      // earlier rows are not sent; zero: all are
	Margin time.Duration  // rows up to this much older than the mark are sent again
	Hidden bool           // rows need not show the time: the mark is the start of the cycle
	Other  bool           // the API filters by a time that rows do not show: all rows that come are sent, whatever their time
	// Snapshot says that a row may be new although its time is before the mark. Everything is read, and rows that the state does not know are sent.
	Snapshot bool
}

// Child is a stream that is read with one listing for each row of its family's listing.
type Child struct {
	Name    string            // of the request: children with one name are made from the same answers
	Changes bool              // it can be asked for changes only
	Of      string            // the parent stream, for messages
	Path    string            // of its requests, for messages
	Params  []string          // paths in the parent's row of what Open needs; a row without one of them is not asked for
	Put     map[string]string // member put into each record: path in the parent's row
	Where   string            // path of a flag in the parent's row: rows where it says no are not asked for; "": all are
	Follows bool              // the child's rows change when the parent's row does, and have its time
	// Shared is paths in the parent's row whose values are its key for the child, if several rows may lead to the same children. Such rows are one
	// parent, which is asked for once, and Put takes its values from one of them. If Shared is empty, each row is a parent with its own key.
	Shared []string
	Alike  string // the WARN before the number of keys that several rows share; "": no WARN
	// Always reports, with Follows, whether a parent's row is asked for although it did not change; nil: none is. For each configured stream, one
	// goroutine at a time calls it. A stream configured in two namespaces is read twice, concurrently.
	Always func(record.Record) bool
	// Open returns the listing for the parent's row with key, where params are the texts at Params: what changed since from, or everything if from is
	// zero. It must be pure. Many goroutines call it.
	Open func(key string, params []string, from time.Time) listing.Listing
}

// Explode says in which array of which stream's rows the rows of another stream lie. They change when the parent's row does. Their cursor is the
// parent's, and its time is put into them under the name of their own cursor.
type Explode struct {
	Of       string            // the stream whose rows hold the array, itself without Explode; its answers are read once for both
	Array    string            // path of the array in the parent's row; if nothing is there, the row has no elements
	Within   string            // path of an array in the parent's row whose elements hold Array; "": the row itself holds Array
	Put      map[string]string // member put into each record: path, first in the element of Within, then in the parent's row; else null
	Position string            // member that receives the element's index in its array, from 0; "": none
}

// RemovedKept is the maximum number of keys of removed rows in a stream's state. In the middle of a cycle the state may hold as many of the last
// cycle too. Removed rows beyond it are sent again in every sync.
const RemovedKept = 10_000

// Run reads the families concurrently, each stream from its state, and sends their records. A stream that fails does not stop the others. Each
// failure is sent once its family has been read, and Run returns the joined failures.
func (s *Sync) Run(ctx context.Context, families []Family) error {
	var wait sync.WaitGroup
	results := make([]error, len(families))
	running := make([]*family, len(families))
	for i := range families {
		f := s.family(&families[i])
		running[i] = f
		wait.Go(func() {
			if f.read(ctx); !f.absent() {
				results[i] = f.end(ctx)
			}
		})
	}
	wait.Wait()
	for i, f := range running {
		if f.absent() { // the answers to the other families say whether the API works at all
			f.missing(ctx)
			results[i] = f.end(ctx)
		}
	}
	return errors.Join(results...)
}
