// Package rest is the engine for sources with an API of JSON over HTTP.
//
// A connector describes an API: its transport, its listings, and the time of change of its rows. The engine owns everything that all connectors
// share: the loop over slices and pages, concurrency, the choice of what is sent, the state, the statuses, and the ending. This package translates
// the description. Package listing then reads pages, and package replication decides which rows are sent. If a connector needs code where a
// description should suffice, the engine probably lacks a feature.
//
// # Functions in a description
//
// The function handed to New must be pure: it is called once for each check, discovery or read, and depends on nothing but the configuration. The
// functions called for requests and answers (Judge, Absent, Refused, TooLarge, Notice, Ask, a strategy of pagination, a Signer) are called by many
// goroutines at once, and again when a request is repeated, so they must be pure or guard what they keep. They may use a Response until they return.
// Body and Text share the memory of a page, so they must copy what they keep of these. For each configured stream, one goroutine at a time calls
// Always and Derive; a stream configured in two namespaces counts as two. A panic in any of these functions fails only the streams that wait for it.
//
// Judge, Nothing and Notice see every answer, including each good page. Absent and Refused see the answers to a listing's first page. Each path they
// look up is another pass over the answer, so they should look at the status first. TooLarge sees failures only.
//
// # Paths
//
// A path names a member of a row or an answer: names separated by dots, with numbers for elements of arrays (a dot in a name is written "\\."). A
// path that leads to nothing is no error. For Records, the answer fails, because it has no rows. For Cursor.Field, the row has no time and is always
// sent. For Key, the row has no key and is identified by its bytes. For Put, the value is null. For Params, the row is not asked for, with one WARN.
// For Where, the row is asked for, with one WARN, unless other rows have the flag. For Array and Within, the array is empty; an object in place of an
// array is an array of one element. For Open, the row is open.
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

// API describes an API as a given configuration sees it.
type API struct {
	httpclient.Options
	Zone    *time.Location      // of times without an offset in rows, for streams whose Cursor has no zone; nil is UTC
	Pages   pagination.Strategy // how listings are paged, for streams that do not say; nil: they are not
	Records string              // path of the rows in an answer, for streams that do not say; see Stream
	Check   string              // the stream whose first page shows whether the configuration works
	// Absent reports whether an answer says that this account does not have what was asked for; see Stream.Optional.
	Absent func(*httpclient.Response) bool
	// Gone reports whether an answer other than a 404 says that the requested row does not exist; see Parent.Missing. nil: none does.
	Gone func(*httpclient.Response) bool
	// Omits says that the API may omit a list without rows, or send null in its place.
	Omits bool
	// TooLarge reports whether an answer says that the page asked for is too large, and the largest size allowed, or 0 if the answer does not say; nil:
	// none does. After such a failure the request is repeated with smaller pages, if the listing allows that. It sees failures only.
	TooLarge func(*httpclient.Response) (most int, tooLarge bool)
	// Notice returns a sentence about an answer that the user should know, such as that a quota is nearly used up, or ""; nil: none. Only the first one
	// in a run is logged, as a warning.
	Notice   func(*httpclient.Response) string
	Refuse   error    // why the configuration cannot work, known without asking the API: a config error; nil: it may work
	Warn     []string // what the user should know about the configuration before a read
	Parallel int      // requests in flight for all streams together; 0 is 8
	Streams  []Stream
}

