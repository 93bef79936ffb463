// Package listing reads one listing of an API from its beginning to its end. It reads the pages in order, fetches them ahead if their number is
// known, hands out each row once, and compares what came with what the API promises.
//
// It knows requests, pages and rows, and nothing of what becomes of the rows. A Listing describes what to ask for. Reading it returns pages of rows
// that did not come before, and an End that says how the listing ended. Done means that every row that existed during the whole reading came:
// docs/decisions/008 says what that rests on.
package listing

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// Listing describes one listing.
type Listing struct {
	Name    string // of the stream that it is read for: used in messages, and as the key of what is learnt about it
	Request httpclient.Request
	Records string   // path of the rows in an answer, or several separated by commas: the first that exists
	Value   string   // if rows are plain values, such as texts: each becomes an object with the value as this member; "": rows are objects
	Key     []string // paths of the key in a row; none: rows are told apart by their bytes
	// Repeats says that different rows may have the same key. Row.Repeat then tells them apart too. It is for listings whose rows each come on one page
	// and in one order: those read with a Held, or in one answer.
	Repeats bool
	Clock   *Clock   // the time of change of a row; nil: rows have none
	Picks   []string // paths of more values to pick from each row, in the goroutine that fetches its page
	Partial *Partial // a list inside the rows that may come in part; nil: there is none
	// Ways are the ways to read the listing, the best one first: if one is refused, the next is tried. Empty: one answer is the whole listing.
	Ways []Way
	// Refused reports whether an answer refuses what was asked; nil: none does. If so, the next of Ways is tried. If none is left, the listing ends as
	// Refused if Refusable is true, because something in Request can be left out, and otherwise as Failed.
	Refused   func(*httpclient.Response) bool
	Refusable bool
	// Nothing reports whether an answer says, in the place of a list, that there are no rows; nil: none does.
	Nothing  func(*httpclient.Response) bool
	Optional bool // not every account has the listing: if Absent says that it is missing, it ends as Absent
	// Absent reports whether an answer says that this account does not have what was asked for; nil: none does.
	Absent  func(*httpclient.Response) bool
	Omits   bool // a list without rows may be null or missing from the object around it
	Missing bool // the listing belongs to a row of another listing: a 404, or an answer for which Reader.Gone is true, means that this row has gone
	// Detail is the key of the only row that is asked for, or "". An answer with another key is an error, unless only leading zeros differ. An answer
	// without the row (null, or an empty object) means that the row has gone, as a 404 does.
	Detail  string
	Waiting func(until time.Time) // called before any of the listing's requests waits a second or more for a quota; nil: nothing is called
	Child   bool                  // one of many listings, each for a row of another: in the Budget, their answers come after those of other listings
	Part    bool                  // only a part of its rows is asked for, so there may be none whatever number is told, unless the number is a promise
	From    *Place                // where to go on from, if that is a place in what is asked for; nil: from the beginning
	Seen    *Seen                 // rows of listings read before, which are not handed out again; nil: there are none
	Again   bool                  // rows in Seen are handed out again, once, and Row.Same marks those with the same bytes
	// Had is how many rows the listing had when it was read before, with the same Seen. If it is now told to have as many, and its first page has no new
	// row, it is unchanged and is not read further. 0: it is read.
	Had int64
}

// Clock says where the time of change of a row is, and how it is written.
type Clock struct {
	Field   string
	Layouts []string       // beyond those that record.ParseTime knows
	Zone    *time.Location // of times without an offset
	Loose   bool           // it is not the time of the last change, so it does not tell which rows are new
	Open    string         // path of a value that is missing while the row may change without its time moving; "": there is none
}

// sharp reports whether c exists and is the time of the last change.
func (c *Clock) sharp() bool { return c != nil && !c.Loose }

// Way is one way to read a listing.
type Way struct {
	Pages  pagination.Strategy
	Method string         // replaces the request's method; "": it does not. If it is GET, the parameters in the request's body move to the query
	Body   map[string]any // parameters in the body besides the request's own; dotted keys work as in httpclient.Body
	// Warn is what the user should know if this way is used because those before it were refused, or "".
	Warn string
	// Beyond is what the user can do if this way does not reach all rows, which is a config error. It is one or more sentences, or "".
	Beyond string
}

// Partial describes a list inside a row that the API may cut off, saying so: {"rows": […], "done": false, "next": "/address"}. The rest is asked for
// before the row is used, so that no row holds a partial list as if it were complete. The answer at the address has the same form.
type Partial struct {
	Member string // of the row: the object that holds the list
	Rows   string // in that object: the list
	Done   string // in that object: whether the list is complete
	Next   string // in that object: the address of the rest
	Total  string // in that object: how many elements there are in all; "": it does not tell
	// Of is the path in an element of what says which row the element belongs to; "": elements do not say. A further part whose elements name another
	// row than the elements before it is a wrong answer.
	Of   string
	Same func(string) string // maps two forms of the value at Of to the same text if they are equal; nil: the text itself is compared
}

// Place is a place in a listing. Everything before it was used.
type Place struct {
	Of   string // the fingerprint of what was asked: the place is valid in no other listing
	At   string
	Rows int64 // how many rows are before it
}

// Row is a row of a listing with what its consumers need of it. It shares the memory of its page.
type Row struct {
	Data  record.Value
	Key   string       // the texts of its key's fields; "" if one is missing
	Time  time.Time    // of change; zero: there is none, or it cannot be read
	At    record.Value // Time as the API wrote it
	Until time.Time    // the last moment that Time may stand for: a time without seconds covers a whole minute
	Open  bool         // the row may have changed without its time moving
	Same  bool         // the row came in an earlier listing with the same bytes; see Listing.Again
	// Repeat, with Listing.Repeats, is how many rows with the same key came before this one.
	Repeat int
	Picked []record.Value // the values at Listing.Picks, in that order
}

