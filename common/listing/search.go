package listing

import "context"

// noPage is the number of a page that no listing has: an API that answers even there has no end that could be found.
const noPage = 1 << 30

// search looks for the last page: in steps that double, then by halves, which takes 2·log2(pages) requests at the most. Behind the last page
// an API may answer with nothing, with a page that came before, or with a 4xx. See docs/decisions/008.
type search struct {
	*numbered
	first *fetched
	pages map[uint64]int // the page that was seen first, counted from 0, by the hash of what is on it
	size  map[int]int64  // how many rows a page has
}

// sight is what is seen of a page.
type sight uint8

const (
	there  sight = iota // it has rows of its own
	behind              // there is no such page
	same                // it has the rows of another one that was seen
)

// search is where the listing ends, whose first page is first.
func (n *numbered) search(ctx context.Context, first *fetched) (last, error) {
	s := &search{numbered: n, first: first, pages: map[uint64]int{n.first: 0}, size: map[int]int64{0: int64(n.size)}}
	guess := s.guess()
	low, lower, high := 0, 0, -1 // lower: the page that was low before low
	for next := max(1, guess); high < 0; next = 2*next + 1 {
		if next > noPage {
			return last{}, nil
		}
		seen, of, err := s.look(ctx, next)
		switch {
		case err != nil:
			return last{}, err
		case seen == there && s.exact && s.size[next] < int64(s.numbered.size): // the last page, at this number or at an earlier one
			return s.lowest(ctx, low, next)
		case seen == there:
			lower, low = low, next
		case seen == same && of > 0: // the last page again, which of may be already
			return s.lowest(ctx, lower, of)
		case next == 1 && !first.sole():
			if low, err = s.second(ctx, seen); err != nil || low == 0 {
				return s.last(0), err
			}
		default:
			high = next
		}
	}
	for middle := low + (high-low)/2; high-low > 1; middle = low + (high-low)/2 {
		if high == guess { // it may be right
			middle = guess - 1
		}
		seen, _, err := s.look(ctx, middle)
		if err != nil {
			return last{}, err
		}
		if seen == there {
			low = middle
		} else {
			high = middle
		}
	}
	return s.last(low), nil
}

// guess is the page behind the last one, if what the API says of the number of rows is right; 0: it says nothing.
func (s *search) guess() int {
	if total := s.first.total; total.Told && total.Rows > 0 {
		return int(min((total.Rows+int64(s.numbered.size)-1)/int64(s.numbered.size), noPage))
	}
	return 0
}

// lowest is the first page that is the same as page high, behind page low, which is another.
func (s *search) lowest(ctx context.Context, low, high int) (last, error) {
	for size := s.size[high]; high-low > 1; s.size[high] = size {
		middle := low + (high-low)/2
		seen, _, err := s.look(ctx, middle)
		if err != nil {
			return last{}, err
		}
		if seen == there {
			low = middle
		} else {
			high = middle
		}
	}
	return s.last(high), nil
}

func (s *search) last(page int) last {
	return last{page: page + 1, rows: s.size[page], size: int64(s.numbered.size)}
}

// second is a page that is there although page 1 seemed not to be, which a cache may have given for a moment only; 0: there is none.
func (s *search) second(ctx context.Context, seen sight) (int, error) {
	again := []int{2}
	if seen == same {
		again = []int{2, 1}
	}
	for _, i := range again {
		if seen, _, err := s.look(ctx, i); err != nil || seen == there {
			return i, err
		}
	}
	return 0, nil
}

// look asks for page i and says what is seen of it, and of which page it is the same. Its answer is not kept.
func (s *search) look(ctx context.Context, i int) (sight, int, error) {
	p, err := s.askWith(ctx, s.first.share, s.way, s.at(i), fetching{later: true, past: true})
	if err != nil {
		return behind, 0, err
	}
	s.refused = s.refused || p.past
	if len(p.Records) == 0 {
		s.missing(i, behind)
		return behind, 0, nil
	}
	hash := s.rows.alike(&p)
	of, ok := s.pages[hash]
	switch {
	case !ok:
		s.pages[hash], s.size[i] = i, int64(len(p.Records))
		delete(s.behind, i)
		return there, i, nil
	case of == 0:
		err = s.otherNumber(ctx, s.first.share, i)
	}
	s.missing(i, same)
	return same, of, err
}

// missing notes that page i is none.
func (s *search) missing(i int, seen sight) {
	s.behind[i], s.farthest = seen, max(s.farthest, i)
}
