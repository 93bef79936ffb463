// Package rest is the engine for sources that are JSON over HTTP.
//
// A connector describes an API: its transport, its listings, and what a time of change looks like in it. The engine owns everything that
// is the same for all of them: the loop over slices and pages, what is read in parallel, what is sent and what is not, the state, the
// statuses, and the ending. This package translates the description: package listing reads pages, package replication decides what of them
// is sent. A connector that needs code where a description should do is a hint that the engine has something to learn.
//
// # Functions in a description
//
// The function handed to New is pure: it is called once for each check, discovery or read, and decides nothing by what it finds outside of the
// configuration. What is called for requests and answers (Judge, Absent, Refused, TooLarge, Notice, Ask, a strategy of pagination, a Signer) is
// called by many goroutines at once, and again when a request is repeated: it is pure too, or guards what it keeps. It may use a Response until
// it returns, and copies what it keeps of Body or Text, which are the memory of a page. Always and Derive are called by one goroutine at a time
// for each configured stream, of which there are two where a stream is configured in two namespaces. A panic in any of them fails the streams
// that wait for it and no other.
//
// Judge, Nothing and Notice see every answer, also each good page, Absent and Refused those of a listing's first page, and each path that they
// look up is one more pass over it: they look at the status first where they can. TooLarge is asked about failures alone.
//
// # Paths
//
// A path names a member of a row or an answer: names with dots between them, numbers for elements of arrays (a dot in a name is written "\\.").
// A path that leads to nothing is no error. It gives: no rows, which is a failure of the answer, for Records; a row without a time, which is
// always sent, for Cursor.Field; a row without a key, which is told from others by its bytes, for Key; null for Put; a row that is not asked
// for, with one WARN, for Params; a row that is asked for, with one WARN, for Where, unless other rows have it; an empty array for Array and
// Within, where an object alone is an array of one; and an open row for Open.
package rest

import (
	"cmp"
	"encoding/json"
	"net/url"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/replication"
)

// API describes one API as one configuration sees it.
type API struct {
	httpclient.Options
	Zone    *time.Location      // of times without an offset in rows, for streams whose Cursor has none; nil is UTC
	Pages   pagination.Strategy // how listings are paged, for streams that do not say it themselves; nil: they are not
	Records string              // path of the rows in an answer, for streams that do not say it themselves; see Stream
	Check   string              // the stream whose first page tells whether the configuration works
	// Absent is whether an answer says that this account does not have what was asked for; see Stream.Optional.
	Absent func(*httpclient.Response) bool
	// Gone is whether an answer says that the row which was asked for is not there, besides a 404; see Parent.Missing. nil: none does.
	Gone func(*httpclient.Response) bool
	// Omits says that a list without rows may be left out of what it stands in, or be null.
	Omits bool
	// TooLarge is whether an answer says that the page asked for is too large, and which size is not, 0 where it does not say; nil: none does.
	// A failure after such an answer is asked for again with smaller pages, where the listing can be read so. It is asked about failures alone.
	TooLarge func(*httpclient.Response) (most int, tooLarge bool)
	// Notice is a sentence about an answer that the user should know of, such as that a quota is nearly used up, or ""; nil: there is none. The
	// first one in a run is a warning.
	Notice   func(*httpclient.Response) string
	Refuse   error    // why the configuration cannot work, found without asking the API: a config error; nil: it may
	Warn     []string // what the user should know about the configuration before a read
	Parallel int      // requests in flight, all streams together; 0 is 8
	Streams  []Stream
}