// Page is a page of a listing. Its contents are valid until the caller asks for the next page or stops: then other pages reuse its memory.
type Page struct {
	Rows   []Row     // the rows that did not come before
	Served time.Time // on the first page of a reading: when the server began to answer, by its own clock; zero: it does not tell
	Total  int64     // how many rows the whole listing has, as the first page tells; 0: it does not
	Late   time.Time // End.Late, as far as it is known yet
	Anew   bool      // the listing begins anew: the page has no rows, and places of earlier pages are no longer valid
	Mended
	Place *Place // from where a later reading can go on after this page; nil: that is no longer known, or the way has no places
}

// Mended counts what is not used as it came in an answer.
type Mended struct {
	Replaced int // bytes that were not UTF-8
	Control  int // control characters that were not escaped
	Twins    int // rows with the key of another row of the page and different content: they are not handed out
}

// Kind is how a listing ended.
type Kind uint8

// The kinds of end.
const (
	Done    Kind = iota // every row came
	Absent              // the account does not have the listing
	Refused             // the API refuses what was asked, and some of it can be left out
	Gone                // the row that the listing belongs to has gone
	Failed              // the listing could not be read, or is incomplete

	// The following end a reading, and not always its listing.
	wrongPage // the answers are not what was asked for
	tooLarge  // the API wants smaller pages
	lost      // the place that the server kept was lost during the reading
	unclear   // the last segment may or may not be the end: an error, or rows that had come before, followed it
)

// End is how a listing ended, and why.
type End struct {
	Kind Kind
	Err  error // why it failed or was refused; nil for the other kinds
	// Late is the earliest later time of a row that came again. A mark may not pass it, because the row was used as it was before. Zero: none.
	Late time.Time
	Rows int64 // how many rows the listing was last told to have; 0: nothing tells
	// Denied says of a failure that it answers the first page and is not expected to pass: something in Request may be the reason.
	Denied bool
	most   int // with tooLarge, the page size that the API allows; 0: it does not say
}

// failed returns the end of a listing that could not be read. A nil err means that the consumer wants no more pages, and knows why.
func failed(err error) *End { return &End{Kind: Failed, Err: err} }

// Reader reads the listings of one run. It bounds the requests in flight and remembers what the API turned out to want. It is safe for concurrent use
// after New.
type Reader struct {
	Client *httpclient.Client
	Log    *slog.Logger
	Budget *httpclient.Budget // of the bytes of answers in memory; nil: they are unbounded
	Began  time.Time          // when the run began
	Judge  httpclient.Judge   // the API's own, for what it says of an answer that refuses something; nil: there is none
	// Gone reports whether an answer other than a 404 says that the requested row no longer exists; nil: none does.
	Gone func(*httpclient.Response) bool
	// TooLarge reports whether an answer says that the requested page is too large, and which size is allowed, or 0 if it does not say; nil: none does.
	// After such a failure, smaller pages are asked for if the strategy is Sized.
	TooLarge func(*httpclient.Response) (most int, tooLarge bool)
	// Notice returns a sentence about an answer that the user should know of, or ""; nil: there is none. Only the first one is logged, as a warning.
	Notice func(*httpclient.Response) string

	slots    chan struct{} // requests in flight
	listings chan struct{} // those of them that are not for children, one fewer at most: children must be able to go on
	parts    chan struct{} // requests for the rest of lists in rows, in addition to slots: the page with the rows is in flight until they are over
	numbered atomic.Int32  // numbered listings that are being read, without those for children
	answered atomic.Bool
	noticed  atomic.Bool
	learnt   sync.Map  // a Listing's name: the way to read it
	atOnce   sync.Map  // a Listing's name: whether one answer is known to be the whole listing, or known not to be
	bare     sync.Map  // a Listing's name: whether its first rows came as a bare list
	memories sync.Pool // of *memory
}

// New makes r ready for parallel requests in flight, and as many for the rest of Partial lists. If parallel is 1, nothing is fetched ahead, and no
// budget is needed.
func (r *Reader) New(parallel int) *Reader {
	r.slots = make(chan struct{}, parallel)
	r.listings = make(chan struct{}, max(1, parallel-1))
	r.parts = make(chan struct{}, parallel)
	r.memories.New = func() any { return new(memory) }
	if parallel == 1 {
		r.Budget = nil
	}
	return r
}

// Parallel returns how many requests may be in flight.
func (r *Reader) Parallel() int { return cap(r.slots) }

// Answered reports whether the API has answered a request properly.
func (r *Reader) Answered() bool { return r.answered.Load() }

// Read returns the pages of l. The value of end is valid after the sequence has ended by itself; a caller that stops early knows why.
func (r *Reader) Read(ctx context.Context, l Listing) (pages iter.Seq[Page], end *End) {
	end = &End{}
	return func(yield func(Page) bool) { *end = r.open(&l, yield).readings(ctx) }, end
}

// Try asks for the first page of l, in one way after another, and returns why it cannot be read.
func (r *Reader) Try(ctx context.Context, l Listing) error {
	begun := r.open(&l, nil)
	for {
		reading := begun.read()
		_, end := reading.fetch(ctx, pageRequest{Request: begun.first(reading.way)})
		switch {
		case end == nil:
			return nil
		case end.Kind == tooLarge && begun.resize(reading.way, end.most), reading.otherWay(end):
		default:
			return end.Err
		}
	}
}
