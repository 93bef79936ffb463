package rest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/state"
)

// run is one read of the source.
type run struct {
	api    API
	reader *listing.Reader
	out    *protocol.Emitter
	log    *slog.Logger
	now    time.Time // when the read began
}

// family is a listing and all selected streams that are made from it: it is read once for all of them.
type family struct {
	run           *run
	root          *Stream
	direct        []*member     // sent from the listing's own rows: the root's, and those exploded from them
	kids          []*member     // read with requests of their own, one listing per row
	seen          *listing.Seen // the rows of the slices that were read; nil where there is one slice only
	ignore        bool          // the API was seen to ignore the filter by time of change, and the user knows
	filterRefused bool          // the API refuses to be asked for changes
	warned        bool          // and the user knows
	absent        bool          // the account does not have the listing
	err           error         // why the listing could not be read
}

// errFilterRefused is what a slice ends with when the API refuses to be asked for changes.
var errFilterRefused = errors.New("the API refuses to be asked for changes")

// errState marks a state that is not understood.
var errState = errors.New("reading the state")

// families sorts the configured streams into families, in the order of the description, and says what is wrong with those that cannot be
// read; these are told at once. The streams of another namespace are another family: they go on from states of their own, and where rows do
// not show their times only the question tells which of them are new.
func (r *run) families(cat *protocol.ConfiguredCatalog, input state.Input) (all []*family, failures []error) {
	byRoot := map[protocol.Descriptor]*family{}
	for _, configured := range cat.Streams {
		m, err := r.configure(configured, input)
		if err != nil {
			if !errors.Is(err, errState) {
				err = errors.Join(err, r.refuse(configured.Descriptor(), err))
			}
			failures = append(failures, err)
			continue
		}
		origin := protocol.Descriptor{Name: m.origin(), Namespace: m.desc.Namespace}
		f := byRoot[origin]
		if f == nil {
			f = &family{run: r, root: r.api.stream(origin.Name)}
			byRoot[origin] = f
			all = append(all, f)
		}
		if m.Parent != nil {
			f.kids = append(f.kids, m)
		} else {
			f.direct = append(f.direct, m)
		}
	}
	place := func(f *family) int {
		return slices.IndexFunc(r.api.Streams, func(s Stream) bool { return s.Name == f.root.Name })
	}
	slices.SortStableFunc(all, func(a, b *family) int { return cmp.Compare(place(a), place(b)) })
	return all, failures
}

// refuse tells that a stream cannot be read, and why. A stream that the connector does not have has no status.
func (r *run) refuse(d protocol.Descriptor, why error) error {
	if r.api.stream(d.Name) != nil {
		if err := r.out.Status(d, protocol.Incomplete); err != nil {
			return err
		}
	}
	return r.out.Failure(why, &d)
}

// configure makes the member for one configured stream.
func (r *run) configure(configured protocol.ConfiguredStream, input state.Input) (*member, error) {
	name := configured.Stream.Name
	s := r.api.stream(name)
	switch {
	case s == nil || s.Unlisted:
		return nil, fault.Configf("The catalog names a stream %q that this connector does not have. "+
			"Refresh the source's schema and choose the streams again.", name)
	case s.Needs != "":
		return nil, fault.Configf("%s", s.Needs)
	case configured.SyncMode != protocol.FullRefresh && configured.SyncMode != protocol.Incremental:
		return nil, fault.Configf("The catalog asks for a sync mode that does not exist in stream %q: it can be full_refresh or incremental.", name)
	case configured.SyncMode == protocol.Incremental && s.Cursor == nil: // PyAirbyte asks this of every stream
		r.log.Info(name + " has no time of change; all of it is read in every sync")
	}
	return r.member(s, configured, input)
}

// removedSlice is what states call the reading of the removed rows.
const removedSlice = "removed"

// slice is one reading of a family's listing.
type slice struct {
	id      string // what states call it
	set     string // what its set of parameters is called
	request httpclient.Request
	from    time.Time // from when on the API was asked for changes; zero: for everything
	removed bool
	put     []record.Member // into each record
}

// refusable is whether something is asked for that can be left out: a set, unless the question for changes alone can, or that question.
func (sl slice) refusable(askAlone bool) bool { return sl.set != "" && !askAlone || !sl.from.IsZero() }

