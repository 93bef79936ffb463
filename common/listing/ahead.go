package listing

import (
	"context"
	"sync"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// ahead fetches pages before they are asked for, as far as they are known to be there.
type ahead struct {
	n        *numbered
	ctx      context.Context
	cancel   context.CancelFunc
	wait     sync.WaitGroup
	coming   map[int]chan fetched
	launched int // pages before this one were asked for
}

func (n *numbered) ahead(ctx context.Context) *ahead {
	a := &ahead{n: n, coming: map[int]chan fetched{}, launched: 1}
	a.ctx, a.cancel = context.WithCancel(ctx)
	return a
}

// page returns page i. Pages are asked for in their order, and those that follow are fetched ahead while there is room among the requests in
// flight; but not in a further reading of a listing that changes: of pages asked for side by side the later one may be answered first, and
// what was added in between moves a row from the earlier page to the later one when that was read already.
func (a *ahead) page(ctx context.Context, i int) (fetched, *End) {
	a.launched = max(a.launched, i) // the search may have asked for those between
	if i == a.launched {
		leave, err := a.n.reader.enter(ctx, a.n.Child)
		if err != nil {
			return fetched{}, failed(err)
		}
		a.launch(leave)
	}
	for known := a.n.known(); !a.n.Child && a.n.number == 1 && a.launched < known && a.launched < i+a.n.reader.Parallel(); {
		leave := a.n.reader.tryEnter()
		if leave == nil {
			break
		}
		a.launch(leave)
	}
	p := <-a.coming[i]
	delete(a.coming, i)
	if p.end != nil && !p.past {
		p.share.Release()
		return p, p.end
	}
	return p, nil
}

// launch fetches the next page.
func (a *ahead) launch(leave func()) {
	i, result := a.launched, make(chan fetched, 1)
	a.coming[i] = result
	a.launched++
	request, f := a.n.pageRequest(i), a.n.fetching(i)
	f.share = a.n.take()
	a.wait.Go(func() {
		defer leave()
		page := fetched{}
		if err := fault.Safely(func() error {
			came, end := a.n.fetch(a.ctx, a.n.way, request, f)
			if page = came; end != nil {
				page.end = end
			}
			return nil
		}); err != nil {
			page.end = failed(err)
		}
		page.share = f.share
		result <- page
	})
}

// stop gives up what was not used.
func (a *ahead) stop() {
	a.cancel()
	a.wait.Wait()
	for _, result := range a.coming {
		(<-result).share.Release()
	}
}