// Stream describes one stream. For each field, the zero value is the plain case.
type Stream struct {
	Name   string
	Method string // "" is GET
	Path   string // may contain {parameters} of Parent
	Query  url.Values
	Body   map[string]any
	// Each is sets of parameters. The listing is read once for each. The parameters go into the body if the stream has one, and else into the query.
	Each []map[string]any
	// Maybe is further sets that the API need not know. If one is Refused while the API still answers other requests, it is read as empty, with a line
	// in the log.
	Maybe []map[string]any
	// Put maps a member to the parameter of Each whose value it gets, in each record of a set. A row's key then counts only within its set.
	Put map[string]string
	// Apart says that the sets of Each use different routes, and that an account may have only some of them. With Optional, the stream is read without
	// those that API.Absent finds missing, with one WARN.
	Apart bool
	// Windows has the listing read window by window, for each set of Each; nil: it is not.
	Windows *Windows
	Days    Ask // with Windows, asks for the days from the first to the last day of a window
	// Ways is for a listing if it is not known how the API lets it be read: the possible ways, the best one first. If one is refused, the next is tried.
	// Empty: there is one way, with Pages.
	Ways []Way
	// Refused reports whether an answer refuses the request; nil: none does. Then the next of Ways is tried. If none is left, either the set of Maybe is
	// left out, or the filter for changes (Cursor.Ask), in which case everything is read, with one WARN. If nothing can be left out, the answer is a
	// failure.
	Refused func(*httpclient.Response) bool
	// Nothing reports whether an answer says, instead of sending a list, that there are no rows, whatever its status; nil: none does. It sees every
	// answer and must be certain, because the table, or the part of it that was asked for, is then taken to be empty.
	Nothing func(*httpclient.Response) bool
	Pages   pagination.Strategy // nil: API.Pages
	Records string              // path of the rows in an answer, or several separated by commas: the first one found is used; "": API.Records
	Value   string              // the rows are plain values, such as texts, and each record has its value as this member; "": rows are objects
	Key     []string            // names of the primary key's fields in the record
	// Repeats is the member, and the last field of the key, that distinguishes rows with the same rest of the key: how many of them came before, from 0.
	// "": keys are unique. It is for listings that come in one answer, or whose place the server keeps.
	Repeats string
	Cursor  *Cursor // nil: no time of change, full refresh only
	// Removed is parameters that replace the stream's own to list the removed rows; nil: the API does not list them. Removing a row may leave its time
	// of change as it was, so that listing is read completely in every sync. A row is sent if it is newly removed, or if it changed since the mark or
	// within the margin before it. The state keeps the keys of up to replication.RemovedKept of the rows sent. Those beyond are sent again in every
	// sync.
	Removed url.Values
	Parent  *Parent  // the stream is read with one listing for each row of another stream
	Explode *Explode // the stream is an array inside the rows of another stream
	Partial *Partial // a list inside the rows may be incomplete
	// Derive makes members from a row and from what is put into it, which get returns by path or by name. They replace the row's own members and are
	// converted to the types of their columns. Those without a column are left out. nil: none. It is for what no edit of Shape can express.
	Derive func(get func(path string) record.Value) []record.Member
	Shape  []record.Edit // edits to a row besides the conversion to the types of the schema's columns, which is automatic
	// Needs is a sentence saying what must be configured before the stream can be read, or "". The stream is discovered either way.
	Needs string
	// Optional says that not every account has the stream. If API.Absent finds it missing, the stream is empty, with one WARN, but only if the API
	// answered something else in the same run. For a stream with a Parent, that is the parent's listing. A wrong address must not result in empty
	// tables.
	Optional bool
	// Unlisted says that the stream exists only for others to be made from and is not in the catalog. It has no schema.
	Unlisted bool
	// Absent, with Optional, reports whether an answer says that the account does not have this stream; nil: API.Absent does.
	Absent func(*httpclient.Response) bool
	// Without is the columns of the schema that the configuration leaves out. They are neither discovered nor sent.
	Without []string
	// Choice identifies which rows or fields the configuration chose, in any form that is the same for the same choice; "": all. Nothing is taken from a
	// state with another choice, because its mark does not cover rows that were not asked for, and the rows that were have other columns. All rows are
	// read again, with one WARN.
	Choice string
}