// read reads the family, as far as its streams need it, and keeps in f.err what concerns all of them.
func (f *family) read(ctx context.Context) {
	ctx = context.WithValue(ctx, familyKey{}, f)
	f.err = safely(func() error {
		for _, m := range slices.Concat(f.direct, f.kids) {
			if err := f.run.out.Status(m.desc, protocol.Started); err != nil {
				return err
			}
		}
		return f.listing(ctx)
	})
}

// end sends the endings of the family's streams, one by one, and returns why they are incomplete, joined.
func (f *family) end(ctx context.Context) error {
	var failures []error
	for _, m := range slices.Concat(f.direct, f.kids) {
		if f.err != nil && m.future == nil {
			m.fail(f.err)
		}
		failures = append(failures, m.end(ctx))
	}
	return errors.Join(failures...)
}

// missing decides about a family whose listing this account seems not to have: it is empty if the API answers something else.
func (f *family) missing(ctx context.Context) {
	if !f.run.reader.Answered() {
		if f.err = f.run.alive(ctx); f.err != nil {
			return
		}
	}
	f.run.log.Warn(f.root.Name + ": this account does not have it; it is read as empty")
}

// alive asks for what a check asks for: the first page of the listing that the stream named Check is made from, with the first set of its
// parameters. An error says why the API does not answer even that.
func (r *run) alive(ctx context.Context) error {
	s := r.api.stream(r.api.Check)
	if s != nil {
		s = r.api.stream(s.origin())
	}
	if s == nil {
		return fault.Systemf("the connector checks a stream %q that it does not have", r.api.Check)
	}
	request := s.request()
	if len(s.Each) > 0 {
		request = s.with(request, s.Each[0])
	}
	return r.reader.Try(ctx, r.listing(s, request))
}

// listing reads the slices of the family's listing, and the children of their rows. What it returns concerns every stream of the family.
func (f *family) listing(ctx context.Context) error {
	awake := func(m *member) bool { return m.future == nil }
	if !slices.ContainsFunc(slices.Concat(f.direct, f.kids), awake) {
		return nil
	}
	children := f.children(ctx)
	defer children.stop()
	var rows int64
	for err := errFilterRefused; err != nil; {
		err = nil
		for _, sl := range f.slices() {
			if err = f.slice(ctx, sl, children, &rows); err != nil {
				break
			}
		}
		if err != nil && !errors.Is(err, errFilterRefused) {
			return err
		}
	}
	children.wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return f.routes(ctx)
}

// listing is the listing of s, asked for by request.
func (r *run) listing(s *Stream, request httpclient.Request) listing.Listing {
	l := listing.Listing{
		Name: s.Name, Request: request, Records: cmp.Or(s.Records, r.api.Records), Partial: s.Partial, Ways: s.Ways, Refused: s.Refused,
		Optional: s.Optional, Omits: r.api.Omits, Clock: s.Cursor.clock(),
	}
	if pages := cmp.Or(s.Pages, r.api.Pages); len(l.Ways) == 0 && pages != nil {
		l.Ways = []Way{{Pages: pages}}
	}
	for _, field := range r.api.listingKey(s) { // what is put into records from outside the row is the same in all rows of a listing
		if s.Parent == nil || s.Parent.Put[field] == "" {
			l.Key = append(l.Key, field)
		}
	}
	if s.Parent != nil {
		l.Child, l.Missing = true, s.Parent.Missing || s.Parent.Detail
	}
	return l
}

// clock is where the times of change are, as a listing knows it.
func (c *Cursor) clock() *listing.Clock {
	if c == nil {
		return nil
	}
	return &listing.Clock{
		Field: c.Field, Layouts: c.Layouts, Zone: c.zone(), Open: c.Open, Loose: c.Hidden || c.Open != "" || c.Margin > DefaultMargin,
	}
}

