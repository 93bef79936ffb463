package listing

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// What a bad answer is given before it is final: so many tries and so much time. A server that is out of order for a moment is not out of
// order for that long, and one that always answers so must not be asked for as long as one that is down.
const (
	badTries = 4
	badTime  = 10 * time.Second
	// nullTries is after how many answers without it a row is believed to have gone.
	nullTries = 3
)

// fetching is what matters to the asking for one page beyond its request.
type fetching struct {
	picker record.Picker
	later  bool              // it is not the first page: what the first one said of the listing holds
	past   bool              // it may not be there, which an API may say with a 4xx
	share  *httpclient.Share // of the budget; nil: the answer is not counted
}

// fetched is one page and the request that brought it.
type fetched struct {
	pagination.Page
	request  httpclient.Request
	picked   []record.Value // of each row, what the picker that was given picks
	mended   Mended
	total    pagination.Total
	place    string // the place of the page after it; "": there is none, or it has none
	listless bool   // there is no list in it, only a total: that is an end if no more rows are promised than came
	past     bool   // the API refused it with a 4xx; err says how
	share    *httpclient.Share
	err      error
}

// outcome is what a request ended with that is no page, and no failure either.
var (
	errAbsent  = errors.New("the account does not have this")
	errGone    = errors.New("the row that this belongs to has gone")
	errRefused = errors.New("the API refuses what was asked")
)

// refusal is the failure of an answer that refuses what was asked. Whoever can ask for something else goes on; for all others it is that
// failure.
type refusal struct {
	failure   error
	wrongPage bool // it was not said: the answer is to something else
}

func (r *refusal) Error() string      { return r.failure.Error() }
func (r *refusal) Unwrap() error      { return r.failure }
func (*refusal) Is(target error) bool { return target == errRefused }

// fetch asks for one page of l, and picks values of its rows on the way. An answer without rows where there should be some is asked for
// again like any other fault of a server. The page has f.share, which the caller releases, also after an error.
func (r *Reader) fetch(ctx context.Context, l *Listing, way way, request httpclient.Request, f fetching) (fetched, error) {
	page := fetched{request: request, share: f.share}
	status := 0
	j := &judging{reader: r, listing: l, way: way, page: &page, later: f.later, status: &status}
	request.First, request.Judge, request.Share = j.first(request.First), j.rows(f.picker), f.share
	_, err := r.do(ctx, request)
	if err != nil && f.past && refusing(status) && !errors.Is(err, errGone) {
		page.past, page.err = true, err
		return page, nil
	}
	return page, err
}

// refusing is whether a status says that this one request is not answered, which a 4xx does unless it is about time.
func refusing(status int) bool {
	return status/100 == 4 && status != http.StatusRequestTimeout && status != http.StatusTooEarly && status != http.StatusTooManyRequests
}

// judging is what is thought of the answers to one request.
type judging struct {
	reader  *Reader
	listing *Listing
	way     way
	page    *fetched
	later   bool // see fetching
	status  *int // of the last answer
	wrong   int  // pages that are not what was asked for
	nulls   int  // details that are null
	bad     int  // answers of a bad form
	since   time.Time
}

// first judges before the API's own Judge does.
func (j *judging) first(refused httpclient.Judge) httpclient.Judge {
	return func(resp *httpclient.Response) error {
		*j.status = resp.Status
		j.reader.notice(resp)
		switch {
		case j.later:
		case j.listing.Optional && j.reader.absent(resp):
			return errAbsent
		case j.listing.Missing && j.reader.gone(resp):
			return errGone
		case refused != nil:
			return refused(resp)
		}
		return nil
	}
}

// rows judges after the API's own Judge has: it cuts the rows out of a good answer.
func (j *judging) rows(picker record.Picker) httpclient.Judge {
	return func(resp *httpclient.Response) error {
		if j.listing.Missing && !j.later && resp.Status == http.StatusNotFound && !j.reader.absent(resp) {
			return errGone
		}
		if resp.Status/100 != 2 || resp.Body == nil {
			return nil
		}
		page := j.page
		page.Page = pagination.Page{Header: resp.Header, Body: resp.Body}
		page.mended = Mended{Replaced: resp.Replaced, Control: resp.Control}
		if err := page.cut(j.listing, j.way, picker); err != nil {
			return j.again(err)
		}
		if j.listing.Detail != "" {
			return j.detail()
		}
		if echoer, ok := j.way.Pages.(pagination.Echoer); ok && !echoer.Echoes(page.request, page.Page) {
			failure := fault.Transientf("%s answered with another page than was asked for.", page.request.Path)
			if j.wrong++; j.wrong > repeats && !j.way.last {
				return &refusal{failure: failure, wrongPage: true}
			}
			return j.again(failure)
		}
		return nil
	}
}

// detail judges the answer to a question for one row.
func (j *judging) detail() error {
	page := j.page
	if len(page.Records) == 0 {
		if j.nulls++; j.nulls >= nullTries {
			return errGone
		}
		return httpclient.Again(fault.Transientf("%s answered without the row that was asked for.", page.request.Path))
	}
	if len(page.Records) > 1 || keyText(page.Records[0], j.listing.Key) != j.listing.Detail {
		return j.again(fault.Transientf("%s answered with another row than the one that was asked for.", page.request.Path))
	}
	return nil
}

