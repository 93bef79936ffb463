// Package listing reads one listing of an API from its beginning to its end: its pages in order, fetched ahead where their number is known, each
// row once, held to what the API promises.
//
// It knows requests, pages and rows, and nothing of what becomes of the rows. In goes a Listing, a value that describes what is asked; out
// come pages of rows that did not come before, and an End that says how it ended. That a listing is Done means that every row that existed
// during the whole reading came: docs/decisions/008 says what that rests on.
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
	Name    string // of the stream that it is read for: in messages, and for what is learnt of it
	Request httpclient.Request
	Records string   // path of the rows in an answer, or several by commas: the first that is there
	Value   string   // the rows are plain values, such as texts: each becomes an object that has it as this member; "": they are objects
	Key     []string // paths of the key in a row; none: rows are told apart by their bytes
	// Repeats says that different rows may have the same key: they are told apart by Row.Repeat too. It is for listings of which each row comes
	// on one page, in one order: with a Held, or in one answer.
	Repeats bool
	Clock   *Clock   // the time of change of a row; nil: it has none
	Picks   []string // paths of more values that are picked from each row, in the goroutine that fetches its page
	Partial *Partial // a list inside the rows may come in part; nil: none does
	// Ways is how it can be read, the best way first: one that is refused gives way to the next. Empty: one answer is all.
	Ways []Way
	// Refused is whether an answer refuses what was asked; nil: none does. Then the next of Ways is taken; where none is left and Refusable
	// is true, because something in Request can be left out, the listing ends as Refused, and else as Failed.
	Refused   func(*httpclient.Response) bool
	Refusable bool
	// Nothing is whether an answer says in the place of a list that there are no rows; nil: none does.
	Nothing  func(*httpclient.Response) bool
	Optional bool // not every account has it: where Absent finds it missing it ends as Absent
	// Absent is whether an answer says that this account does not have what was asked for; nil: none does.
	Absent  func(*httpclient.Response) bool
	Omits   bool // a list without rows may be left out of what it stands in, or be null
	Missing bool // it belongs to a row of another listing: a 404, or what Reader.Gone says, means that this row has gone
	// Detail is the key of the one row that is asked for, or "". An answer with another one is an error, but for zeros in front; one without
	// it (null, or an empty object) means, as a 404 does, that the row has gone.
	Detail  string
	Waiting func(until time.Time) // told before a wait of a second or more for a quota, by any of its requests; nil: nobody is
	Child   bool                  // one of many, each for a row of another listing: their answers count in the Budget behind those of listings
	Part    bool                  // a part of its rows is asked for, of which there may be none whatever number is told, unless that is a promise
	From    *Place                // where it goes on, if that is a place in what is asked for; nil: at its beginning
	Seen    *Seen                 // rows of listings that were read before, which do not come again; nil: there are none
	Again   bool                  // they do come again, once, and Row.Same tells those whose bytes are the same
	// Had is how many rows it had when it was read before, with the same Seen: where it is told to have as many, and its first page has no
	// other row, it is as it was and not read on. 0: it is read.
	Had int64
}

// Clock is where the time of change of a row is, and how it is written.
type Clock struct {
	Field   string
	Layouts []string       // beyond those that record.ParseTime knows
	Zone    *time.Location // of times without an offset
	Loose   bool           // it is not the time of the last change: new rows cannot be told by it
	Open    string         // path of a value that a row does not have while it may change without its time moving; "": there is none
}

// sharp reports whether there is a time and it is the one of the last change.
func (c *Clock) sharp() bool { return c != nil && !c.Loose }

// Way is one way to read a listing.
type Way struct {
	Pages  pagination.Strategy
	Method string         // in the place of the request's own, "": that; where it is GET, the parameters in the request's body go into the query
	Body   map[string]any // parameters in the body besides the request's own; a dotted key as in httpclient.Body
	// Warn is what the user should know when this way is taken because those before it were refused, or "".
	Warn string
	// Beyond is what the user can do where this way does not reach all rows, which is a config error: sentences, or "".
	Beyond string
}

// Partial describes a list inside a row that the API may cut off, saying so: {"rows": […], "done": false, "next": "/address"}. The rest is
// asked for before the row is used, so that no row holds a part as if it were all. What the address leads to has the same form.
type Partial struct {
	Member string // of the row: the object that holds the list
	Rows   string // in that object: the list
	Done   string // whether it is all
	Next   string // where the rest is
	Total  string // how many there are in all; "": it is not told
	// Of is the path in an element of what says which row it belongs to: a further part whose elements say another one than those before it is a
	// wrong answer; "": they do not say.
	Of   string
	Same func(string) string // what is equal for two forms of what Of leads to; nil: the text itself
}

// Place is a place in a listing before which everything was used.
type Place struct {
	Of   string // the fingerprint of what was asked: the place is one of no other listing
	At   string
	Rows int64 // how many rows are before it
}