// slice reads one slice; estimate is the rows that the slices promised so far.
func (f *family) slice(ctx context.Context, sl slice, children *children, estimate *int64) error {
	direct := slices.DeleteFunc(slices.Clone(f.direct), func(m *member) bool {
		return m.future != nil || slices.Contains(m.doc.Cycle.Slices, sl.id)
	})
	if len(direct)+len(f.kids) == 0 {
		return nil
	}
	l := f.run.listing(f.root, sl.request)
	l.Refusable, l.Seen, l.Again, l.From = sl.refusable(f.root.RefusedAsk), f.seen, sl.removed, (*listing.Place)(f.place(direct))
	pages, end := f.run.reader.Read(ctx, l)
	first := true
	for page := range pages {
		if first && page.Total > 0 {
			*estimate += page.Total
			f.estimate(*estimate)
		}
		first = first && page.Anew
		if err := f.page(ctx, page, sl, direct, children); err != nil {
			return err
		}
	}
	switch end.Kind {
	case listing.Absent:
		f.absent = true
		return nil
	case listing.Refused:
		if sl.set == "" || f.root.RefusedAsk {
			f.filterRefused = true
			f.run.reader.Forget(f.root.Name) // it may have been the question for changes that was refused, and not the ways
			return errFilterRefused
		}
		if err := f.run.alive(ctx); err != nil { // what was refused may also have been the credentials
			return err
		}
	case listing.Failed:
		return end.Err
	}
	return f.done(sl, direct, end.Late)
}

// page sends what is wanted of a page, and has the children of its rows asked for.
func (f *family) page(ctx context.Context, page listing.Page, sl slice, direct []*member, children *children) error {
	if f.filterRefused && !f.warned {
		f.warned = true
		f.run.log.Warn(f.root.Name + ": the API does not take the filter by time of change; everything is read in each sync")
	}
	for _, m := range slices.Concat(direct, f.kids) {
		m.began(page, f.run.now)
	}
	for _, m := range direct {
		if err := m.take(sl, page.Rows); err != nil {
			return err
		}
	}
	for _, r := range page.Rows {
		f.check(sl, r)
		children.answers.next()
		for _, m := range f.kids {
			if err := children.ask(ctx, m, sl, r); err != nil {
				return err
			}
		}
	}
	if page.Place == nil && !page.Anew {
		return nil
	}
	for _, m := range direct {
		if err := m.reached((*state.Place)(page.Place), page.Late); err != nil {
			return err
		}
	}
	return nil
}

// estimate tells how many rows the listing has.
func (f *family) estimate(rows int64) {
	for _, m := range f.direct {
		if m.Stream == f.root {
			_ = f.run.out.Estimate(m.desc, rows) // a failed write shows at the next record
		}
	}
}

