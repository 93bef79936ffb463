package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// run translates a description, for one check or read, into listings for package listing and families for package replication.
type run struct {
	api     API
	schemas *spec.Spec // of the streams; nil for a check
	reader  *listing.Reader
}

func newRun(ctx context.Context, api API, schemas *spec.Spec, client *httpclient.Client, parallel int) *run {
	reader := &listing.Reader{
		Client: client, Log: protocol.Logger(ctx), Budget: httpclient.NewBudget(bytesInFlight), Began: time.Now(),
		Judge: api.Judge, Gone: api.Gone, TooLarge: api.TooLarge, Notice: api.Notice,
	}
	return &run{api: api, schemas: schemas, reader: reader.New(parallel)}
}

// alive asks for the first page of the listing that the stream named Check is made from. The error says why the API does not answer even that.
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

// future warns, once, if a start date is in the future.
func (r *run) future(cat *protocol.ConfiguredCatalog) {
	if slices.ContainsFunc(cat.Streams, func(configured protocol.ConfiguredStream) bool {
		s := r.api.stream(configured.Stream.Name)
		return s != nil && s.cursor().start().After(r.reader.Began)
	}) {
		r.reader.Log.Warn("start_date is in the future: what changed, or is dated, before it is not read, so that nothing may come until then")
	}
}

// states returns the documents of the configured streams that can be read. A document that is not understood is an error.
func (r *run) states(cat *protocol.ConfiguredCatalog, input state.Input) (map[protocol.Descriptor]state.Doc, error) {
	docs := map[protocol.Descriptor]state.Doc{}
	for _, configured := range cat.Streams {
		s, err := r.readable(&configured)
		if err != nil {
			continue
		}
		d := configured.Descriptor()
		doc, err := state.Decode(s.Name, input[d], s.cursor().name(), s.cursor().Layouts, s.cursor().zone())
		if err != nil {
			return nil, fmt.Errorf("reading the state: %w", err)
		}
		docs[d] = doc
	}
	return docs, nil
}

// families groups the configured streams into families, in the order of the description, and reports streams that cannot be read at once. The streams
// of another namespace are another family: they have their own states, and the API is asked accordingly.
func (r *run) families(cat *protocol.ConfiguredCatalog, docs map[protocol.Descriptor]state.Doc, out *protocol.Emitter) (
	all []replication.Family, failures error,
) {
	for _, configured := range cat.Streams {
		d := configured.Descriptor()
		s, err := r.readable(&configured)
		var stream replication.Stream
		if err == nil {
			stream, err = r.stream(s)
		}
		if err != nil {
			failures = errors.Join(failures, err, r.refuse(d, err, out))
			continue
		}
		if configured.SyncMode == protocol.Incremental && s.Cursor == nil { // PyAirbyte selects it for every stream
			r.reader.Log.Info(s.Name + " has no time of change; all of it is read in every sync")
		}
		origin := r.api.origin(s)
		i := slices.IndexFunc(all, func(f replication.Family) bool {
			return f.Name == origin.Name && f.Streams[0].Descriptor.Namespace == d.Namespace
		})
		if i < 0 {
			i = len(all)
			all = append(all, r.family(origin))
		}
		stream.Descriptor, stream.Mode, stream.State = d, configured.SyncMode, docs[d]
		all[i].Streams = append(all[i].Streams, stream)
	}
	order := func(f replication.Family) int {
		return slices.IndexFunc(r.api.Streams, func(s Stream) bool { return s.Name == f.Name })
	}
	slices.SortStableFunc(all, func(a, b replication.Family) int { return cmp.Compare(order(a), order(b)) })
	return all, failures
}

// readable returns the description of a configured stream, or the reason why it cannot be read.
func (r *run) readable(configured *protocol.ConfiguredStream) (*Stream, error) {
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
	}
	return s, nil
}

