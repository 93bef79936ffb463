package listing

import (
	"cmp"
	"context"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// numbered is a reading of pages that have numbers.
type numbered struct {
	*reading
	strategy  pagination.Numbered
	base      httpclient.Request
	firstHash uint64       // a hash of the first page
	firstRows int          // how many rows the first page had
	cut       bool         // firstRows is to be taken for a size at which pages are cut, although it is not known to be one
	behind    map[int]bool // pages, counted from 0, that do not exist according to the search
	refused   error        // why the API refused one of those pages; nil: it did not
	answers   bool         // the API answers for a page behind the last one instead of refusing it
	alone     bool         // the search found the first page to be the only one, and that page has not changed since
	fewest    int          // how many rows every page has that is cut
	exact     bool         // fewest is documented
}

func (r *reading) numbered(ctx context.Context, strategy pagination.Numbered, request httpclient.Request) *End {
	n := &numbered{reading: r, strategy: strategy, base: request, behind: map[int]bool{}}
	n.fewest, n.exact = strategy.Fewest()
	for {
		again, end := n.pass(ctx)
		if !again {
			return end
		}
		r.anew() // with the end looked for beforehand
	}
}

// pass reads the pages once. If others follow a first page that looked like the last one, the end is unknown and pass has to be called again.
func (n *numbered) pass(ctx context.Context) (again bool, end *End) {
	first, end := n.begin(ctx)
	if end != nil {
		return false, end
	}
	if !n.Child {
		n.reader.numbered.Add(1)
		defer n.reader.numbered.Add(-1)
	}
	ahead := n.ahead(ctx)
	defer ahead.stop()
	more, end := n.use(ctx, &first, 0)
	for i := 1; more && end == nil; i++ {
		var p fetched
		if p, end = n.page(ahead, i); end != nil {
			break
		}
		more, end = n.use(ctx, &p, i)
		if end == nil && i == 1 && n.odd() && n.rows.fresh > 0 && !n.sure() && n.end.page == 0 && !n.promise() {
			n.cut = true
			return true, nil
		}
	}
	return false, end
}

// maxHeldPage is how many bytes of a first page are held while the last one is searched for, in addition to the answers of the search.
const maxHeldPage = 1 << 20

// begin asks for the first page, and again after a search for the last one: nobody would notice a row removed from it during the search.
func (n *numbered) begin(ctx context.Context) (fetched, *End) {
	first, end := n.first(ctx)
	total, held := first.total, len(first.Body.Raw()) <= maxHeldPage
	only := n.firstRows == 0 || n.odd() && (!total.Told || total.Rows <= int64(n.firstRows)) // obviously the only page
	if end != nil || n.pageCount > 0 || total.Reliable && total.Told || only {
		return first, end
	}
	n.rows.clocked(&first, n.reader.Began) // the search does not count rows that are created from here on
	share := first.request.Share
	if !held {
		first = fetched{}
	}
	if n.end, end = n.search(ctx, share, total); end == nil && n.end.page == 1 && n.hasAll(total) && held && n.refused == nil {
		n.alone = true
		return first, nil
	}
	share.Release()
	if end != nil {
		return first, end
	}
	before := n.firstHash
	first, end = n.first(ctx)
	n.alone = end == nil && n.end.page == 1 && n.firstHash == before
	if n.alone && n.refused != nil && n.answers {
		n.withheld(1, n.refused)
	}
	return first, end
}

// first asks for the first page and records what it tells.
func (n *numbered) first(ctx context.Context) (fetched, *End) {
	p, end := n.ask(ctx, nil, n.at(0))
	if end == nil {
		n.pageCount, _ = n.strategy.Count(p.Page)
		n.firstHash, n.firstRows = n.rows.alike(&p), len(p.Records)
	}
	return p, end
}

// odd reports whether the first page is of no size at which pages are known to be cut.
func (n *numbered) odd() bool { return !n.cut && !n.strategy.Cut(n.firstRows) }

// sure reports whether a page with fewer rows than a cut page has is the last one.
func (n *numbered) sure() bool { return n.exact || n.Child }

// hasAll reports whether the first page has exactly as many rows as it says there are.
func (n *numbered) hasAll(total pagination.Total) bool {
	return total.Told && total.Rows == int64(n.firstRows)
}

// page returns page i. Pages are asked for in order, and those known to follow are fetched ahead, but not in a further reading: of pages requested
// side by side the later one may be answered first, and a row that an insertion moves there meanwhile would come in neither.
func (n *numbered) page(ahead *ahead, i int) (fetched, *End) {
	ahead.need(n.at(i))
	for next, known := i+len(ahead.coming), n.known(); n.number == 1 && next < min(known, i+n.reader.depth()); next++ {
		if !ahead.try(n.at(next)) {
			break
		}
	}
	return ahead.page()
}

// at returns the request for page i.
func (n *numbered) at(i int) pageRequest {
	return pageRequest{Request: n.strategy.At(n.base, i), later: i > 0, maybeAbsent: n.maybeAbsent(i)}
}

// maybeAbsent reports whether page i may not exist, by what was told so far.
func (n *numbered) maybeAbsent(i int) bool { return i > 0 && (!n.reliable || i >= n.pagesOf(n.latest)) }

// use hands page i on and reports whether there may be more pages.
func (n *numbered) use(ctx context.Context, p *fetched, i int) (more bool, end *End) {
	n.accept(p)
	p.request.maybeAbsent = n.maybeAbsent(i) // by what is told now
	end = n.insist(ctx, p, func() bool {
		return i < max(n.pageCount, n.pagesOf(n.latest), n.end.page, 1) && n.wanted(i)
	})
	if end == nil && n.rows.fresh == 0 {
		end = n.nothing(ctx, p, i)
	}
	if end != nil {
		p.request.Share.Release()
		return false, end
	}
	if n.rows.fresh > 0 {
		n.confirm()
		if i > 0 { // one page says nothing of how many rows there are
			n.reached = last{page: i + 1, rows: int64(len(p.Records)), pageRows: max(n.widest, int64(n.firstRows))}
		}
		n.widest = max(n.widest, int64(len(p.Records)))
	}
	if i == 0 && n.Had > 0 && n.number == 1 && n.Had == n.told() && len(p.rows) == 0 && n.came() > 0 { // the listing is as it was before
		return false, cmp.Or(n.hand(p), &End{Kind: Done})
	}
	more = n.more(i, p)
	return more, n.hand(p)
}

// nothing examines a page without new rows, which need not be the end: the page number may have another name, or the refusal another reason.
func (n *numbered) nothing(ctx context.Context, p *fetched, i int) *End {
	switch {
	case p.refused != nil && n.wanted(i): // the page may have existed before rows were removed
		denied := fault.Laterf("%s refuses page %d although there are more rows, and answers where it answered before.", p.request.Path, i+1)
		denied.Err = p.refused
		n.gap = cmp.Or[error](n.gap, denied)
		_, end := n.ask(ctx, p.request.Share, n.at(0)) // it ends the reading if the API no longer answers there
		return end
	case p.refused != nil:
		return n.refusedEnd(ctx, p, i)
	case len(p.Records) == 0:
		n.empty = fault.Laterf("%s answers without rows for page %d, and with rows for pages behind it.", n.Request.Path, i+1)
	case i > 0:
		n.suspect = fault.Laterf("%s answers with the rows of another page for page %d.", n.Request.Path, i+1)
		if n.rows.alike(p) == n.firstHash {
			return n.otherNumber(ctx, p.request.Share, i)
		}
	}
	return nil
}

// refusedEnd checks whether page i, which was refused, lies behind the end. Then the API still answers elsewhere, unlike one whose credentials have
// expired, and refuses the next page too. An API that answers for pages behind the end may withhold the rows of a page that it refuses.
func (n *numbered) refusedEnd(ctx context.Context, p *fetched, i int) *End {
	if n.filled == 0 || n.agrees() {
		return nil
	}
	if !n.behind[i] {
		if _, end := n.ask(ctx, p.request.Share, n.at(0)); end != nil { // the API no longer answers
			return end
		}
	}
	if !n.behind[i+1] {
		next, end := n.ask(ctx, p.request.Share, n.at(i+1))
		if end != nil {
			return end
		}
		n.answers = n.answers || next.refused == nil
		n.reader.free(&next)
	}
	if n.answers {
		n.withheld(i, p.refused)
	}
	return nil
}

// withheld notes that page i, which was refused, may have rows, because the pages behind it are not refused.
func (n *numbered) withheld(i int, why error) {
	withheld := fault.Laterf("%s refuses page %d, and not those behind it.", n.Request.Path, i+1)
	withheld.Err, n.hole = why, withheld
}

// otherNumber ends the reading in this way if a later way gets another page i than the first page.
func (n *numbered) otherNumber(ctx context.Context, share *httpclient.Share, i int) *End {
	for number := n.way.number + 1; number < len(n.Ways); number++ {
		other := n.described(number)
		if _, ok := other.Pages.(pagination.Numbered); !ok {
			continue
		}
		page, end := n.askIn(ctx, share, other, i)
		if end != nil {
			return end
		}
		if len(page.Records) > 0 && n.rows.alike(&page) != n.firstHash {
			return &End{Kind: wrongPage, Err: fault.Transientf("%s answered with the first page again.", n.Request.Path)}
		}
	}
	return nil
}

// askIn asks for page i in another way, with pages as small as the API wants them.
func (n *numbered) askIn(ctx context.Context, share *httpclient.Share, other way, i int) (fetched, *End) {
	in := *n.reading
	for in.way = other; ; {
		strategy, _ := in.way.Pages.(pagination.Numbered)
		page, end := in.ask(ctx, share, pageRequest{Request: strategy.At(n.request(in.way), i), later: true, maybeAbsent: true})
		if end == nil || end.Kind != tooLarge {
			return page, end
		}
		smaller, can := in.way.resized(end.most)
		if !can {
			return page, end
		}
		in.way = smaller
	}
}

// wanted reports whether more rows are promised behind page i than came, so that a page without rows is not believed.
func (n *numbered) wanted(i int) bool {
	return n.came() < max(n.latest, n.end.all()) || !n.hasTotal && i+1 < n.pageCount
}

// more reports whether to go on after page i: see docs/decisions/008.
func (n *numbered) more(i int, p *fetched) bool {
	tooSmall := !n.exact && n.hasTotal && n.came() > n.total // the API's number, if the size of a page does not tell whether it is the last one
	switch wanted := n.wanted(i) || i+1 < n.pageCount || i+1 < n.end.page; {
	case n.idle >= maxIdle, n.alone && i == 0: // the search already asked for the two pages behind it
		return false
	case wanted:
		return true
	case n.promise() && !tooSmall && (n.idle > 0 || !n.exact || len(p.Records) < n.fewest): // a full page may have more behind it, whatever the API says
		return false
	case n.agrees() && (n.idle > 0 || n.end.page == i+1):
		return false
	case n.idle == 0:
		return !n.sure() || len(p.Records) >= n.fewest
	case n.Child, p.refused != nil, i == 1 && n.odd() && n.small(), n.behind[i+1]:
		return false
	default:
		return n.idle < maxIdle-1
	}
}

// small reports whether the first page has fewer rows than a cut page has, by all that is known of the sizes of pages.
func (n *numbered) small() bool { return n.fewest <= 1 || n.firstRows < n.fewest }

// promise reports whether the API reliably tells where the listing ends.
func (n *numbered) promise() bool { return n.reliable || n.pageCount > 0 }

// known returns how many pages are known to exist, so that they can be fetched ahead.
func (n *numbered) known() int {
	switch byRows := n.pagesOf(n.latest); {
	case n.pageCount > 0 && byRows > 0:
		return min(n.pageCount, byRows)
	case n.pageCount > 0 || n.reliable:
		return max(n.pageCount, byRows)
	default:
		return n.end.page
	}
}

// pagesOf returns how many pages the given number of rows fills if each has as many as the first page.
func (n *numbered) pagesOf(rows int64) int {
	if n.firstRows == 0 {
		return 0
	}
	size := int64(n.firstRows)
	return int(min((rows+size-1)/size, noPage))
}
