package listing

import (
	"cmp"
	"context"
	"fmt"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// numbered is the reading of pages that have numbers.
type numbered struct {
	*reading
	strategy pagination.Numbered
	request  httpclient.Request
	told     int           // how many pages there are, as the API tells; 0: it does not
	first    uint64        // a hash of the first page
	size     int           // how many rows that had
	odd      bool          // which is no size that pages are known to be cut to
	cut      bool          // but they are
	behind   map[int]sight // pages, counted from 0, that the search found to be none
	refused  bool          // it found so because the API refused them
	farthest int           // the last of them
	alone    bool          // it found the first page to be the only one, which is as it was before
	sure     bool          // a page with fewer rows than any that is cut is the last one
	exact    bool          // for every listing, and not only for one of a child
	fewest   int           // how many rows that is
}

// numbered reads pages by their number.
func (r *reading) numbered(ctx context.Context, strategy pagination.Numbered, request httpclient.Request) error {
	n := &numbered{reading: r, strategy: strategy, request: request, behind: map[int]sight{}}
	n.fewest, n.exact = strategy.Fewest()
	n.sure = n.exact || r.Child
	for {
		again, err := n.pass(ctx)
		if !again || err != nil {
			return err
		}
		r.anew() // with the end looked for beforehand
	}
}

// pass reads the pages once. It ends soon, to be called again, where there turn out to be more than one although the first one looked as if
// it was the last: then nothing is known of the end.
func (n *numbered) pass(ctx context.Context) (again bool, err error) {
	first, err := n.begin(ctx)
	if err != nil {
		return false, err
	}
	ahead := n.ahead(ctx)
	defer ahead.stop()
	for i, more := 0, true; more; i++ {
		p := first
		if first = (fetched{}); i > 0 { // which is not held any longer than it is needed
			if p, err = ahead.page(ctx, i); err != nil {
				return false, err
			}
		}
		if more, err = n.use(ctx, p, i); err != nil {
			return false, err
		}
		if i == 1 && n.odd && n.rows.fresh > 0 && !n.sure && n.end.page == 0 && !n.promise() {
			n.cut = true
			return true, nil
		}
	}
	return false, nil
}

// begin asks for the first page, and looks for the last one where nothing tells of it: then it asks for the first one again, since what went
// from it meanwhile would be noticed by nobody.
func (n *numbered) begin(ctx context.Context) (fetched, error) {
	first, err := n.ask(ctx, n.at(0), fetching{})
	if err != nil {
		return first, err
	}
	n.look(&first)
	if n.told > 0 || n.reliable(&first) || !n.mayGoOn(&first) {
		return first, nil
	}
	n.rows.clocked(&first, n.reader.Began) // what comes into being from here on is not counted by the search
	if n.end, err = n.search(ctx, &first); err == nil && n.end.page == 1 && first.sole() && !n.refused {
		n.alone = true
		return first, nil
	}
	first.share.Release()
	if err != nil {
		return first, err
	}
	before := n.first
	if first, err = n.ask(ctx, n.at(0), fetching{}); err == nil {
		n.look(&first)
		n.alone = n.end.page == 1 && n.first == before
	}
	return first, err
}

// look takes what the first page tells.
func (n *numbered) look(p *fetched) {
	n.told, _ = n.strategy.Count(p.Page)
	n.first, n.size = n.rows.alike(p), len(p.Records)
	n.odd = !n.cut && !n.strategy.Cut(n.size)
}

// reliable is whether a page tells a number of rows that is a promise.
func (n *numbered) reliable(p *fetched) bool {
	totaled, ok := n.strategy.(pagination.Totaled)
	return ok && totaled.Reliable() && p.total.Told
}

// mayGoOn is whether the last page is to be looked for: the first one is not obviously the last.
func (n *numbered) mayGoOn(p *fetched) bool {
	return n.size > 0 && (!n.odd || p.total.Told && p.total.Rows > int64(n.size))
}

func (n *numbered) at(i int) httpclient.Request {
	request := n.strategy.At(n.request, i)
	if i > 0 { // what is refused is seen in the first page
		request.First = nil
	}
	return request
}

// fetching is how page i is asked for.
func (n *numbered) fetching(i int) fetching {
	return fetching{later: i > 0, past: i > 0 && (!n.reading.told || !n.reading.reliable || i >= n.byRows())}
}

// use hands page i on, and says whether there may be more.
func (n *numbered) use(ctx context.Context, p fetched, i int) (more bool, err error) {
	share := p.share
	rows := n.accept(&p)
	p, rows, err = n.again(ctx, p, rows, n.fetching(i), func() bool { return i < n.expected() && n.wanted(i) })
	if err == nil && n.rows.fresh == 0 && i > 0 {
		err = n.nothing(ctx, &p, i)
	}
	if err != nil {
		share.Release()
		return false, err
	}
	if n.rows.fresh > 0 {
		n.gap = cmp.Or(n.gap, n.suspect)
		n.reached = last{page: i + 1, rows: int64(len(p.Records)), size: int64(n.size)}
		if i == 0 {
			n.reached.page = 0 // one page says nothing of how many rows there are
		}
	}
	more = n.more(i, &p)
	return more, n.hand(&p, rows, more)
}

// nothing looks at a page that brought nothing new: it may be the first one again, because the API knows the number of the page under another
// name, and one that was refused may have been refused for another reason than that it lies behind the end.
func (n *numbered) nothing(ctx context.Context, p *fetched, i int) error {
	if !p.past {
		if len(p.Records) > 0 {
			n.suspect = n.wrongPage(i)
		}
		if len(p.Records) > 0 && n.rows.alike(p) == n.first {
			return n.otherNumber(ctx, p.share, i)
		}
		return nil
	}
	if n.wanted(i) { // it may have been there before rows went
		n.suspect = &fault.Error{Kind: fault.Transient, Err: p.err, Message: fmt.Sprintf("%s refuses page %d although there are more rows, "+
			"and answers where it answered before. Trying again later may help.", p.request.Path, i+1)}
		n.denied = n.suspect
	} else if n.behind[i] != there || n.filled == 0 || n.agrees() {
		return nil
	}
	_, err := n.askWith(ctx, p.share, n.way, n.at(0), fetching{})
	return err
}

// wrongPage is that page i, behind which there are rows, has those of another.
func (n *numbered) wrongPage(i int) error {
	return fault.Transientf("%s answers with the rows of another page for page %d. Trying again later may help.", n.Request.Path, i+1)
}

// otherNumber is a refusal of this way if page i is another one than the first in a later way.
func (n *numbered) otherNumber(ctx context.Context, share *httpclient.Share, i int) error {
	for number := n.way.number + 1; number < len(n.Ways); number++ {
		other := wayOf(n.Listing, number)
		strategy, ok := other.Pages.(pagination.Numbered)
		if !ok {
			continue
		}
		request := strategy.At(n.reader.request(n.Listing, other), i)
		request.First = nil
		page, err := n.askWith(ctx, share, other, request, fetching{later: true, past: true})
		if err != nil {
			return err
		}
		if len(page.Records) > 0 && n.rows.alike(&page) != n.first {
			return &refusal{wrongPage: true, failure: fault.Transientf("%s answered with the first page again.", n.Request.Path)}
		}
	}
	return nil
}

// wanted is whether more rows are promised behind page i than came, so that a page without any is not believed.
func (n *numbered) wanted(i int) bool {
	return n.came() < max(n.latest, n.end.all()) || !n.reading.told && i+1 < n.told
}

// more is whether to go on after page i: see docs/decisions/008.
func (n *numbered) more(i int, p *fetched) bool {
	switch wanted := n.wanted(i) || i+1 < n.told || i+1 < n.end.page; {
	case n.idle >= maxIdle, n.alone && i == 0: // the two pages behind that one were asked for in the search
		return false
	case wanted:
		return true
	case n.promise() && (n.idle > 0 || !n.exact || len(p.Records) < n.fewest): // a full page may have more behind it, whatever is said
		return false
	case n.agrees() && (n.idle > 0 || n.end.page == i+1):
		return false
	case n.idle == 0:
		return !n.sure || len(p.Records) >= n.fewest
	case n.Child, p.past, i == 1 && n.odd, n.behind[i+1] != there, n.behind[i] != there && n.farthest > i:
		return false
	default:
		return n.idle < maxIdle-1
	}
}

// promise is whether the API tells reliably where the listing ends.
func (n *numbered) promise() bool { return n.reading.told && n.reading.reliable || n.told > 0 }

// agrees is whether as many rows came as the API says there are.
func (n *numbered) agrees() bool { return n.reading.told && n.came() == n.total }

// expected is how many pages there are, as far as anything tells.
func (n *numbered) expected() int { return max(n.told, n.byRows(), n.end.page, 1) }

// known is how many pages are known to be there, so that they can be fetched ahead.
func (n *numbered) known() int {
	switch byRows := n.byRows(); {
	case n.told > 0 && byRows > 0:
		return min(n.told, byRows)
	case n.told > 0 || n.reading.reliable:
		return max(n.told, byRows)
	default:
		return n.end.page
	}
}

// byRows is how many pages the rows are that the API tells of; 0: it does not.
func (n *numbered) byRows() int {
	if !n.reading.told || n.size == 0 {
		return 0
	}
	return int(min((n.latest+int64(n.size)-1)/int64(n.size), noPage))
}