// Stream describes one stream. The zero value of a field is the plain case.
type Stream struct {
	Name   string
	Method string // "" is GET
	Path   string // may hold {parameters} of Parent
	Query  url.Values
	Body   map[string]any
	// Each has the listing read once per set of parameters, which go where the stream has its own: into the body, or else the query.
	Each []map[string]any
	// Maybe are sets beside Each that the API need not know: one that is Refused, though the API goes on answering something else, is read as empty,
	// with a line in the log.
	Maybe []map[string]any
	// Put is put into each record of a set of Each: member, and the parameter whose value it gets. Rows are told apart within their set then.
	Put map[string]string
	// Apart says that the sets of Each ask different routes, and that an account may have some of them only: with Optional, the stream is read
	// without those that API.Absent finds missing, with one WARN.
	Apart bool
	// Windows has the listing read window by window of time, for each set of Each; nil: it is not.
	Windows *Windows
	Days    Ask // with Windows, how the API is asked for the days from the first until the last one of a window
	// Ways is for a listing of which it is not known how the API lets it be read: the ways, the best one first. One that is refused gives way to
	// the next. Empty: there is one way, with Pages.
	Ways []Way
	// Refused is whether an answer refuses what was asked; nil: none does. Then the next of Ways is taken. Where none is left, a set of Maybe is
	// left out, or else the question for changes (Cursor.Ask), with one WARN, and everything is read. Where nothing can be left out the answer is a
	// failure.
	Refused func(*httpclient.Response) bool
	// Nothing is whether an answer says in the place of a list that there are no rows, whatever its status; nil: none does. It sees every answer, and
	// has to be sure: what it takes for that is a table, or a part of one, without rows.
	Nothing func(*httpclient.Response) bool
	Pages   pagination.Strategy // nil: as the API says
	Records string              // path of the rows in an answer, or several by commas: the first that is there; "": as the API says
	Value   string              // the rows are plain values, such as texts, of which each record has one as this member; "": they are objects
	Key     []string            // names of the primary key's fields in the record as it is sent
	// Repeats is the member, and the last field of the key, that tells apart rows which have the rest of the key in common: how many of them came
	// before, from 0. "": the key is one row's. It is for listings that come in one answer, or whose place the server keeps.
	Repeats string
	Cursor  *Cursor // nil: no time of change, full refresh only
	// Removed is parameters, in the place of the stream's own, with which the API lists the rows that were removed; nil: it does not. Removing need not
	// have moved a row's time of change, so that listing is read whole in every sync; a row is sent when it is newly removed, or changed since the mark
	// or within the margin before it. The keys of up to replication.RemovedKept of those sent are kept in the state; what is beyond is sent again in
	// every sync.
	Removed url.Values
	Parent  *Parent  // the stream is read with requests of its own for each row of another stream
	Explode *Explode // the stream is an array inside the rows of another stream
	Partial *Partial // a list inside the rows may come in part
	// Derive makes members of a row and of what is put into it, which get returns by path or by name: they take the place of its own, and are
	// brought into the types of their columns; those without a column are left out. nil: none. It is for what an edit of Shape cannot say.
	Derive func(get func(path string) record.Value) []record.Member
	Shape  []record.Edit // what a row needs besides the types of the schema's columns, into which it is brought by itself
	// Needs is the sentence that says what must be configured before the stream can be read, or "". It is discovered all the same.
	Needs string
	// Optional says that not every account has the stream: where API.Absent finds it missing it is empty, with one WARN, but only if the
	// API answered something else in the same run, which for a stream with a Parent is the parent's listing. A wrong address must not end as
	// empty tables.
	Optional bool
	// Unlisted says that the stream is there for others to be made from, and is none of the catalog's. It has no schema.
	Unlisted bool
	// Absent, with Optional, is what the answer of an account looks like that does not have this stream; nil: as the API says.
	Absent func(*httpclient.Response) bool
	// Without is the columns of the schema that the configuration leaves out: they are not discovered, and not sent where they come.
	Without []string
	// Choice is what the configuration chose to get, which rows or what of each, in any form that is the same for the same choice; "": all. From a
	// state of another choice nothing is taken: its mark says nothing of rows that were not asked for, and the rows that were have other columns.
	// So all are read again, with one WARN.
	Choice string
}