// refuse sends the failure of a stream that cannot be read. A stream that the connector does not have gets no status.
func (r *run) refuse(d protocol.Descriptor, why error, out *protocol.Emitter) error {
	if r.api.stream(d.Name) != nil {
		if err := out.Status(d, protocol.Incomplete); err != nil {
			return err
		}
	}
	return out.Failure(why, &d)
}

// family returns the family for the listing of s, without its streams.
func (r *run) family(s *Stream) replication.Family {
	f := replication.Family{
		Name: s.Name, Windows: s.Windows, Removed: s.Removed != nil, Apart: s.Apart,
		Changes: s.cursor().Ask != nil, Lookback: s.cursor().Lookback,
		Open: func(q replication.Question) listing.Listing { return r.open(s, q) },
	}
	for i, params := range s.sets() {
		name := url.Values{}
		for key, value := range params {
			name.Set(key, fmt.Sprint(value))
		}
		set := replication.Set{Name: name.Encode(), Maybe: i >= len(s.Each)}
		for _, member := range slices.Sorted(maps.Keys(s.Put)) {
			value, err := json.Marshal(params[s.Put[member]])
			if err != nil {
				panic(err) // a description's parameters are plain values
			}
			set.Put = append(set.Put, record.Member{Name: member, Value: value})
		}
		f.Sets = append(f.Sets, set)
	}
	if len(f.Sets) == 0 {
		f.Sets = []replication.Set{{}}
	}
	return f
}

func (s *Stream) sets() []map[string]any { return slices.Concat(s.Each, s.Maybe) }

// open returns the part of the listing of s that q asks for.
func (r *run) open(s *Stream, q replication.Question) listing.Listing {
	request := s.request()
	switch {
	case q.Removed:
		request.Query = url.Values{}
		maps.Copy(request.Query, s.Query)
		maps.Copy(request.Query, s.Removed)
	case len(s.sets()) > 0:
		in := httpclient.Query
		if s.Body != nil {
			in = httpclient.Body
		}
		for key, value := range s.sets()[q.Set] {
			request = request.With(in, key, value)
		}
	}
	switch {
	case q.Undated:
		request.Once = true // it may be expensive for the server
	case s.Windows != nil && q.Window != (replication.Window{}):
		request = s.Days(request, q.Window.First, q.Window.Last)
	}
	if !q.From.IsZero() {
		request = s.Cursor.Ask(request, q.From.In(s.Cursor.zone()), q.Until.In(s.Cursor.zone()))
	}
	return r.listing(s, request)
}

// listing returns the listing that s reads with request.
func (r *run) listing(s *Stream, request httpclient.Request) listing.Listing {
	l := listing.Listing{
		Name: s.Name, Request: request, Records: cmp.Or(s.Records, r.api.Records), Partial: s.Partial, Ways: s.Ways, Refused: s.Refused,
		Nothing: s.Nothing, Value: s.Value, Repeats: s.Repeats != "", Optional: s.Optional, Absent: s.Absent, Omits: r.api.Omits,
	}
	if c := s.Cursor; c != nil {
		loose := c.Hidden || c.Open != "" || c.Margin > DefaultMargin
		l.Clock = &listing.Clock{Field: c.Field, Layouts: c.Layouts, Zone: c.zone(), Open: c.Open, Loose: loose}
	}
	if pages := cmp.Or(s.Pages, r.api.Pages); len(l.Ways) == 0 && pages != nil {
		l.Ways = []Way{{Pages: pages}}
	}
	if l.Absent == nil {
		l.Absent = r.api.Absent
	}
	key := s.Key
	if p := s.Parent; p != nil {
		l.Child, l.Missing = true, p.Missing || p.Detail
		if p.Detail { // the key that identifies the parent's row
			if key = r.shared(p); len(key) == 0 {
				key = r.api.stream(p.Of).Key
			}
		}
	}
	l.Key = s.inRow(key)
	return l
}

