package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/replication"
	"github.com/imob-data/airbyte-connectors/common/spec"
	"github.com/imob-data/airbyte-connectors/common/state"
)

// run translates a description for one check or read: into listings, which package listing reads, and into families of streams, of which
// package replication sends what is new.
type run struct {
	api     API
	schemas *spec.Spec // of the streams; nil for a check
	reader  *listing.Reader
	log     *slog.Logger
	began   time.Time
}

// newRun makes the run, with so many requests in flight.
func newRun(ctx context.Context, api API, schemas *spec.Spec, client *httpclient.Client, parallel int) *run {
	r := &run{api: api, schemas: schemas, log: protocol.Logger(ctx), began: time.Now()}
	reader := &listing.Reader{
		Client: client, Log: r.log, Budget: httpclient.NewBudget(bytesInFlight), Began: r.began,
		Judge: api.Judge, Gone: api.Gone, TooLarge: api.TooLarge, Notice: api.Notice,
	}
	r.reader = reader.New(parallel)
	return r
}

// alive asks for what a check asks for: the first page of the listing that the stream named Check is made from, with the first set of its
// parameters. An error says why the API does not answer even that.
func (r *run) alive(ctx context.Context, waiting func(until time.Time)) error {
	s := r.api.stream(r.api.Check)
	if s != nil {
		s = r.api.origin(s)
	}
	if s == nil {
		return fault.Systemf("the connector checks a stream %q that it does not have", r.api.Check)
	}
	l := r.open(s, replication.Question{})
	l.Waiting = waiting
	return r.reader.Try(ctx, l)
}

// future warns, once, of a start date that is after now.
func (r *run) future(cat *protocol.ConfiguredCatalog) {
	for _, configured := range cat.Streams {
		s := r.api.stream(configured.Stream.Name)
		if s != nil && s.cursor().start().After(r.began) {
			r.log.Warn("start_date is in the future: what changed, or is dated, before it is not read, so that nothing may come until then")
			return
		}
	}
}

// states returns the documents of the configured streams that can be read. A document that is not understood is an error.
func (r *run) states(cat *protocol.ConfiguredCatalog, input state.Input) (map[protocol.Descriptor]state.Doc, error) {
	docs := map[protocol.Descriptor]state.Doc{}
	for _, configured := range cat.Streams {
		if r.unreadable(&configured) != nil {
			continue
		}
		s, d := r.api.stream(configured.Stream.Name), configured.Descriptor()
		doc, err := state.Decode(s.Name, input[d], s.cursor().name(), s.cursor().Layouts, s.cursor().zone())
		if err != nil {
			return nil, fmt.Errorf("reading the state: %w", err)
		}
		docs[d] = doc
	}
	return docs, nil
}

// families sorts the configured streams into families, in the order of the description, and tells at once what is wrong with those that
// cannot be read. The streams of another namespace are another family: they go on from states of their own, and where rows do not show their
// times only the question tells which of them are new.
func (r *run) families(cat *protocol.ConfiguredCatalog, docs map[protocol.Descriptor]state.Doc, out *protocol.Emitter) (
	all []replication.Family, failures error,
) {
	number := map[protocol.Descriptor]int{} // of a listing's stream, in all
	for _, configured := range cat.Streams {
		d := configured.Descriptor()
		if err := r.unreadable(&configured); err != nil {
			failures = errors.Join(failures, err, r.refuse(d, err, out))
			continue
		}
		s := r.api.stream(d.Name)
		if configured.SyncMode == protocol.Incremental && s.Cursor == nil { // PyAirbyte asks this of every stream
			r.log.Info(s.Name + " has no time of change; all of it is read in every sync")
		}
		origin := protocol.Descriptor{Name: r.api.origin(s).Name, Namespace: d.Namespace}
		i, ok := number[origin]
		if !ok {
			i = len(all)
			number[origin] = i
			all = append(all, replication.Family{Listing: r.root(r.api.stream(origin.Name))})
		}
		stream, err := r.stream(s)
		if err != nil {
			failures = errors.Join(failures, err, r.refuse(d, err, out))
			continue
		}
		selected := replication.Selected{Stream: stream, Descriptor: d, Mode: configured.SyncMode, State: docs[d]}
		all[i].Streams = append(all[i].Streams, selected)
	}
	order := func(f replication.Family) int {
		return slices.IndexFunc(r.api.Streams, func(s Stream) bool { return s.Name == f.Listing.Name })
	}
	slices.SortStableFunc(all, func(a, b replication.Family) int { return cmp.Compare(order(a), order(b)) })
	return all, failures
}

// unreadable returns why a configured stream cannot be read, or nil.
func (r *run) unreadable(configured *protocol.ConfiguredStream) error {
	name := configured.Stream.Name
	s := r.api.stream(name)
	switch {
	case s == nil || s.Unlisted:
		return fault.Configf("The catalog names a stream %q that this connector does not have. "+
			"Refresh the source's schema and choose the streams again.", name)
	case s.Needs != "":
		return fault.Configf("%s", s.Needs)
	case configured.SyncMode != protocol.FullRefresh && configured.SyncMode != protocol.Incremental:
		return fault.Configf("The catalog asks for a sync mode that does not exist in stream %q: it can be full_refresh or incremental.", name)
	}
	return nil
}

