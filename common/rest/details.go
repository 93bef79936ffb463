package rest

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// resolve gives each stream that is exploded from rows which are read with requests of their own those requests, so that it is a child as the
// stream that it is exploded from is: see Explode.Of.
func (a *API) resolve() {
	a.Streams = slices.Clone(a.Streams)
	for i := range a.Streams {
		s := &a.Streams[i]
		if s.Explode == nil || s.Parent != nil {
			continue
		}
		of := a.stream(s.Explode.Of)
		if of == nil || of.Parent == nil {
			continue
		}
		s.detail = of
		s.Method, s.Path, s.Query, s.Body, s.Ways, s.Refused = of.Method, of.Path, of.Query, of.Body, of.Ways, of.Refused
		s.Pages, s.Records, s.Optional = of.Pages, of.Records, of.Optional
		parent := *of.Parent
		parent.Put = nil
		s.Parent = &parent
	}
}

// listingKey is the key by which the rows of the listing of s are told apart: not always that of the records.
func (a *API) listingKey(s *Stream) []string {
	switch {
	case s.Parent != nil && s.Parent.Detail:
		return a.stream(s.Parent.Of).Key
	case s.detail != nil:
		return s.detail.Key
	case s.Parent != nil && s.Explode != nil:
		return nil
	}
	return s.Key
}

// answers shares the answers to requests for one row of a parent among the children that ask the same.
type answers struct {
	shared map[string]bool    // the details that several children are made from
	row    map[string]*answer // those for the row that is asked for now
}

// answer is the answer to one request, for all that are made from it.
type answer struct {
	once sync.Once
	page listing.Page
	end  *listing.End
}

// detailName is the stream whose request s sends.
func (s *Stream) detailName() string {
	if s.detail != nil {
		return s.detail.Name
	}
	return s.Name
}

func newAnswers(kids []*member) answers {
	count := map[string]int{}
	for _, m := range kids {
		count[m.detailName()]++
	}
	a := answers{shared: map[string]bool{}}
	for name, n := range count {
		a.shared[name] = n > 1
	}
	return a
}

// next begins with another row of the parent.
func (a *answers) next() { a.row = nil }

// of is the answer that m shares with others for the row; nil: it asks for itself alone.
func (a *answers) of(m *member) *answer {
	name := m.detailName()
	if !a.shared[name] {
		return nil
	}
	if a.row == nil {
		a.row = map[string]*answer{}
	}
	if a.row[name] == nil {
		a.row[name] = &answer{}
	}
	return a.row[name]
}

// pages is the pages of the child's listing. Those that are shared are one page, with memory of its own.
func (t task) pages(ctx context.Context) (iter.Seq[listing.Page], *listing.End) {
	if t.answer == nil {
		return t.m.run.reader.Read(ctx, t.listing())
	}
	a := t.answer
	a.once.Do(func() {
		var pages iter.Seq[listing.Page]
		pages, a.end = t.m.run.reader.Read(ctx, t.listing())
		for page := range pages {
			for _, r := range page.Rows {
				r.Data, r.At = slices.Clone(r.Data), record.Value{}
				a.page.Rows = append(a.page.Rows, r)
			}
			a.page.Replaced, a.page.Control = a.page.Replaced+page.Replaced, a.page.Control+page.Control
		}
		a.page.Last = true
	})
	return func(yield func(listing.Page) bool) { yield(a.page) }, a.end
}

// lacks is whether the account turned out not to have what m asks for, for all rows alike: then m is empty, with one WARN. The API answered
// something else by then, the parent's listing.
func (m *member) lacks(end *listing.End) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if end.Kind != listing.Absent || !m.Optional || m.answered {
		return false
	}
	if !m.lacking {
		m.lacking = true
		m.run.log.Warn(m.Name + ": this account does not have it; it is read as empty")
	}
	return true
}

// parts is the rows in the array that e names, each with the object that the array lies in.
func (e *Explode) parts(row record.Record, yield func(part, in record.Record, position int) error) error {
	outer := []record.Record{row}
	if e.Within != "" {
		outer = row.Get(e.Within).Array()
	}
	for _, in := range outer {
		for i, part := range in.Get(e.Array).Array() {
			if err := yield(part, in, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// puts is the members of e that go into each row of an array: from the object that it lies in, or else from the whole row.
func (e *Explode) puts(in, row record.Record) []record.Member {
	put := puts(in, e.Put)
	for i, one := range puts(row, e.Put) {
		if !in.Get(e.Put[one.Name]).Exists() {
			put[i] = one
		}
	}
	return put
}

// puts is the members that go into each record of a set of parameters.
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

// param is the value of a parameter as text, and as it is sent.
func (p *Parent) param(v record.Value) (text string, value any) {
	text = v.Text()
	if raw := string(v.Raw()); p.In == httpclient.Body && !p.AsText && raw == text && text != "" {
		return text, json.RawMessage(raw) // a number
	}
	return text, text
}

// ask is the child's request with the question for what changed, where every row of the parent is asked for; asked is whether it has one.
func (t task) ask(r httpclient.Request) (httpclient.Request, bool) {
	m := t.m
	if m.Cursor == nil || m.Cursor.Ask == nil || !m.readsAll() {
		return r, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	from := m.since(t.key)
	if from.IsZero() || m.unasked {
		return r, false
	}
	return m.Cursor.Ask(r, from.Add(-m.Cursor.Lookback).In(m.Cursor.zone()), time.Time{}), true
}

// asksNoMore is whether the question for changes was refused: then everything is read, with one WARN.
func (m *member) asksNoMore(end *listing.End) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if end.Kind != listing.Refused {
		return false
	}
	if !m.unasked {
		m.unasked = true
		m.run.log.Warn(m.Name + ": the API does not take the filter by time of change; everything is read in each sync")
		m.run.reader.Forget(m.Name)
	}
	return true
}