// inRow returns the fields of a key that are in the API's rows. Fields put into records from elsewhere are the same in all rows of a listing.
func (s *Stream) inRow(key []string) (fields []string) {
	for _, field := range key {
		if (s.Parent == nil || s.Parent.Put[field] == "") && s.Put[field] == "" && field != s.Repeats {
			fields = append(fields, field)
		}
	}
	return fields
}

// key returns the members of the API's rows that are the stream's key. It returns nil if there are none, if the key is also made from something else,
// or if rows are kept whole.
func (s *Stream) key(columns []record.Edit) []string {
	if s.Explode != nil || s.Derive != nil || s.Value != "" || slices.ContainsFunc(columns, func(edit record.Edit) bool {
		column, ok := edit.(record.Column)
		return ok && (column.Key && column.Type == record.Digest || column.Type == record.Whole)
	}) {
		return nil
	}
	return s.inRow(s.Key)
}

// stream returns s for package replication, without what the catalog and the state say. The error is that its schema cannot be used.
func (r *run) stream(s *Stream) (replication.Stream, error) {
	columns, err := s.columns(r.schemas)
	if err != nil {
		return replication.Stream{}, fault.Systemf("The stream %q has no schema that can be used: %v.", s.Name, err)
	}
	c := s.cursor()
	edits := slices.Clone(s.Shape)
	for _, name := range s.Without {
		edits = append(edits, record.Drop{Field: name})
	}
	edits = append(edits, record.Times{Layouts: c.Layouts, Zone: cmp.Or(c.Zone, r.api.Zone)}) // for times without an offset
	stream := replication.Stream{
		Key: s.key(columns), Shape: record.Compile(append(edits, columns...)...), Derive: s.derive(columns), Explode: s.Explode,
		Repeats: s.Repeats, Choice: s.Choice,
		Cursor: replication.Cursor{
			Name: c.name(), Zone: c.zone(), Start: c.start(), Margin: cmp.Or(c.Margin, DefaultMargin), Hidden: c.Hidden, Other: c.Other,
			Snapshot: c.Snapshot,
		},
	}
	asked := s // the stream whose requests are sent
	if s.Explode != nil {
		asked = r.api.stream(s.Explode.Of)
	}
	if asked.Parent != nil {
		stream.Child = r.child(asked)
	}
	return stream, nil
}

// child returns what replication needs to read s for each row of its parent.
func (r *run) child(s *Stream) *replication.Child {
	p := s.Parent
	names := slices.Sorted(maps.Keys(p.Params))
	c := &replication.Child{
		Name: s.Name, Of: p.Of, Path: s.Path, Put: p.Put, Where: p.Where, Follows: p.Follows, Always: p.Always,
		Shared: r.shared(p), Alike: p.Alike, Changes: s.cursor().Ask != nil,
	}
	for _, name := range names {
		c.Params = append(c.Params, p.Params[name])
	}
	c.Open = func(key string, params []string, from time.Time) listing.Listing {
		request := s.request()
		for i, name := range names {
			var value any = params[i]
			if n, err := strconv.ParseInt(params[i], 10, 64); p.In == httpclient.Body && p.Numbers && err == nil {
				value = n
			}
			request = request.With(p.In, name, value)
		}
		if !from.IsZero() {
			request = s.Cursor.Ask(request, from.Add(-s.Cursor.Lookback).In(s.Cursor.zone()), time.Time{})
		}
		l := r.listing(s, request)
		if p.Detail {
			l.Detail = key
		}
		return l
	}
	return c
}

// shared returns the paths of p's Params if these leave out a part of the parent's key, so that several rows may have the same values; otherwise nil.
func (r *run) shared(p *Parent) []string {
	asked := slices.Compact(slices.Sorted(maps.Values(p.Params)))
	if slices.ContainsFunc(r.api.stream(p.Of).Key, func(field string) bool { return !slices.Contains(asked, field) }) {
		return asked
	}
	return nil
}

// derive returns s.Derive without the members that have no column in the stream's schema.
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