// done notes that a slice is complete.
func (f *family) done(sl slice, direct []*member, late time.Time) error {
	for _, m := range slices.Concat(direct, f.kids) {
		m.mu.Lock()
		m.notLaterThan(late)
		m.mu.Unlock()
	}
	for _, m := range direct {
		m.mu.Lock()
		m.doc.Cycle.Slices, m.doc.Cycle.Place = append(m.doc.Cycle.Slices, sl.id), nil
		err := m.checkpoint()
		m.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// place is from where the reading of a slice for members can go on: from where the last of them was, if no rows are wanted for children.
func (f *family) place(members []*member) (place *state.Place) {
	if len(f.kids) > 0 {
		return nil
	}
	for _, m := range members {
		own := m.doc.Cycle.Place
		if own == nil || place != nil && own.Of != place.Of {
			return nil
		}
		if place == nil || own.Rows < place.Rows {
			place = own
		}
	}
	return place
}

// take sends those of rows that m wants.
func (m *member) take(sl slice, rows []listing.Row) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range rows {
		switch {
		case r.Same: // it is not removed: the API does not know the filter
			m.keep(r.Key)
		case m.wants(sl, r):
			var err error
			if m.Explode != nil {
				err = m.explode(r)
			} else {
				err = m.send(r, sl.put...)
			}
			if err != nil {
				return err
			}
			if sl.removed {
				m.keep(r.Key)
			}
		}
		m.seen(r.Time)
	}
	return nil
}

// slices is the readings that the listing takes: one per set of Each, and the one of removed rows.
func (f *family) slices() []slice {
	s := f.root
	from, until := f.from(), f.run.now
	if slices.ContainsFunc(slices.Concat(f.direct, f.kids), func(m *member) bool { return m.future == nil && m.ahead }) {
		until = time.Time{}
	}
	each := s.Each
	if len(each) == 0 {
		each = []map[string]any{nil}
	}
	if (len(each) > 1 && s.Put == nil || s.Removed != nil) && f.seen == nil {
		f.seen = listing.NewSeen(s.Removed != nil)
	}
	var all []slice
	for _, params := range each {
		sl := slice{id: name(params), set: name(params), request: s.with(s.request(), params), put: s.puts(params)}
		if s.Cursor != nil && s.Cursor.Ask != nil && !from.IsZero() && !f.filterRefused {
			if !until.IsZero() && !from.Before(until) {
				continue // the start date is after now
			}
			sl.from = from
			sl.request = s.Cursor.Ask(sl.request, from.In(s.Cursor.zone()), until.In(s.Cursor.zone()))
		}
		if s.Windows != nil {
			all = append(all, s.Windows.cut(sl, from, f.run.now, s.Cursor.zone())...)
			continue
		}
		all = append(all, sl)
	}
	if s.Removed != nil {
		r := s.request()
		r.Query = replaced(s.Query, s.Removed.Query)
		all = append(all, slice{id: removedSlice, request: r, removed: true})
	}
	return all
}

// from is the earliest moment that any member needs rows from, less the lookback; zero: everything is needed.
func (f *family) from() (from time.Time) {
	for _, m := range slices.Concat(f.direct, f.kids) {
		if m.future != nil {
			continue
		}
		bound := m.bound
		if m.Parent != nil && (!m.Parent.Follows || m.Parent.Always != nil) {
			bound = time.Time{}
		}
		if bound.IsZero() {
			return bound
		}
		if from.IsZero() || bound.Before(from) {
			from = bound
		}
	}
	if f.root.Cursor != nil {
		from = from.Add(-f.root.Cursor.Lookback)
	}
	return from
}

// check notices, once, that the API answers with rows from outside the time that it was asked for.
func (f *family) check(sl slice, r listing.Row) {
	const slack = 48 * time.Hour // of filters by day, in whatever zone
	if f.ignore || sl.from.IsZero() || r.Time.IsZero() || !r.Time.Before(sl.from.Add(-slack)) {
		return
	}
	f.ignore = true
	f.run.log.Warn(f.root.Name + ": the API ignores the filter by time of change; everything is read and filtered here")
}

// name is a set of parameters as states call it.
func name(params map[string]any) string {
	values := url.Values{}
	for key, value := range params {
		values.Set(key, fmt.Sprint(value))
	}
	return values.Encode()
}

// replaced is q with the parameters of by in the place of its own.
func replaced(q, by url.Values) url.Values {
	all := url.Values{}
	for _, from := range []url.Values{q, by} {
		maps.Copy(all, from)
	}
	return all
}

// began notes what a page tells of all of a cycle: what had to be mended, and how far the server's clock is behind ours: a mark must not be
// later than the moment at which the server began to answer, on the clock that its rows are timed by.
func (m *member) began(page listing.Page, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Parent == nil {
		m.mended(page)
	}
	if at := listing.Served(page.Header); page.First && !at.IsZero() && m.doc.Cycle.Start.Equal(now) {
		m.doc.Cycle.Start = m.doc.Cycle.Start.Add(-max(0, now.Truncate(time.Second).Sub(at)))
	}
}

// mended counts what had to be mended in a page. m.mu is held.
func (m *member) mended(page listing.Page) {
	m.replaced += int64(page.Replaced)
	m.control += int64(page.Control)
}

// notLaterThan keeps the mark from passing a time; zero: it may. m.mu is held.
func (m *member) notLaterThan(late time.Time) {
	if !late.IsZero() && (m.late.IsZero() || late.Before(m.late)) {
		m.late = late
	}
}

// familyKey is under which a context carries the family that a request is made for.
type familyKey struct{}

// waiting tells the streams that a request is made for that it waits for a quota.
func waiting(ctx context.Context, until time.Time) {
	f, ok := ctx.Value(familyKey{}).(*family)
	if !ok {
		return
	}
	for _, m := range slices.Concat(f.direct, f.kids) {
		_ = f.run.out.RateLimited(m.desc, until) // a failed write shows at the next record
	}
}
