package listing

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// maxReadings is how often a listing is read if it changes while it is read.
const maxReadings = 3

// listing is a Listing that is being read, in one or more readings.
type listing struct {
	*Listing
	reader *Reader
	rows   *rows
	yield  func(Page) bool

	hadRows atomic.Bool // an answer had a row, so the account has the listing

	number  int    // of the current reading, from 1
	begin   string // the place at which readings begin; "": the beginning
	earlier int64  // how many rows are before begin
	before  int64  // how many rows the reading before was last told of; 0: there was none
}

// open returns a listing that has yet to be read and whose pages go to yield.
func (r *Reader) open(of *Listing, yield func(Page) bool) *listing {
	return &listing{Listing: of, reader: r, rows: newRows(of), yield: yield, number: 1}
}

// readings reads l until it is known to be complete or incomplete: see docs/decisions/008.
func (l *listing) readings(ctx context.Context) (end End) {
	l.resume()
	reading := l.read()
	defer func() { end.Late, end.Rows = l.rows.late, reading.told() }()
	for {
		switch ended := reading.read(ctx); {
		case ended == nil:
			done, err := reading.assess()
			if done {
				return End{Kind: Done}
			}
			if !l.yield(Page{Anew: true, Late: l.rows.late}) { // the missing rows may be anywhere
				return End{Kind: Failed}
			}
			if err != nil {
				return End{Kind: Failed, Err: err}
			}
			l.reader.Log.Info(fmt.Sprintf("%s %s; it is read once more", l.Name, reading.whyAgain()))
			l.number++
			l.before = reading.latest
		case ended.Kind == tooLarge && l.resize(reading.way, ended.most):
			if reading.way = l.way(); reading.from == l.begin {
				reading = l.read()
			}
			continue // from the current place, with smaller pages
		case reading.otherWay(ended):
			l.number, l.begin, l.earlier, l.before = 1, "", 0, 0
		case ended.Kind == Absent, ended.Kind == Gone, ended.Kind == Done:
			return End{Kind: ended.Kind}
		case l.Refusable && (ended.Kind == Refused || ended.Kind == wrongPage):
			return End{Kind: Refused, Err: ended.Err}
		default:
			return End{Kind: Failed, Err: ended.Err, Denied: ended.Denied}
		}
		reading = l.read()
	}
}

// read returns a reading that has yet to begin.
func (l *listing) read() *reading {
	l.rows.begin()
	return &reading{listing: l, way: l.way(), from: l.begin}
}

// reading is one reading of a listing from its beginning to its end.
type reading struct {
	*listing
	way way
	of  string // the fingerprint of what is asked for

	pages   int    // how many came
	filled  int    // how many of them had a row
	from    string // the place behind the last page that was used, or where the reading begins
	beyond  bool   // rows follow that cannot be asked for
	idle    int    // how many pages in a row brought no new row
	end     last   // the last page, as the search found it; zero: there was no search
	reached last   // the last page after the first that brought a new row
	widest  int64  // how many rows the fullest page had

	pageCount int // how many pages the API says there are; 0: it does not say
	totals
	doubts
}

// otherWay reports whether the listing can begin anew, in another way, after end.
func (r *reading) otherWay(end *End) bool {
	switch {
	case end.Kind != Refused && end.Kind != wrongPage:
		return false
	case r.begin != "" && r.pages == 0: // the place may be to blame rather than the way
		r.reader.Forget(r.Name)
		return true
	}
	return r.nextWay(r.way, r.pages == 0 && end.Kind == Refused)
}

// anew begins the reading anew and forgets what came in it. Rows that were handed out are not handed out again.
func (r *reading) anew() {
	r.rows.begin()
	*r = reading{listing: r.listing, way: r.way, of: r.of, from: r.from}
}

// hand passes the new rows of an accepted page to the consumer and releases its memory.
func (r *reading) hand(p *fetched) *End {
	page := Page{Rows: p.rows, Mended: p.mended, Late: r.rows.late}
	if r.pages == 0 {
		page.Served = served(p.Header)
		if r.reliable {
			page.Total = r.total
		}
	}
	if r.pages++; len(p.Records) > 0 {
		r.filled++
	}
	bounded, ok := r.way.Pages.(pagination.Bounded)
	r.beyond = r.beyond || ok && bounded.Beyond(p.request.Request, p.Page)
	if p.place != "" && !r.beyond {
		r.from = p.place
		page.Place = &Place{Of: r.of, At: strconv.Itoa(r.way.number) + ":" + p.place, Rows: r.earlier + r.rows.all}
	}
	wanted := r.yield(page)
	clear(r.rows.out) // other pages may reuse what is no longer referenced
	share := p.request.Share
	r.reader.free(p)
	if share.Release(); !wanted {
		return failed(nil)
	}
	return nil
}

// served returns when the server began to answer, by its own clock, or zero if it does not tell.
func served(h http.Header) time.Time {
	t, _ := http.ParseTime(h.Get("Date")) // zero if there is no valid date
	return t
}