// refuse tells that a stream cannot be read, and why. A stream that the connector does not have has no status.
func (r *run) refuse(d protocol.Descriptor, why error, out *protocol.Emitter) error {
	if r.api.stream(d.Name) != nil {
		if err := out.Status(d, protocol.Incomplete); err != nil {
			return err
		}
	}
	return out.Failure(why, &d)
}

// root returns the listing of s as its family reads it.
func (r *run) root(s *Stream) replication.Listing {
	l := replication.Listing{
		Name: s.Name, Removed: s.Removed != nil, Apart: s.Apart,
		Changes: s.cursor().Ask != nil, Lookback: s.cursor().Lookback,
		Open: func(q replication.Question) listing.Listing { return r.open(s, q) },
	}
	for i, params := range s.sets() {
		l.Sets = append(l.Sets, replication.Set{Name: name(params), Put: s.puts(params), Maybe: i >= len(s.Each)})
	}
	if len(l.Sets) == 0 {
		l.Sets = []replication.Set{{}}
	}
	if w := s.Windows; w != nil {
		l.Windows = &replication.Windows{Oldest: w.Oldest, Months: w.Months, First: w.First, Last: w.Last, Undated: w.Undated}
	}
	return l
}

// sets returns the sets of parameters that s is read with.
func (s *Stream) sets() []map[string]any { return slices.Concat(s.Each, s.Maybe) }

// puts returns the members that are put into the records of a set of parameters.
func (s *Stream) puts(params map[string]any) (put []record.Member) {
	for _, name := range slices.Sorted(maps.Keys(s.Put)) {
		value, err := json.Marshal(params[s.Put[name]])
		if err != nil {
			panic(err) // a description's parameters are plain values
		}
		put = append(put, record.Member{Name: name, Value: value})
	}
	return put
}

// open returns the listing of s, as far as q asks for it.
func (r *run) open(s *Stream, q replication.Question) listing.Listing {
	request := s.request()
	switch {
	case q.Removed:
		request.Query = replaced(s.Query, s.Removed.Query)
	case len(s.sets()) > 0:
		request = s.with(request, s.sets()[q.Set])
	}
	switch {
	case q.Undated:
		request.Once = true // it may be a heavy one
	case s.Windows != nil && q.Window != (replication.Window{}):
		request = s.Windows.Ask(request, q.Window.First, q.Window.Last)
	}
	if !q.From.IsZero() {
		request = s.Cursor.Ask(request, q.From.In(s.Cursor.zone()), q.Until.In(s.Cursor.zone()))
	}
	return r.listing(s, request)
}

// listing returns the listing of s that is asked for by request.
func (r *run) listing(s *Stream, request httpclient.Request) listing.Listing {
	l := listing.Listing{
		Name: s.Name, Request: request, Records: cmp.Or(s.Records, r.api.Records), Partial: s.Partial, Ways: s.Ways, Refused: s.Refused,
		Nothing: s.Nothing, Value: s.Value, Repeats: s.Repeats != "", Optional: s.Optional, Absent: s.Absent, Omits: r.api.Omits, Clock: s.Cursor.clock(),
	}
	if pages := cmp.Or(s.Pages, r.api.Pages); len(l.Ways) == 0 && pages != nil {
		l.Ways = []Way{{Pages: pages}}
	}
	if l.Absent == nil {
		l.Absent = r.api.Absent
	}
	key := s.Key
	if s.Parent != nil && s.Parent.Detail { // by what the parent's row is known
		if key = r.shared(s.Parent); len(key) == 0 {
			key = r.api.stream(s.Parent.Of).Key
		}
	}
	l.Key = s.inRow(key)
	if s.Parent != nil {
		l.Child, l.Missing = true, s.Parent.Missing || s.Parent.Detail
	}
	return l
}

// inRow returns those members of a key that are in the API's rows: what is put into records from outside is the same in all rows of a listing.
func (s *Stream) inRow(key []string) (fields []string) {
	for _, field := range key {
		if (s.Parent == nil || s.Parent.Put[field] == "") && s.Put[field] == "" && field != s.Repeats {
			fields = append(fields, field)
		}
	}
	return fields
}

// key returns the members of the API's rows that are the stream's key; nil: there are none, it is made of something else too, or the form of the
// rows is not known so well, and they are kept whole.
func (s *Stream) key(columns []record.Edit) []string {
	if s.Explode != nil || s.Derive != nil || s.Value != "" || slices.ContainsFunc(columns, func(edit record.Edit) bool {
		column, ok := edit.(record.Column)
		return ok && (column.Key && column.Type == record.Digest || column.Type == record.Whole)
	}) {
		return nil
	}
	return s.inRow(s.Key)
}