// Cursor describes the time of change of a stream's rows.
//
// A sync sends the rows that changed since the last sync's mark, those that changed within the Margin before the mark, which may have become visible
// after later ones were read, and rows without a time. The request may cover more (Lookback), and the answer more still (if the API ignores the
// filter). The engine filters the rows in any case. A time that shows only a day or a minute stands for all of that day or minute. If the API's times
// are days, the margin is therefore the whole day, and the day before if the margin reaches it.
type Cursor struct {
	Field   string         // path of the time in a row as the API sends it
	As      string         // its name in the record; "" is Field
	Layouts []string       // in addition to those that record.ParseTime knows
	Zone    *time.Location // of times without an offset; nil is UTC
	Ask     Ask            // asks for changes only; nil: the API cannot be asked
	Start   Date           // earlier rows are not sent, in either sync mode; "": all are
	// Lookback makes the request start earlier, for filters by day, in the wrong zone, or imprecise at their ends.
	Lookback time.Duration
	// Margin is how much older than the mark a row may be and still be sent again. It must be as long as a row may take to become visible with the time
	// at which it changed, and longer if that time is not exactly one of change. 0 is DefaultMargin. It cannot be turned off.
	Margin time.Duration
	// Open is the path of a value that a row lacks while it may still change without its time moving. Such rows are sent in every sync, unless they are
	// from before the cursor's Start.
	Open string
	// Hidden says that rows need not carry the time that the API filters by. The mark is then the time at which the pass began, whatever times came.
	Hidden bool
	// Other says that the API filters by a time that rows do not show, and that Field is another one. All rows that come are sent, whatever their time,
	// with one WARN if nearly all are older than what was asked for.
	Other bool
	// Snapshot says that a row may become visible with an old time of change, for example because somebody added it to a selection. After the changes,
	// everything is read, and a row that did not come in the last sync is sent whatever its time. The state holds the keys of all rows.
	Snapshot bool
}

// DefaultMargin is the Margin of a Cursor that does not set one. It exceeds the time a transaction may take and the lag of a replica.
const DefaultMargin = 15 * time.Minute

// Ask adds to a request that only rows changed between from and until are wanted, both in the cursor's zone. until is the time at which the pass
// began. Later changes belong to the next pass, though they may come in this one. A zero until is no limit: it is used if a mark lies after now,
// because the API's clock made that mark and the times of the rows around it.
type Ask func(r httpclient.Request, from, until time.Time) httpclient.Request

// Parent says for which rows of which stream another stream is read. The parent's listing is read once for all its children, even if the parent
// itself is not selected. If Params leave out a part of the parent's key, rows with the same Params are asked for once, and Put takes its values from
// the first of them.
type Parent struct {
	Of      string            // the parent stream, which has neither Parent nor Explode itself
	In      httpclient.In     // where Params go in the request
	Numbers bool              // in a body, whole numbers are sent as numbers, not as text
	Params  map[string]string // parameter of the request: path in the parent's row
	Put     map[string]string // member put into each record: path in the parent's row
	Where   string            // path of a flag in the parent's row: rows where it says no are not asked for; "": all are
	Missing bool              // a 404, or API.Gone, means that the row is gone: it is asked for again, then skipped, with one WARN at the end
	// Detail says that the answer is the parent's row itself, in full. An answer with another key is an error, except for leading zeros. If none of
	// several rows has an answer, the route is wrong.
	Detail bool
	// Follows says that the child's rows change when the parent's row does. Only parents that changed since the mark, or within the margin before it,
	// are asked for, and the mark is the parent's time. Otherwise every parent is asked for, with the child's Cursor.Ask and a zero until, and the
	// child's Cursor filters its own rows.
	Follows bool
	// Always reports, with Follows, whether a parent's row is asked for although it did not change; nil: none is. The parent's listing is then read
	// completely, as far back as the child's Cursor starts.
	Always func(record.Record) bool
	// Alike is the start of a WARN for rows that share their Params. The number of shared Params is appended. It tells the user that only one of the
	// rows could be read. "": nothing is missing.
	Alike string
}

// Explode says in which array of which stream's rows another stream's rows lie. They change when the parent's row does. The parent's Cursor is
// theirs, and its time is put into them under their Cursor's name.
type Explode = replication.Explode

// Way is one way to read a listing.
type Way = listing.Way

// Partial describes a list inside a row that the API may cut off.
type Partial = listing.Partial

// Windows divides the time range of a stream, which begins at its Cursor's Start, into windows of days, for an API that wants a first and a last day.
type Windows = replication.Windows