// Cursor describes the time of change of a stream's rows.
//
// A sync sends the rows that changed since the mark of the one before, those that changed within the Margin before it, which may have become
// visible after later ones were read, and rows without a time. What the API is asked for may be more (Lookback) and what it answers may be
// more still (it ignores the filter): the engine filters either way. A time that shows only a day or a minute stands for all of it, so that
// where an API's times are days the margin is the day, and the day before where it reaches that far.
type Cursor struct {
	Field   string         // path of the time in a row as the API sends it
	As      string         // the name it has in the record as it is sent; "" is Field
	Layouts []string       // layouts beyond those that record.ParseTime knows
	Zone    *time.Location // of times without an offset; nil is UTC
	Ask     Ask            // how the API is asked for changes; nil: it cannot be
	Start   Date           // rows before it are not sent, in either sync mode; "": all are
	// Lookback widens the question, for filters that know only days, or the wrong zone, or are not sharp at their ends.
	Lookback time.Duration
	// Margin is how long before the mark a row's time may lie for it to be sent again: as long as a row may take to become visible with the
	// time at which it changed, and longer for a time that is not quite one of change. 0 is DefaultMargin; there is no way to have none.
	Margin time.Duration
	// Open is the path of a value that a row does not have while it may still change without its time moving; such rows are sent in every sync,
	// unless they are from before the cursor's Start.
	Open string
	// Hidden says that rows need not carry the time that the API filters them by: the mark is the moment at which the pass began, whatever
	// times came.
	Hidden bool
	// Other says that Field is another time than the one that the API filters by, which rows do not show: what it answers with is sent whatever its
	// time, with one WARN where nearly all of that is from before what was asked for.
	Other bool
	// Snapshot says that a row may become visible with a time of change that is long ago, as one does that somebody adds to a selection: after
	// what changed everything is read, and a row that was not there in the sync before is sent whatever its time. Their keys are in the state.
	Snapshot bool
}

// DefaultMargin is the Margin of a Cursor that names none. It is longer than a transaction may take, and than a replica is behind.
const DefaultMargin = 15 * time.Minute

// Ask is a request for the rows that changed from from until until, both in the cursor's zone. until is the time at which the pass
// began; what changed since belongs to the next one, though it may come now. The zero until is none: a mark that is after now was made by
// the API's clock, and so were the rows around it.
type Ask func(r httpclient.Request, from, until time.Time) httpclient.Request

// Parent says for which rows of which stream another one is read. The parent's listing is read once for all its children, and also when
// the parent itself was not selected. Where Params leave out a part of the parent's key, rows that ask for the same are asked for once, and Put
// is then of the first of them.
type Parent struct {
	Of      string            // the parent stream, which has neither Parent nor Explode itself
	In      httpclient.In     // where Params go
	Numbers bool              // in a body, those that are whole numbers go as numbers, and not as text
	Params  map[string]string // parameter of the request: path in the parent's row
	Put     map[string]string // member put into each record: path in the parent's row
	Where   string            // path of a flag in the parent's row: rows where it says no are not asked for; "": all are
	Missing bool              // a 404, or what API.Gone says, means that the row is not there: asked for again, then skipped, with one WARN in the end
	// Detail says that what is asked for is the parent's row itself, in full: an answer with another key is an error, but for zeros in
	// front. That none of several rows has one means that the route is wrong.
	Detail bool
	// Follows says that the child's rows change when the parent's does: only parents that changed, or did within the margin before the
	// mark, are asked for, and the mark is the parent's time. Otherwise every parent is asked for, with the child's Cursor.Ask, whose until is
	// zero, and that Cursor filters its own rows.
	Follows bool
	// Always is, with Follows, whether a parent's row is asked for although it did not change; nil: none is. The parent's listing is then read
	// whole, as far back as the child's Cursor starts.
	Always func(record.Record) bool
	// Alike is, where several rows may ask for the same, what a WARN says before the number of those for which several did: that one alone of what they
	// are can be read. "": nothing is missing for that.
	Alike string
}

// Explode says in which array of which stream's rows another stream's rows lie. They change when the parent's row does; the parent's Cursor is
// theirs, and its time is put into them under their Cursor's name.
type Explode = replication.Explode

// Way is one way to read a listing.
type Way = listing.Way

// Partial describes a list inside a row that the API may cut off.
type Partial = listing.Partial

// Windows cuts the time that a stream is asked for, which its Cursor says the beginning of, into windows of days, for an API that wants to be
// told from which day until which.
type Windows = replication.Windows

// Between asks with two parameters, each in layout; the second is left out where there is no end.
func Between(in httpclient.In, from, until, layout string) Ask {
	return func(r httpclient.Request, f, u time.Time) httpclient.Request {
		r = r.With(in, from, f.Format(layout))
		if u.IsZero() {
			return r
		}
		return r.With(in, until, u.Format(layout))
	}
}

