package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/spec"
	"github.com/imob-data/airbyte-connectors/common/state"
)

// run is one read of the source.
type run struct {
	api     API
	client  *httpclient.Client
	schemas *spec.Spec
	out     *protocol.Emitter
	log     *slog.Logger
	now     time.Time     // when the read began
	slots   chan struct{} // requests in flight

	answered atomic.Bool // whether the API answered a request of this run as it should
	noticed  atomic.Bool // whether the API's notice was told
	ways     sync.Map    // stream name: the way in which it is read, where that is not the first one
}

// family is a listing and all selected streams that are made from it: it is read once for all of them.
type family struct {
	run    *run
	root   *Stream
	direct []*member        // sent from the listing's own rows: the root's, and those exploded from them
	kids   []*member        // read with requests of their own, one listing per row
	seen   map[digest]int64 // the rows of the sets of Each that were read; nil where there is one reading only
	ignore map[string]bool  // the sets of parameters with which the API was seen to ignore the filter
	deaf   bool             // the API refuses to be asked for changes
	told   bool             // and the user knows
	err    error            // why the listing could not be read
}

// errAbsent is what an optional stream's listing ends with where the account does not have it.
var errAbsent = errors.New("the account does not have this")

// errRefused is what a refusal is.
var errRefused = errors.New("the API refuses what was asked")

// refusal is the failure of an answer that refuses what was asked. Whoever can ask for something else goes on; for all others it is that
// failure.
type refusal struct {
	failure error
	stray   bool // it was not said: the answer is to something else
}

func (r *refusal) Error() string      { return r.failure.Error() }
func (r *refusal) Unwrap() error      { return r.failure }
func (*refusal) Is(target error) bool { return target == errRefused }

// errDeaf is what a listing ends with when the API refuses to be asked for changes.
var errDeaf = errors.New("the API refuses to be asked for changes")

// errGone is what the listing of a child ends with whose parent's row has gone.
var errGone = errors.New("the row of the parent has gone")

// errState marks a state that is not understood.
var errState = errors.New("reading the state")

// families sorts the configured streams into families, in the order of the description, and says what is wrong with those that cannot be
// read; these are told at once.
func (r *run) families(cat *protocol.ConfiguredCatalog, input state.Input) (all []*family, failures []error) {
	byRoot := map[string]*family{}
	for _, configured := range cat.Streams {
		m, err := r.configure(configured, input)
		if err != nil {
			if !errors.Is(err, errState) {
				err = errors.Join(err, r.refuse(configured.Descriptor(), err))
			}
			failures = append(failures, err)
			continue
		}
		origin := m.origin()
		f := byRoot[origin]
		if f == nil {
			f = &family{run: r, root: r.api.stream(origin)}
			byRoot[origin] = f
		}
		if m.Parent != nil {
			f.kids = append(f.kids, m)
		} else {
			f.direct = append(f.direct, m)
		}
	}
	for i := range r.api.Streams {
		if f := byRoot[r.api.Streams[i].Name]; f != nil {
			all = append(all, f)
		}
	}
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
	case s == nil:
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
	id          string // what states call it
	set         string // what its set of parameters is called
	request     httpclient.Request
	from, until time.Time // what the API was asked for; zero: everything
	removed     bool
}

// refusable is whether something is asked for that can be left out.
func (sl slice) refusable() bool { return sl.set != "" || !sl.until.IsZero() }

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
	if !f.run.answered.Load() {
		if f.err = f.run.alive(ctx); f.err != nil {
			return
		}
	}
	f.err = nil
	f.run.log.Warn(f.root.Name + ": this account does not have it; it is read as empty")
}

// alive asks for what a check asks for; an error says why the API does not answer even that.
func (r *run) alive(ctx context.Context) error {
	s := r.api.stream(r.api.Check)
	return r.try(ctx, s, s.request())
}

// listing reads the slices of the family's listing, and the children of their rows. What it returns concerns every stream of the family.
func (f *family) listing(ctx context.Context) error {
	awake := func(m *member) bool { return m.future == nil }
	if !slices.ContainsFunc(slices.Concat(f.direct, f.kids), awake) {
		return nil
	}
	nursery := f.nursery(ctx)
	defer nursery.stop()
	var rows int64
	for err := errDeaf; err != nil; {
		err = nil
		for _, sl := range f.slices() {
			if err = f.slice(ctx, sl, nursery, &rows); err != nil {
				break
			}
		}
		if err != nil && !errors.Is(err, errDeaf) {
			return err
		}
	}
	nursery.wait()
	return context.Cause(ctx)
}

