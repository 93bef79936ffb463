package listing

import (
	"cmp"
	"fmt"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// totals holds what the pages of a reading told of the number of rows.
type totals struct {
	total      int64  // the largest number of rows of the whole listing
	latest     int64  // the last number of rows of the whole listing
	firstTotal int64  // the first number of rows of the whole listing
	hasTotal   bool   // a page told a number of rows of the whole listing
	reliable   bool   // the first such number is a promise
	changed    bool   // pages told different numbers
	lastRows   int64  // the last number told, of the whole listing or of a part
	lastPlace  string // the place of what lastRows counts
}

// last says where a listing ends.
type last struct {
	page     int   // its last page, counted from 1; 0: unknown
	rows     int64 // how many rows that page has
	pageRows int64 // how many rows each page before it has
}

// doubts are the reasons to believe that a reading lacks rows. A nil error means there is no such reason.
type doubts struct {
	suspect error // of the last page with the rows of another page; it counts only if rows follow it
	empty   error // of the last page without rows; it counts only if rows follow it
	gap     error // of the first page that is refused or has the rows of another page although there are more rows
	hole    error // of the first page without rows before others with rows, or of one that is refused while those behind it are not
}

// confirm notes that rows came behind the pages that brought nothing new.
func (d *doubts) confirm() { d.gap, d.hole = cmp.Or(d.gap, d.suspect), cmp.Or(d.hole, d.empty) }

// all returns how many rows the whole listing has.
func (l last) all() int64 {
	if l.page == 0 {
		return 0
	}
	return int64(l.page-1)*l.pageRows + l.rows
}

// tell records what a page says of the number of rows.
func (r *reading) tell(p *fetched) {
	totaled, ok := r.way.Pages.(pagination.Totaled)
	if !ok {
		return
	}
	if r.pages > 0 {
		p.total = totaled.Total(p.Page, false)
	}
	if !p.total.Told || p.total.Rows < 0 {
		return
	}
	other := r.lastPlace == p.request.Place && r.lastRows != p.total.Rows
	r.lastPlace, r.lastRows = p.request.Place, p.total.Rows
	if p.total.Part {
		r.changed = r.changed || other
		return
	}
	rows := p.total.Rows + r.earlier
	if !r.hasTotal {
		r.hasTotal, r.reliable, r.firstTotal = true, p.total.Reliable, rows
	}
	r.changed = r.changed || rows != r.firstTotal
	r.total, r.latest = max(r.total, rows), rows
}

// came returns how many different rows came in this reading, including those before its place.
func (r *reading) came() int64 { return r.earlier + r.rows.came }

// promised returns how many rows this reading should have brought, by all that is known.
func (r *reading) promised() int64 {
	if r.reliable {
		return r.total
	}
	return max(r.total, r.end.all(), r.reached.all(), last{page: r.pageCount, rows: 1, pageRows: r.widest}.all())
}

// told returns how many rows the listing was last told to have, by a reliable number or else by its pages.
func (r *reading) told() int64 {
	switch {
	case r.reliable:
		return r.latest
	case r.hasTotal && r.end.page == 0:
		return r.came() // a single page
	default:
		return r.end.all()
	}
}

// agrees reports whether as many rows came as the API says there are.
func (r *reading) agrees() bool { return r.hasTotal && r.came() == r.total }

// short reports whether fewer rows came than are known to exist.
func (r *reading) short() bool { return r.came() < r.promised() }

// holed returns why a page in the middle may lack rows. It is nil if no page does, or if as many rows came as the API says, or more than it promised.
func (r *reading) holed() error {
	if r.agrees() || r.reliable && r.came() > r.total {
		return nil
	}
	return r.hole
}

// defect returns why a page may lack rows; nil: no reason is known.
func (r *reading) defect() error { return cmp.Or(r.gap, r.holed()) }

// moved reports whether the listing changed while it was read: it told different numbers, or it lacks rows and told another number than the reading
// before, or rows that changed since the reading began take the place of others.
func (r *reading) moved() bool {
	if r.before > 0 && r.hasTotal && r.firstTotal != r.before && r.short() {
		return true
	}
	if _, ok := r.way.Pages.(pagination.Anchored); ok {
		return false
	}
	return r.changed || r.rows.young > 0 && r.came()-r.rows.young < max(r.firstTotal, r.end.all())
}

// assess reports whether the listing is complete after this reading. If done is false and err is nil, another reading may help.
func (r *reading) assess() (done bool, err error) {
	switch {
	case r.beyond && r.hasTotal:
		return false, fault.Configf("%d of the %d rows of %s are out of reach: the API does not list them. %s",
			r.total-r.came(), r.total, r.Name, r.way.Beyond)
	case r.beyond:
		return false, fault.Configf("%s has more rows than the %d that the API lists. %s", r.Name, r.came(), r.way.Beyond)
	case !r.short() && r.holed() == nil && (!r.moved() || r.filled <= 1):
		return true, nil
	case r.number == 1:
		return false, nil
	case r.settled():
		r.doubt()
		return true, nil
	case r.number < maxReadings && (r.moved() || r.rows.found > 0):
		return false, nil
	case !r.moved() && r.defect() != nil:
		return false, r.defect()
	case r.holed() != nil:
		return false, r.holed()
	case r.moved():
		return false, fault.Transientf("%s changes faster than it can be read: it changed in each of %d readings, of which the last brought %d rows. "+
			"Trying again at a quieter time may help.", r.Name, r.number, r.came())
	case !r.hasTotal:
		return false, fault.Laterf("The pages of %s should have %d rows, and %d different ones came, in reading number %d too.",
			r.Request.Path, r.promised(), r.came(), r.number)
	default:
		return false, fault.Laterf("The API promised %d rows at %s and sent %d different ones, in reading number %d too.",
			r.promised(), r.Request.Path, r.came(), r.number)
	}
}

// settled reports whether a further reading has shown that nothing is missing although the numbers differ: it brought nothing new, or only rows that
// changed since the sync began, which the next one brings, and as many rows are known as there were when it began. A promise must be kept.
func (r *reading) settled() bool {
	switch {
	case r.came() == 0 && !r.Part, !r.moved() && r.defect() != nil:
		return false
	case r.reliable && (!r.moved() && !r.rows.twice || r.holed() != nil): // the promise must be kept
		return false
	case !r.moved() && r.rows.found == 0 && !r.reliable:
		return true
	case !r.Clock.sharp() || r.rows.old > 0:
		return false
	}
	if r.reliable {
		return r.known() >= max(r.firstTotal, r.before) // rows removed since the reading before came in that reading
	}
	return r.known() >= r.end.all() || r.number == maxReadings
}

// known returns how many rows came in all readings that existed when this one began.
func (r *reading) known() int64 { return r.earlier + r.rows.all - r.rows.newer }

// doubt warns of what does not match in a listing that is taken for complete: the API's number, a page, or the number of rows while it changes.
func (r *reading) doubt() {
	switch why := r.defect(); {
	case r.short() && !r.moved():
		r.reader.Log.Warn(fmt.Sprintf("%s: %s, in each of %d readings; it is taken for complete, since the API's number is not reliable",
			r.Name, r.sum(), r.number))
	case why != nil:
		r.reader.Log.Warn(fmt.Sprintf("%s: %s It is taken for complete after %d readings.", r.Name, fault.Of(why).Message, r.number))
	case r.known() < r.promised():
		r.reader.Log.Warn(fmt.Sprintf("%s: %s; it changes while it is read, and is taken for complete after %d readings", r.Name, r.sum(), r.number))
	}
}

// sum says how many rows were expected and how many came.
func (r *reading) sum() string {
	return fmt.Sprintf("%d rows were expected and %d came", r.promised(), r.came())
}

// whyAgain says why this reading is not taken for complete.
func (r *reading) whyAgain() string {
	if r.short() {
		return "changed while it was read, or lacks rows: " + r.sum()
	}
	return fmt.Sprintf("changed while it was read (%d rows came)", r.came())
}
