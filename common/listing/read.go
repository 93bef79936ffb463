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

// maxReadings is how often a listing that changes while it is read is read.
const maxReadings = 3

// listing is a Listing that is being read, in one or several readings.
type listing struct {
	*Listing
	reader *Reader
	rows   *rows
	yield  func(Page) bool

	hadRows atomic.Bool // an answer had a row, so that the account has it

	number  int    // of the running reading, from 1
	begin   string // the place that readings begin at; "": the beginning
	earlier int64  // how many rows are before begin
	before  int64  // how many rows the reading before was told of at last; 0: there was none
}

// open returns a listing that is yet to be read, whose pages go to yield.
func (r *Reader) open(of *Listing, yield func(Page) bool) *listing {
	return &listing{Listing: of, reader: r, rows: newRows(of), yield: yield, number: 1}
}

// readings reads l until it is whole, or is known not to be: see docs/decisions/008.
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
			if !l.yield(Page{Anew: true, Late: l.rows.late}) { // what is missing may be anywhere
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
			continue // from where it is, with smaller pages
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

// read returns a reading that is yet to begin.
func (l *listing) read() *reading {
	l.rows.begin()
	return &reading{listing: l, way: l.way(), from: l.begin}
}

// reading is one reading of a listing from its beginning to its end.
type reading struct {
	*listing
	way way
	of  string // the fingerprint of what is asked

	pages   int    // that came
	filled  int    // those of them that had a row
	from    string // the place behind the last page that was used, or where the reading begins
	beyond  bool   // rows follow that cannot be reached
	idle    int    // pages in a row without a new row
	end     last   // the last page that was looked for beforehand; zero: it was not
	reached last   // the last page that brought a row
	widest  int64  // how many rows the page with the most of them had

	pageCount int // how many pages there are, as the API tells; 0: it does not
	totals
	doubts
}

// otherWay reports whether the listing can begin anew after end, in another way.
func (r *reading) otherWay(end *End) bool {
	switch {
	case end.Kind != Refused && end.Kind != wrongPage:
		return false
	case r.begin != "" && r.pages == 0: // the place may be the reason, and the way not to blame
		r.reader.Forget(r.Name)
		return true
	}
	return r.nextWay(r.way, r.pages == 0 && end.Kind == Refused)
}

// anew forgets what came in this reading, which begins anew; what was handed on stays so.
func (r *reading) anew() {
	r.rows.begin()
	*r = reading{listing: r.listing, way: r.way, of: r.of, from: r.from}
}

// hand hands the new rows of an accepted page on, whose memory serves others from then on.
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
	clear(r.rows.out) // what is not held is free for the next page
	share := p.request.Share
	r.reader.free(p)
	if share.Release(); !wanted {
		return failed(nil)
	}
	return nil
}

// served returns when the server began to answer, on its own clock, or zero when it does not tell.
func served(h http.Header) time.Time {
	t, _ := http.ParseTime(h.Get("Date")) // zero where it is none
	return t
}
