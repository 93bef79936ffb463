// Package replication decides what of the rows of a listing is sent, and what is remembered for the next sync: cycles, marks and their
// margins, slices, the children of rows, removed rows, statuses and the ending.
//
// It knows listings as values that it is handed, and neither requests nor pages by number. In go families, each a listing with the streams
// that are made from it, and what the platform handed in as their states; out go records, states and statuses through one Emitter.
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
	// Alive asks for what a check asks for. Its error says why the API does not answer even that. waiting is told of a wait for a quota.
	Alive func(ctx context.Context, waiting func(until time.Time)) error

	wide sync.Mutex // held while a wide record is made and sent: each takes as much memory as its row, beside the pages
}

// Family is a listing and the selected streams that are made from it, in one namespace: the listing is read once for all of them.
type Family struct {
	Streams []Stream
	Name    string   // of the listing's stream: in messages, and for what is learnt of it
	Sets    []Set    // its sets of parameters; it is read once for each. One Set{} where there is none
	Windows *Windows // it is read window by window of time; nil: it is not
	// Apart says that the account may have what some sets ask for and not what others do: these are left out, with a WARN for each stream.
	Apart    bool
	Removed  bool          // what was removed is listed too, in a reading of its own; see RemovedKept
	Changes  bool          // it can be asked for what changed
	Lookback time.Duration // how much earlier than the mark what changed is asked for
	// Open is what is read for a question. It is pure, and called by one goroutine at a time.
	Open func(Question) listing.Listing
}

// Set is a set of parameters of a listing.
type Set struct {
	Name string          // the one that states have for it
	Put  []record.Member // put into the record of each row, which is told apart from those of its own set only; nil: nothing is
	// Maybe says that the API may refuse it, and not only the question for changes: then it is read as empty.
	Maybe bool
}

// Question is which part of a listing is asked for. The zero value is all of its first set.
type Question struct {
	Set     int       // index into Family.Sets
	From    time.Time // what changed from then on; zero: everything
	Until   time.Time // and before then; zero: there is no end
	Removed bool      // the rows that were removed, of all sets
	Window  Window    // with Family.Windows, the days that are asked for
	Undated bool      // with Family.Windows, no days are
}

// Stream is a stream as the configured catalog selects it, and how its records are made from the rows of its family's listing. With neither Child
// nor Explode they are those rows; with both they lie in the rows of the child.
type Stream struct {
	protocol.Descriptor
	Mode    protocol.SyncMode
	State   state.Doc // that it begins from
	Cursor  Cursor
	Child   *Child
	Explode *Explode
	// Derive makes members of a row and what is put into it, which take the place of the row's own; nil: none. One goroutine at a time calls it
	// for each configured stream.
	Derive func(get func(path string) record.Value) []record.Member
	// Key is the members by which the API's rows are known, which listing.Row.Key is made of; nil: there are none. They may be lacking in some
	// rows, but not in all.
	Key []string
	// Repeats is the member that holds listing.Row.Repeat; "": none.
	Repeats string
	Shape   *record.Shape // the stream's own, since it counts what does not fit; nil: rows are sent as they are
	Choice  string        // what is asked for of each row; "": all. Nothing is taken from a state of another choice
}

// Cursor is what is to be known of the time of change of a stream's rows. Without a Name it has none: full refresh only.
type Cursor struct {
	Name   string         // of the time in the record as it is sent
	Zone   *time.Location // in which marks are written; not nil
	Start  time.Time      // rows before it are not sent; zero: all are
	Margin time.Duration  // how long before the mark a row's time may lie for it to be sent again
	Hidden bool           // rows need not carry the time: the mark is the moment at which the cycle began
	Other  bool           // the API filters by a time that rows do not show: those that come are sent, whatever the one that they do
	// Snapshot says that rows may be new although their time is before the mark: everything is read, and those that the state does not know are
	// sent.
	Snapshot bool
}

// Child is a stream that is read with requests of its own for each row of its family's listing.
type Child struct {
	Name    string            // of what is asked for: children of one name are made of the same answers
	Changes bool              // it can be asked for what changed
	Of      string            // the parent stream: in messages
	Path    string            // where it is asked for: in messages
	Params  []string          // paths in the parent's row of what Open needs; a row that lacks one is not asked for
	Put     map[string]string // member put into each record: path in the parent's row
	Where   string            // path of a flag in the parent's row: rows where it says no are not asked for; "": all are
	Follows bool              // the child's rows change when the parent's does, whose time is theirs
	// Shared is paths in the parent's row whose values are its key for the child, where several rows may ask for the same: these are one parent,
	// and asked for once. What is Put is then of one of them. None: each row is a parent, by its own key.
	Shared []string
	Alike  string // what a WARN says before the number of those that several rows asked for; "": there is none
	// Always is, with Follows, whether a parent's row is asked for although it did not change; nil: none is. One goroutine at a time calls it for each
	// configured stream: one that is configured in two namespaces is read twice, side by side.
	Always func(record.Record) bool
	// Open is what is read for the parent's row with key, whose values at Params are given as text: what changed since from, or everything where
	// that is zero. It is pure: many goroutines call it.
	Open func(key string, params []string, from time.Time) listing.Listing
}

// Explode says in which array of which stream's rows another stream's rows lie. They change when the parent's row does; the parent's cursor is
// theirs, and its time is put into them under their own cursor's name.
type Explode struct {
	Of       string            // the stream whose rows hold the array, and which has no Explode itself; what is read for it is read once for both
	Array    string            // path of the array in the parent's row; where it leads to none, the row has no elements
	Within   string            // path of an array in the parent's row, in whose elements Array lies; "": Array lies in the row itself
	Put      map[string]string // member put into each record: path in the element of Within that has it, or else in the parent's row, or else null
	Position string            // member that holds the row's position in its array, from 0; "": none
}

// RemovedKept is how many keys of removed rows a stream's state holds at the most; in the middle of a cycle, as many of the cycle before too. What is
// beyond is sent again in every sync.
const RemovedKept = 10_000

// Run reads the families side by side, each stream from its state, and sends what comes. Streams fail one by one: each failure is sent as it
// happens, the other streams go on, and the joined failures are returned.
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
		if f.absent() { // whether that is so can be told from what the API answered to the others
			f.missing(ctx)
			results[i] = f.end(ctx)
		}
	}
	return errors.Join(results...)
}
