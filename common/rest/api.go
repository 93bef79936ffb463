// Package rest is the engine for sources that are JSON over HTTP.
//
// A connector describes an API: its transport, its listings, and what a time of change looks like in it. The engine owns everything that
// is the same for all of them: the loop over slices and pages, what is read in parallel, what is sent and what is not, the state, the
// statuses, and the ending. A connector that needs code where a description should do is a hint that the engine has something to learn.
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
)

// API describes one API as one configuration sees it.
type API struct {
	httpclient.Options
	Pages   pagination.Strategy // how listings are paged, for streams that do not say it themselves; nil: they are not
	Records string              // path of the rows in an answer, for streams that do not say it themselves; see Stream
	Check   string              // the stream whose first page tells whether the configuration works
	// Absent is whether an answer says that this account does not have what was asked for; see Stream.Optional.
	Absent func(*httpclient.Response) bool
	// Gone is whether an answer says that the one row which was asked for is not there, besides a 404; see Parent.Missing. nil: none does.
	Gone func(*httpclient.Response) bool
	// Omits says that a list without rows may be left out of an answer, or be null.
	Omits bool
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
	// Put is put into each record of a set of Each: member, and the parameter whose value it gets. Rows are told apart within their set then.
	Put map[string]string
	// Ways is for a listing of which it is not known how the API lets it be read: the ways, the best one first. One that is refused gives way to
	// the next. Empty: there is one way, with Pages.
	Ways []Way
	// Refused is whether an answer refuses what was asked; nil: none does. Then the next of Ways is taken. Where none is left, a set of Each is
	// read as empty, if the API goes on answering something else; without Each the question for changes (Cursor.Ask) is left out, with one WARN,
	// and everything is read. Where nothing can be left out the answer is a failure.
	Refused func(*httpclient.Response) bool
	// RefusedAsk says that what Refused tells is about the question for changes alone, and not about a set of Each.
	RefusedAsk bool
	Pages      pagination.Strategy // nil: as the API says
	Records    string              // path of the rows in an answer, or several by commas: the first that is there; "": as the API says
	Key        []string            // names of the primary key's fields in the record as it is sent
	Cursor     *Cursor             // nil: no time of change, full refresh only
	Removed    *Removed            // nil: the API does not list what was removed
	Parent     *Parent             // the stream is read with requests of its own for each row of another stream
	Explode    *Explode            // the stream is an array inside the rows of another stream
	Partial    *Partial            // a list inside the rows may come in part
	Shape      []record.Edit       // what a row needs to become what the schema says; the cursor field's time needs no mention
	// Map is the last resort, before Shape; a nil record drops the row.
	Map func(record.Record) (record.Record, error)
	// Needs is the sentence that says what must be configured before the stream can be read, or "". It is discovered all the same.
	Needs string
	// Optional says that not every account has the stream: where API.Absent finds it missing it is empty, with one WARN, but only if the
	// API answered something else in the same run. A wrong address must not end as empty tables.
	Optional bool
	// Unlisted says that the stream is there for others that are made from it, and is none of the catalog's.
	Unlisted bool
	Windows  *Windows // the rows are asked for stretch of time by stretch of time; nil: they are not

	detail *Stream // the stream whose request this one sends, to be made of the same answers; nil: itself
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
	// Open is the path of a value that a row does not have while it may still change without its time moving; such rows are always sent.
	Open string
	// Hidden says that rows need not carry the time that the API filters them by: the mark is the moment at which the pass began, whatever
	// times came.
	Hidden bool
}

// DefaultMargin is the Margin of a Cursor that names none. It is longer than a transaction may take, and than a replica is behind.
const DefaultMargin = 15 * time.Minute

// Ask is a request for the rows that changed from from until until, both in the cursor's zone. until is the time at which the pass
// began; what changed since belongs to the next one, though it may come now. The zero until is none: a mark that is after now was made by
// the API's clock, and so were the rows around it.
type Ask func(r httpclient.Request, from, until time.Time) httpclient.Request

// Removed describes a listing of rows that were removed. Removing need not have moved a row's time of change, so the listing is read
// whole in every sync; a row is sent when it is newly removed, or changed since the mark or within the margin before it. The keys of up to
// RemovedKept of those sent are kept in the state; what is beyond is sent again in every sync.
type Removed struct {
	Query url.Values // parameters in the place of the stream's own
}