// Since asks with one parameter, in layout.
func Since(in httpclient.In, from, layout string) Ask {
	return func(r httpclient.Request, f, _ time.Time) httpclient.Request {
		return r.With(in, from, f.Format(layout))
	}
}

// DayRange asks with one parameter that holds two days, joined by separator. The second is the day after the one on which the pass began,
// since the API's days may be another zone's; where there is no end it is the last day of 2099, which any API can compare with.
func DayRange(in httpclient.In, param, layout, separator string) Ask {
	return func(r httpclient.Request, f, u time.Time) httpclient.Request {
		if u.IsZero() {
			u = time.Date(2099, 12, 30, 0, 0, 0, 0, time.UTC)
		}
		return r.With(in, param, f.Format(layout)+separator+u.AddDate(0, 0, 1).Format(layout))
	}
}

// Sets returns a set of parameters, for Stream.Each, for each value of one.
func Sets(param string, values ...string) (all []map[string]any) {
	for _, value := range values {
		all = append(all, map[string]any{param: value})
	}
	return all
}

// Same returns members, for a Put, that have the names of what they come from.
func Same(fields ...string) map[string]string {
	put := map[string]string{}
	for _, field := range fields {
		put[field] = field
	}
	return put
}

// Or returns what a configuration says, or else what holds where it says nothing.
func Or[T any](said *T, otherwise T) T {
	if said == nil {
		return otherwise
	}
	return *said
}

// Months returns n months of 31 days, which are a hundred years at the most: as far back as any row lies.
func Months(n int) time.Duration {
	return time.Duration(min(n, 1200)) * 31 * 24 * time.Hour
}

// Some is Or for a list, which says nothing where it is empty, as a form leaves it.
func Some[T any](said []T, otherwise ...T) []T {
	if len(said) == 0 {
		return otherwise
	}
	return said
}

// Date is a date or a date and time in a configuration: "2026-01-31", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00-03:00", or "" for
// none. Its field is start_date: messages call it so.
type Date string

var errDate = fault.Configf(`The configuration needs mending: "start_date" must be a date that exists, such as 2026-01-31 or ` +
	"2026-01-31T00:00:00Z.")

// UnmarshalJSON refuses what is not a date.
func (d *Date) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errDate
	}
	*d = Date(text)
	if _, ok := record.ParseTime(text, nil, time.UTC); text != "" && !ok {
		return errDate
	}
	return nil
}

// Time returns the moment that d names, in zone where it names none itself; zero for "".
func (d Date) Time(zone *time.Location) time.Time {
	t, _ := record.ParseTime(string(d), nil, zone)
	return t
}

// cursor returns the stream's Cursor, or else one that says nothing.
func (s *Stream) cursor() *Cursor { return cmp.Or(s.Cursor, &Cursor{}) }

// name returns the name of the cursor field in the record as it is sent, or "" without a cursor.
func (c *Cursor) name() string { return cmp.Or(c.As, c.Field) }

// zone returns the zone in which times without an offset are read and marks are written.
func (c *Cursor) zone() *time.Location { return cmp.Or(c.Zone, time.UTC) }

// start returns the moment before which rows are not sent, or zero.
func (c *Cursor) start() time.Time { return c.Start.Time(c.zone()) }

// of returns the name of the stream that s is made from, which is its own where it has a listing of its own.
func (s *Stream) of() string {
	switch {
	case s.Explode != nil:
		return s.Explode.Of
	case s.Parent != nil:
		return s.Parent.Of
	default:
		return s.Name
	}
}

// origin returns the stream whose listing s is made from in the end, or nil where the connector does not have it.
func (a *API) origin(s *Stream) *Stream {
	of := a.stream(s.of())
	if of != nil && s.Explode != nil && of.Parent != nil {
		return a.stream(of.Parent.Of)
	}
	return of
}

// request returns the stream's request before anything that varies.
func (s *Stream) request() httpclient.Request {
	return httpclient.Request{Method: s.Method, Path: s.Path, Query: s.Query, Body: s.Body}
}