// stream returns s as replication knows it. The error is that its schema cannot be used.
func (r *run) stream(s *Stream) (replication.Stream, error) {
	columns, err := s.columns(r.schemas)
	if err != nil {
		return replication.Stream{}, fault.Systemf("The stream %q has no schema that can be used: %v.", s.Name, err)
	}
	stream := replication.Stream{
		Name: s.Name, Cursor: s.cursor().plain(), Key: s.key(columns), Shape: s.shape(columns, r.api.Zone), Derive: s.derive(columns),
		Repeats: s.Repeats, Choice: s.Choice,
	}
	asked := s // the stream whose requests are sent
	if e := s.Explode; e != nil {
		stream.Explode = &replication.Explode{Array: e.Array, Within: e.Within, Put: e.Put, Position: e.Position}
		asked = r.api.stream(e.Of)
	}
	if asked.Parent != nil {
		stream.Child = r.child(asked)
		if asked != s {
			stream.Child.Put = nil
		}
	}
	return stream, nil
}

// child returns what replication needs to read s for each row of its parent.
func (r *run) child(s *Stream) *replication.Child {
	p := s.Parent
	names := slices.Sorted(maps.Keys(p.Params))
	c := &replication.Child{
		Name: s.Name, Of: p.Of, Path: s.Path, Put: p.Put, Where: p.Where, Follows: p.Follows, Always: p.Always,
		Shared: r.shared(p), Alike: p.Alike, Changes: s.cursor().Ask != nil, Lookback: s.cursor().Lookback,
	}
	for _, name := range names {
		c.Params = append(c.Params, p.Params[name])
	}
	c.Open = func(key string, params []string, from time.Time) listing.Listing {
		request := s.request()
		for i, name := range names {
			request = request.With(p.In, name, p.value(params[i]))
		}
		if !from.IsZero() {
			request = s.Cursor.Ask(request, from.In(s.Cursor.zone()), time.Time{})
		}
		l := r.listing(s, request)
		if p.Detail {
			l.Detail = key
		}
		return l
	}
	return c
}

// shared returns the paths in the rows of p whose values are asked for, where several rows may ask for the same: a part of their key is not
// asked for. Otherwise it returns none.
func (r *run) shared(p *Parent) []string {
	asked := slices.Compact(slices.Sorted(maps.Values(p.Params)))
	if slices.ContainsFunc(r.api.stream(p.Of).Key, func(field string) bool { return !slices.Contains(asked, field) }) {
		return asked
	}
	return nil
}

// value returns a parameter as it is sent.
func (p *Parent) value(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); p.In == httpclient.Body && p.Numbers && err == nil {
		return n
	}
	return text
}

// shape returns the stream's edits and the columns of its schema, compiled. Times without a zone are the cursor's, or else in zone.
func (s *Stream) shape(columns []record.Edit, zone *time.Location) *record.Shape {
	edits := slices.Clone(s.Shape)
	for _, name := range s.Without {
		edits = append(edits, record.Drop{Field: name})
	}
	edits = append(edits, record.Times{Layouts: s.cursor().Layouts, Zone: cmp.Or(s.cursor().Zone, zone)})
	return record.Compile(append(edits, columns...)...)
}

// derive returns Derive without the members for which the stream's schema has no column.
func (s *Stream) derive(columns []record.Edit) func(func(string) record.Value) []record.Member {
	if s.Derive == nil {
		return nil
	}
	known := map[string]bool{}
	for _, edit := range columns {
		if column, ok := edit.(record.Column); ok {
			known[column.Field] = true
		}
	}
	return func(get func(string) record.Value) []record.Member {
		return slices.DeleteFunc(s.Derive(get), func(m record.Member) bool { return !known[m.Name] })
	}
}

// plain returns c as replication knows it.
func (c *Cursor) plain() replication.Cursor {
	return replication.Cursor{
		Name: c.name(), Zone: c.zone(), Start: c.start(), Margin: cmp.Or(c.Margin, DefaultMargin), Hidden: c.Hidden, Other: c.Other,
		Snapshot: c.Snapshot,
	}
}

// clock returns c as a listing knows it, or nil without a cursor.
func (c *Cursor) clock() *listing.Clock {
	if c == nil {
		return nil
	}
	return &listing.Clock{
		Field: c.Field, Layouts: c.Layouts, Zone: c.zone(), Open: c.Open, Loose: c.Hidden || c.Open != "" || c.Margin > DefaultMargin,
	}
}

// name returns the name that states have for a set of parameters.
func name(params map[string]any) string {
	values := url.Values{}
	for key, value := range params {
		values.Set(key, fmt.Sprint(value))
	}
	return values.Encode()
}

// replaced returns q with the parameters of by in the place of its own.
func replaced(q, by url.Values) url.Values {
	all := url.Values{}
	maps.Copy(all, q)
	maps.Copy(all, by)
	return all
}