// slice reads one slice; estimate is the rows that the slices promised so far.
func (f *family) slice(ctx context.Context, sl slice, nursery *nursery, estimate *int64) error {
	direct := slices.DeleteFunc(slices.Clone(f.direct), func(m *member) bool {
		return m.future != nil || slices.Contains(m.doc.Cycle.Slices, sl.id)
	})
	if len(direct)+len(f.kids) == 0 || sl.until != (time.Time{}) && f.ignore[sl.set] {
		return nil
	}
	s := f.root
	first := true
	page := func(p fetched) {
		if f.deaf && !f.told {
			f.told = true
			f.run.log.Warn(s.Name + ": the API does not take the filter by time of change; everything is read in each sync")
		}
		for _, m := range slices.Concat(direct, f.kids) {
			m.mu.Lock()
			if m.Parent == nil {
				m.replaced += int64(p.replaced)
			}
			if first && m.doc.Cycle.Start.Equal(f.run.now) {
				m.doc.Cycle.Start = m.doc.Cycle.Start.Add(-behind(p, f.run.now))
			}
			m.mu.Unlock()
		}
		if n, ok := total(f.run.way(s).Pages, p.Page, first); ok && first {
			*estimate += n
			for _, m := range direct {
				if m.Stream == s {
					_ = f.run.out.Estimate(m.desc, *estimate) // a failed write shows at the next record
				}
			}
		}
		first = false
	}
	before := f.seen
	if sl.removed {
		before = nil
	}
	late, err := f.run.walk(ctx, walk{
		stream: s, request: sl.request, refusable: sl.refusable(), place: f.place(direct), clock: s.Cursor, before: before, page: page,
		use: func(rows []row) error {
			for _, m := range direct {
				if err := m.take(sl, rows); err != nil {
					return err
				}
			}
			for _, r := range rows {
				f.check(sl, r)
				for _, m := range f.kids {
					if err := nursery.ask(ctx, m, sl, r); err != nil {
						return err
					}
				}
			}
			return nil
		},
		reached: func(place *state.Place) error {
			for _, m := range direct {
				if err := m.reached(place); err != nil {
					return err
				}
			}
			return nil
		},
	})
	switch {
	case !errors.Is(err, errRefused) || !sl.refusable():
	case sl.set == "":
		f.deaf = true
		f.run.ways.Delete(s.Name) // it may have been the question for changes that was refused, and not the ways
		return errDeaf
	default:
		err = f.run.alive(ctx) // what was refused may also have been the credentials
	}
	if err != nil {
		return err
	}
	for _, m := range slices.Concat(direct, f.kids) {
		m.mu.Lock()
		if !late.IsZero() && (m.late.IsZero() || late.Before(m.late)) {
			m.late = late
		}
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
func (m *member) take(sl slice, rows []row) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range rows {
		if m.wants(sl, r) {
			var err error
			if m.Explode != nil {
				err = m.explode(r)
			} else {
				err = m.send(r)
			}
			if err != nil {
				return err
			}
			if sl.removed {
				m.keep(r.key)
			}
		}
		m.seen(r.time)
	}
	return nil
}

// slices is the readings that the listing takes: per set of Each, per window, and the one of removed rows.
func (f *family) slices() []slice {
	s := f.root
	from, until := f.from(), f.run.now
	each := s.Each
	if len(each) == 0 {
		each = []map[string]any{nil}
	}
	if len(each) > 1 && f.seen == nil {
		f.seen = map[digest]int64{}
	}
	var all []slice
	for _, params := range each {
		base := slice{id: name(params), set: name(params), request: s.with(s.request(), params)}
		if s.Cursor == nil || s.Cursor.Ask == nil || from.IsZero() || f.deaf {
			all = append(all, base)
			continue
		}
		zone := s.Cursor.zone()
		step := s.Cursor.Window
		if step <= 0 {
			step = until.Sub(from) + 1
		}
		for at := from; at.Before(until); at = at.Add(step) {
			w := base
			w.from, w.until = at, at.Add(step)
			if w.until.After(until) {
				w.until = until
			}
			if s.Cursor.Window > 0 {
				w.id = strings.TrimSpace(w.id + " " + w.from.UTC().Format(time.RFC3339))
			}
			w.request = s.Cursor.Ask(base.request, w.from.In(zone), w.until.In(zone))
			all = append(all, w)
		}
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
func (f *family) check(sl slice, r row) {
	const slack = 48 * time.Hour // of filters by day, in whatever zone
	if f.ignore[sl.set] || sl.from.IsZero() || r.time.IsZero() || !r.time.Before(sl.from.Add(-slack)) {
		return
	}
	if f.ignore == nil {
		f.ignore = map[string]bool{}
		f.run.log.Warn(f.root.Name + ": the API ignores the filter by time of change; everything is read and filtered here")
	}
	f.ignore[sl.set] = true
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

// behind is how far the server's clock is behind ours, or 0 where it is not or does not tell: a mark must not be later than the moment
// at which the server began to answer, on the clock that its rows are timed by.
func behind(p fetched, began time.Time) time.Duration {
	at := served(p.Header)
	if at.IsZero() {
		return 0
	}
	return max(0, began.Truncate(time.Second).Sub(at))
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

// safely is do, with a panic in it made an error: a mistake in one goroutine must end in a message, not in the death of the process.
func safely(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = protocol.Recovered(value)
		}
	}()
	return do()
}