// again is err as long as trying again may help.
func (j *judging) again(err error) error {
	if j.bad++; j.bad == 1 {
		j.since = time.Now()
	}
	if j.bad >= badTries && time.Since(j.since) >= badTime {
		return err
	}
	return httpclient.Again(err)
}

// cut finds the rows in the answer, and what it says of their number.
func (p *fetched) cut(l *Listing, way way, picker record.Picker) error {
	_, single := way.Pages.(pagination.Single)
	totaled, hasTotal := way.Pages.(pagination.Totaled)
	err := record.ErrNoRecords
	null := false
	for path := range strings.SplitSeq(l.Records, ",") {
		if p.Records, p.picked, err = picker.Cut(p.Body, path); !errors.Is(err, record.ErrNoRecords) {
			if len(p.Records) <= 1 && p.Body[0] != '[' && err == nil { // more rows are a list for certain
				found := p.Body.Get(path)
				null = found.IsNull()
				if !single && bytes.HasPrefix(found.Raw(), []byte("{")) {
					err = record.ErrNoRecords // an object is no list
				}
			}
			break
		}
	}
	without := fault.Transientf("%s answered without the rows that were asked for.", p.request.Path)
	if hasTotal {
		p.total = totaled.Total(p.Page, true)
		if p.total.Bad != "" {
			return fault.Transientf("%s answered with something that is no number as %s, the number of rows.", p.request.Path, p.total.Bad)
		}
		if len(p.Records) > 0 && p.total.Told && p.total.Rows <= 0 {
			if totaled.Reliable() {
				return fault.Transientf("%s answered with rows and said that there are none.", p.request.Path)
			}
			p.total = pagination.Total{}
		}
	}
	switch {
	case errors.Is(err, record.ErrNoRecords) || null:
		p.Records, p.picked = nil, nil
		if l.Detail != "" && null {
			return nil
		}
		if p.listless = p.total.Told; !p.listless && l.Omits {
			return nil
		} else if !p.listless {
			return without
		}
	case err != nil:
		return &fault.Error{Kind: fault.Transient, Message: p.request.Path + " answered with rows of an unknown form.", Err: err}
	case len(p.Records) > 0:
	case complains(p.Body), hasTotal && !p.total.Told && (totaled.Reliable() || totaled.Documented() && p.Body[0] == '['):
		return without // an envelope was to be expected
	}
	return nil
}

// complains is whether an answer says that something went wrong, in a member that is there for it.
func complains(body record.Record) bool {
	for _, name := range []string{"error", "errors", "erro", "erros", "Erro"} {
		switch string(body.Get(name).Raw()) {
		case "", "null", "false", `""`, "[]", "{}", "0":
		default:
			return true
		}
	}
	return false
}

// enter waits until one more request may be in flight; leave is to be called when it is over. A share of the budget is taken after it, so
// that the oldest share is never one whose request waits for this.
func (r *Reader) enter(ctx context.Context, child bool) (leave func(), err error) {
	pools := []chan struct{}{r.listings, r.slots}
	if child {
		pools = pools[1:]
	}
	for i, pool := range pools {
		select {
		case pool <- struct{}{}:
		case <-ctx.Done():
			release(pools[:i])
			return nil, context.Cause(ctx)
		}
	}
	return func() { release(pools) }, nil
}

// tryEnter is enter for the page of a listing if it need not wait, and nil otherwise.
func (r *Reader) tryEnter() (leave func()) {
	pools := []chan struct{}{r.listings, r.slots}
	for i, pool := range pools {
		select {
		case pool <- struct{}{}:
		default:
			release(pools[:i])
			return nil
		}
	}
	return func() { release(pools) }
}

func release(pools []chan struct{}) {
	for _, pool := range pools {
		<-pool
	}
}

// do sends a request.
func (r *Reader) do(ctx context.Context, request httpclient.Request) (*httpclient.Response, error) {
	resp, err := r.Client.DoLeased(ctx, request)
	if err != nil {
		return nil, cause(ctx, err)
	}
	r.answered.Store(true)
	return resp, nil
}

// notice warns of what the API says besides its answer, once.
func (r *Reader) notice(resp *httpclient.Response) {
	if r.Notice == nil {
		return
	}
	if text := r.Notice(resp); text != "" && r.noticed.CompareAndSwap(false, true) {
		r.Log.Warn(text)
	}
}

// absent is whether the account does not have what was asked for.
func (r *Reader) absent(resp *httpclient.Response) bool { return r.Absent != nil && r.Absent(resp) }

// passing is whether an error may be gone when the same is asked again.
func passing(err error) bool {
	_, status := errors.AsType[*httpclient.StatusError](err)
	return status || fault.Of(err).Kind == fault.Transient
}

// gone is whether the row that was asked for is not there.
func (r *Reader) gone(resp *httpclient.Response) bool { return r.Gone != nil && r.Gone(resp) }

// page is fetch, with the lists in the rows whole.
func (r *Reader) page(ctx context.Context, l *Listing, way way, request httpclient.Request, f fetching) (fetched, error) {
	page, err := r.fetch(ctx, l, way, request, f)
	if err != nil || l.Partial == nil {
		return page, err
	}
	if err = r.complete(ctx, l, page.Records); err == nil || ctx.Err() != nil || !passing(err) {
		return page, err
	}
	// A list that cannot be continued may be one of a row that has gone meanwhile, or that has changed, which a second look tells.
	if page, err = r.fetch(ctx, l, way, request, f); err != nil {
		return page, err
	}
	return page, r.complete(ctx, l, page.Records)
}
