package listing

import (
	"cmp"
	"context"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// noPage is the number of a page that no listing has. The end of an API that answers even there cannot be found.
const noPage = 1 << 30

// search looks for the last page in steps that double, and then by halves, which takes 2·log2(pages) requests at most. Behind the last page an API
// may answer with nothing, with a page that came before, or with a 4xx. See docs/decisions/008.
type search struct {
	*numbered
	share  *httpclient.Share // of the first page
	pages  map[uint64]int    // the first page seen with these rows, counted from 0, by the hash of the rows
	rowsOf map[int]int64     // how many rows a page has
}

// search returns where the listing ends. total is what the first page says of the number of rows. The requests use up that page's share.
func (n *numbered) search(ctx context.Context, share *httpclient.Share, total pagination.Total) (last, *End) {
	s := &search{numbered: n, share: share, pages: map[uint64]int{n.firstHash: 0}, rowsOf: map[int]int64{0: int64(n.firstRows)}}
	guess := 0 // the page behind the last one, if the number of rows that the API tells is right; 0: it tells none
	if total.Told {
		guess = s.pagesOf(total.Rows)
	}
	low, lower, high := 0, 0, -1 // lower: the value of low before the present one
	for next := max(1, guess); high < 0; next = 2*next + 1 {
		if next > noPage {
			return last{}, failed(fault.Laterf("%s answers with other rows for every page, however far: page %d too.",
				s.Request.Path, next/2))
		}
		seen, end := s.probe(ctx, next)
		switch {
		case end != nil:
			return last{}, end
		case seen == next && s.exact && s.rowsOf[next] < int64(s.firstRows): // the last page, under this number or an earlier one
			return s.lowest(ctx, low, next)
		case seen == next:
			lower, low = low, next
		case seen > 0: // the last page again, which page seen itself may already repeat
			return s.lowest(ctx, lower, seen)
		case next == 1 && (!s.hasAll(total) || seen == none):
			if low, end = s.second(ctx); end != nil || low == 0 {
				return s.last(0), end
			}
		default:
			high = next
		}
	}
	if high == guess && high-low > 1 { // the guess may be right
		seen, end := s.probe(ctx, guess-1)
		if end != nil {
			return last{}, end
		}
		if high = guess - 1; seen == guess-1 {
			low, high = guess-1, guess
		}
	}
	low, _, end := s.halve(ctx, low, high)
	return s.last(low), end
}

// halve returns the last page that exists and the first that does not. Page low must exist, and page high must not.
func (s *search) halve(ctx context.Context, low, high int) (lastThere, firstBehind int, end *End) {
	for high-low > 1 {
		middle := low + (high-low)/2
		seen, end := s.probe(ctx, middle)
		if end != nil {
			return low, high, end
		}
		if seen == middle {
			low = middle
		} else {
			high = middle
		}
	}
	return low, high, nil
}

// lowest returns the first page that is the same as page high. Page low precedes it and differs from it.
func (s *search) lowest(ctx context.Context, low, high int) (last, *End) {
	rows := s.rowsOf[high]
	_, high, end := s.halve(ctx, low, high)
	s.rowsOf[high] = rows
	return s.last(high), end
}

func (s *search) last(page int) last {
	widest := int64(0)
	for of, rows := range s.rowsOf {
		if of < page || page == 0 {
			widest = max(widest, rows)
		}
	}
	return last{page: page + 1, rows: s.rowsOf[page], pageRows: widest}
}

// second returns a page that exists although page 1 seemed not to: a cache may have hidden it for a moment. 0: there is none.
func (s *search) second(ctx context.Context) (int, *End) {
	for _, i := range []int{2, 1} {
		if seen, end := s.probe(ctx, i); end != nil || seen == i {
			return i, end
		}
	}
	return 0, nil
}

// none stands for a page that does not exist.
const none = -1

// probe asks for page i and returns the page that has its rows: i itself, one that was seen with them before, or none. The answer is not kept.
func (s *search) probe(ctx context.Context, i int) (int, *End) {
	p, end := s.ask(ctx, s.share, s.at(i))
	if end != nil {
		return none, end
	}
	defer s.reader.free(&p)
	s.refused = cmp.Or(s.refused, p.refused)
	if len(p.Records) == 0 {
		s.answers = s.answers || p.refused == nil
		s.behind[i] = true
		return none, nil
	}
	hash := s.rows.alike(&p)
	of, ok := s.pages[hash]
	switch {
	case !ok:
		s.pages[hash], s.rowsOf[i] = i, int64(len(p.Records))
		delete(s.behind, i)
		return i, nil
	case of == 0:
		end = s.otherNumber(ctx, s.share, i)
	}
	s.behind[i] = true
	return of, end
}
