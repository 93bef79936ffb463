package listing

import (
	"context"
	"sync"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// ahead fetches pages before they are used. While one page is handed on, those that follow are requested, cleaned and cut.
type ahead struct {
	r      *reading
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup
	coming []chan arrival // the pages that were requested and not used yet, in order
}

type arrival struct {
	fetched
	end *End
}

// depth returns how many pages a numbered listing may fetch ahead: one per request in flight, or its share of twice as many. Pages take memory.
func (r *Reader) depth() int {
	listings := max(1, int(r.numbered.Load()))
	return min(r.Parallel(), (2*r.Parallel()+listings-1)/listings)
}

func (r *reading) ahead(ctx context.Context) *ahead {
	a := &ahead{r: r}
	a.ctx, a.cancel = context.WithCancel(ctx)
	return a
}

// need asks for the next page, unless that was done before, and waits for room among the requests in flight. If there never is room, page says so.
func (a *ahead) need(q pageRequest) {
	if len(a.coming) == 0 {
		a.ask(a.ctx.Done(), q)
	}
}

// try is ask without waiting. It does nothing for a child, whose siblings are asked for meanwhile, or if only one request may be in flight.
func (a *ahead) try(q pageRequest) bool {
	if a.r.Child || a.r.reader.Parallel() == 1 {
		return false
	}
	now := make(chan struct{})
	close(now)
	return a.ask(now, q)
}

func (a *ahead) page() (fetched, *End) {
	if len(a.coming) == 0 {
		return fetched{}, failed(context.Cause(a.ctx))
	}
	p := <-a.coming[0]
	a.coming = a.coming[1:]
	if p.end != nil {
		p.request.Share.Release()
	}
	return p.fetched, p.end
}

// ask asks for the page behind those already asked for. It returns false if there is no room among the requests in flight before patience ends.
func (a *ahead) ask(patience <-chan struct{}, q pageRequest) bool {
	share, leave := a.r.enter(patience)
	if leave == nil {
		return false
	}
	result := make(chan arrival, 1)
	a.coming = append(a.coming, result)
	q.Share = share
	a.wait.Go(func() {
		defer leave()
		var came arrival
		if err := fault.Safely(func() error {
			came.fetched, came.end = a.r.fetchWhole(a.ctx, q)
			return nil
		}); err != nil {
			came.end = failed(err)
		}
		came.request.Share = q.Share
		result <- came
	})
	return true
}

// stop cancels the requests for pages that were not used and releases their shares.
func (a *ahead) stop() {
	a.cancel()
	a.wait.Wait()
	for _, result := range a.coming {
		(<-result).request.Share.Release()
	}
}