// Between returns an Ask that sends two parameters, each in layout. The second is left out if until is zero.
func Between(in httpclient.In, from, until, layout string) Ask {
	return func(r httpclient.Request, f, u time.Time) httpclient.Request {
		r = r.With(in, from, f.Format(layout))
		if u.IsZero() {
			return r
		}
		return r.With(in, until, u.Format(layout))
	}
}

// Since returns an Ask that sends one parameter, in layout.
func Since(in httpclient.In, from, layout string) Ask {
	return func(r httpclient.Request, f, _ time.Time) httpclient.Request {
		return r.With(in, from, f.Format(layout))
	}
}

// DayRange returns an Ask that sends one parameter with two days, joined by separator. The second is the day after the pass began, because the API
// may use another zone. If until is zero, it is the last day of 2099, which any API can compare with.
func DayRange(in httpclient.In, param, layout, separator string) Ask {
	return func(r httpclient.Request, f, u time.Time) httpclient.Request {
		if u.IsZero() {
			u = time.Date(2099, 12, 30, 0, 0, 0, 0, time.UTC)
		}
		return r.With(in, param, f.Format(layout)+separator+u.AddDate(0, 0, 1).Format(layout))
	}
}

// Sets returns, for Stream.Each, one set of parameters for each value of param.
func Sets(param string, values ...string) (all []map[string]any) {
	for _, value := range values {
		all = append(all, map[string]any{param: value})
	}
	return all
}

// Same returns a Put that gives members the names of the fields they come from.
func Same(fields ...string) map[string]string {
	put := map[string]string{}
	for _, field := range fields {
		put[field] = field
	}
	return put
}

// Or returns *said, or otherwise if said is nil.
func Or[T any](said *T, otherwise T) T {
	if said == nil {
		return otherwise
	}
	return *said
}

// Months returns the duration of n months of 31 days. It is limited to a hundred years, because no row is older.
func Months(n int) time.Duration {
	return time.Duration(min(n, 1200)) * 31 * 24 * time.Hour
}

// Some returns said, or otherwise if said is empty. A form leaves an empty list if nothing is entered.
func Some[T any](said []T, otherwise ...T) []T {
	if len(said) == 0 {
		return otherwise
	}
	return said
}

// Date is a date, or a date and time, in a configuration: "2026-01-31", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00-03:00", or "" for none. Messages
// call the field start_date.
type Date string

var errDate = fault.Configf(`The configuration needs mending: "start_date" must be a date that exists, such as 2026-01-31 or ` +
	"2026-01-31T00:00:00Z.")

// UnmarshalJSON returns an error for anything that is not a date.
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

// Time returns the moment that d names, in zone if d has no offset, or zero for "".
func (d Date) Time(zone *time.Location) time.Time {
	t, _ := record.ParseTime(string(d), nil, zone)
	return t
}

// cursor returns the stream's Cursor, or an empty one.
func (s *Stream) cursor() *Cursor { return cmp.Or(s.Cursor, &Cursor{}) }

// name returns the name of the cursor field in the record, or "" without a cursor.
func (c *Cursor) name() string { return cmp.Or(c.As, c.Field) }

// zone returns the zone in which times without an offset are read and marks are written.
func (c *Cursor) zone() *time.Location { return cmp.Or(c.Zone, time.UTC) }

// start returns the moment before which rows are not sent, or zero.
func (c *Cursor) start() time.Time { return c.Start.Time(c.zone()) }

// of returns the name of the stream that s is made from, or its own name if it has its own listing.
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

// origin returns the stream whose listing s is ultimately made from, or nil if the connector does not have it.
func (a *API) origin(s *Stream) *Stream {
	of := a.stream(s.of())
	if of != nil && s.Explode != nil && of.Parent != nil {
		return a.stream(of.Parent.Of)
	}
	return of
}

// request returns the stream's request without the parts that vary.
func (s *Stream) request() httpclient.Request {
	return httpclient.Request{Method: s.Method, Path: s.Path, Query: s.Query, Body: s.Body}
}