// Row is a row of a listing with what its users need of it. Its memory is that of its page.
type Row struct {
	Data  record.Value
	Key   string       // the texts of its key's fields; "" where one is missing
	Time  time.Time    // of change; zero: it has none that can be read
	At    record.Value // Time as it came
	Until time.Time    // the last moment that Time may stand for: a time without seconds is a whole minute
	Open  bool         // it may have changed without its time moving
	Same  bool         // it came in a listing before, with the same bytes; see Listing.Again
	// Repeat is, with Listing.Repeats, how many rows with its key came before it.
	Repeat int
	Picked []record.Value // what stands at Listing.Picks, in their order
}

// Page is a page of a listing. What is in it is valid until the next page is asked for, or no more are: then its memory serves other pages.
type Page struct {
	Rows   []Row     // those that did not come before
	Served time.Time // of the first page of a reading, when the server began to answer, on its own clock; zero: it does not tell
	Total  int64     // what the first page tells of the number of rows of the whole listing; 0: nothing
	Late   time.Time // End.Late, as far as it is known
	Anew   bool      // the listing begins anew, and the page has no rows: no place that was told before is one any more
	Mended
	Place *Place // from where a later reading can go on after this page; nil: it is not known any more, or the way has no places
}

// Mended is how much of an answer is not used as it came.
type Mended struct {
	Replaced int // bytes that were not UTF-8
	Control  int // control characters that were not escaped
	Twins    int // rows that have the key of another row of the page, and other content: they are not handed out
}

// Kind is how a listing ended.
type Kind uint8

// The ways in which a listing ends.
const (
	Done    Kind = iota // every row came
	Absent              // the account does not have it
	Refused             // the API refuses what was asked, and something of it can be left out
	Gone                // the row that it belongs to has gone
	Failed              // it could not be read, or is not whole

	// What ends a reading and not always its listing.
	wrongPage // the answers are to something else than was asked
	tooLarge  // the API wants smaller pages
	lost      // the place that the server kept was lost on the way
	unclear   // it may have been the last segment that came last: behind it came an error, or rows that had come
)

// End is how a listing ended, and why.
type End struct {
	Kind Kind
	Err  error // why it failed, or was refused; nil for the other kinds
	// Late is the earliest later time of a row that came again: a mark may not pass it, since the row was used as it was before. Zero: none.
	Late time.Time
	Rows int64 // how many rows it was told to have at last, where anything tells; 0: nothing does
	// Denied says of a failure that it is an answer to the first page, and is not expected to pass: something in Request may be the reason.
	Denied bool
	most   int // with tooLarge, the size of a page that the API allows; 0: it does not say
}

// failed returns the end of what could not be read; nil: whoever reads the pages does not want any more of them, and knows why.
func failed(err error) *End { return &End{Kind: Failed, Err: err} }

// Reader reads the listings of one run. It bounds the requests in flight and remembers what the API turned out to want. Safe for concurrent
// use once it is made.
type Reader struct {
	Client *httpclient.Client
	Log    *slog.Logger
	Budget *httpclient.Budget // of the bytes of answers in memory; nil: there is no bound
	Began  time.Time          // when the run began
	Judge  httpclient.Judge   // the API's own, for what it says of an answer that refuses something; nil: there is none
	// Gone is whether an answer says that the row which was asked for is not there, besides a 404; nil: none does.
	Gone func(*httpclient.Response) bool
	// TooLarge is whether an answer says that the page that was asked for is too large, and which size is not, 0 where it does not say; nil:
	// none does. A failure after such an answer is asked for again with smaller pages, where the strategy is Sized.
	TooLarge func(*httpclient.Response) (most int, tooLarge bool)
	// Notice is a sentence about an answer that the user should know of, or ""; nil: there is none. The first one is a warning.
	Notice func(*httpclient.Response) string

	slots    chan struct{} // requests in flight
	listings chan struct{} // those of them that are not for children, of which one fewer may be: children must be able to go on
	parts    chan struct{} // requests for the rest of lists in rows, beside those: the page of the rows is in flight until they are over
	numbered atomic.Int32  // listings whose pages have numbers and are being read, without those for children
	answered atomic.Bool
	noticed  atomic.Bool
	learnt   sync.Map  // a Listing's name: the way in which it is read
	atOnce   sync.Map  // a Listing's name: whether one answer for all is known to be all, or known not to be
	bare     sync.Map  // a Listing's name: whether its first rows came as a list alone
	memories sync.Pool // of *memory
}

// New makes r ready for so many requests in flight, and as many for the rest of Partial lists. With one alone nothing is fetched ahead,
// and no budget is needed.
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

// Answered reports whether the API answered a request as it should.
func (r *Reader) Answered() bool { return r.answered.Load() }

// Read returns the pages of l. What end holds is valid when the sequence has ended by itself; a caller that stops asking for pages knows why.
func (r *Reader) Read(ctx context.Context, l Listing) (pages iter.Seq[Page], end *End) {
	end = &End{}
	return func(yield func(Page) bool) { *end = r.open(&l, yield).readings(ctx) }, end
}

// Try asks for the first page of l, in one way after the other, and says why it cannot be read.
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