// RemovedKept is how many keys of removed rows a stream's state holds at the most.
const RemovedKept = 10_000

// Parent says for which rows of which stream another one is read. The parent's listing is read once for all its children, and also when
// the parent itself was not selected.
type Parent struct {
	Of      string            // the parent stream, which has neither Parent nor Explode itself
	In      httpclient.In     // where Params go; in a body, numbers go as numbers
	AsText  bool              // but as text with this
	Params  map[string]string // parameter of the request: path in the parent's row
	Put     map[string]string // member put into each record: path in the parent's row
	Where   string            // path of a flag in the parent's row: only rows where it is true are asked for; "": all
	Missing bool              // a 404 means that the row has gone meanwhile: skipped, with one WARN in the end
	// Detail says that what is asked for is the parent's row itself, in full: an answer with another key is an error. That none of several rows
	// has one means that the route is wrong.
	Detail bool
	// Follows says that the child's rows change when the parent's does: only parents that changed, or did within the margin before the
	// mark, are asked for, and the mark is the parent's time. Otherwise every parent is asked for, and the child's Cursor filters its own rows.
	Follows bool
	// Always is, with Follows, whether a parent's row is asked for although it did not change; nil: none is. The parent's listing is then read
	// whole, as far back as the child's Cursor starts.
	Always func(record.Record) bool
}

// Explode says in which array of which stream's rows another stream's rows lie. They change when the parent's row does; the parent's
// Cursor is theirs, and its time is put into them under their Cursor's name.
type Explode struct {
	// Of is the stream whose rows hold the array. Where that has a Parent, what is read for each row is read once for both. It may be "" in a
	// stream with a Parent of its own, which is then made of what lies in the rows that it asks for.
	Of       string
	Array    string            // path of the array in the parent's row
	Within   string            // path of an array in the parent's row in whose rows Array lies, and the paths of Put; "": Array lies in the row itself
	Put      map[string]string // member put into each record: path in the parent's row
	Position string            // member that holds the row's position in its array, from 0; "": none
}

// Way is one way to read a listing.
type Way = listing.Way

// Partial describes a list inside a row that the API may cut off.
type Partial = listing.Partial

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

// Date is a date or a date and time in a configuration: "2026-01-31", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00-03:00", or "" for
// none.
type Date string

var errDate = fault.Configf("The configuration cannot be used: a start date must be a date that exists, such as 2026-01-31 or " +
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

// Time is the moment that d names, in zone where it names none itself; zero for "".
func (d Date) Time(zone *time.Location) time.Time {
	t, _ := record.ParseTime(string(d), nil, zone)
	return t
}

// name is the name of the cursor field in the record as it is sent, or "" without a cursor.
func (c *Cursor) name() string {
	switch {
	case c == nil:
		return ""
	case c.As != "":
		return c.As
	default:
		return c.Field
	}
}

// zone is where times without an offset are read and marks are written.
func (c *Cursor) zone() *time.Location {
	if c == nil || c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// layouts are those of the cursor, or none.
func (c *Cursor) layouts() []string {
	if c == nil {
		return nil
	}
	return c.Layouts
}

// margin is that of the cursor, or none without a cursor.
func (c *Cursor) margin() time.Duration {
	if c == nil {
		return 0
	}
	return cmp.Or(c.Margin, DefaultMargin)
}

// start is the moment before which rows are not sent, or zero.
func (c *Cursor) start() time.Time {
	if c == nil || c.Start == "" {
		return time.Time{}
	}
	return c.Start.Time(c.zone())
}

// origin is the stream whose listing s is made from: s.Name itself where s has a listing of its own.
func (s *Stream) origin() string {
	switch {
	case s.Parent != nil:
		return s.Parent.Of
	case s.Explode != nil:
		return s.Explode.Of
	default:
		return s.Name
	}
}

// request is the stream's request before anything that varies.
func (s *Stream) request() httpclient.Request {
	return httpclient.Request{Method: s.Method, Path: s.Path, Query: s.Query, Body: s.Body}
}

// with is r with each of params where s's method has its parameters.
func (s *Stream) with(r httpclient.Request, params map[string]any) httpclient.Request {
	in := httpclient.Query
	if s.Body != nil {
		in = httpclient.Body
	}
	for key, value := range params {
		r = r.With(in, key, value)
	}
	return r
}
