package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// sink is where records go.
type sink interface {
	// record takes a record of a stream.
	record(one *stream, m message) error
	// state takes a state of a stream, or of all where one is nil.
	state(one *stream, m message) error
	// end is called once, when the source has ended, and says by failure whether all came. It keeps the states of what is durable.
	end(failure error) error
	// close frees what is open.
	close()
}

// transfer reads the streams into the sink.
func (s *session) transfer(ctx context.Context) (err error) {
	to, catalog, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer to.close()
	files := map[string][]byte{"catalog": catalog}
	if states := s.states(); states != nil {
		files["state"] = states
	}
	s.bar.Step("%s: reading %d streams", s.source.name(), len(s.streams))
	failure := s.read(ctx, to, files)
	err = to.end(failure)
	if err != nil { // nothing that is not in its place is complete
		for _, one := range s.streams {
			one.complete = false
		}
	}
	if _, ok := errors.AsType[*sinkError](failure); ok && err != nil {
		return err // it says more of the same
	}
	err = errors.Join(failure, err)
	s.ended = err == nil
	return err
}

// errStopped is why a run is not complete that was asked to end.
var errStopped = errors.New("the run was stopped")

// sinkError is a failure of the sink, for which the source was stopped.
type sinkError struct{ error }

func (e *sinkError) Unwrap() error { return e.error }

// open opens the sink and makes the catalog.
func (s *session) open(ctx context.Context) (to sink, catalog []byte, err error) {
	if s.target == nil {
		if to, err = s.openFolder(); err == nil {
			catalog, err = s.catalogText()
		}
		return to, catalog, err
	}
	if catalog, err = s.catalogText(); err == nil {
		to, err = s.openPipe(ctx, catalog)
	}
	return to, catalog, err
}

// read runs the source to its end. The error is nil when it came to a good one.
func (s *session) read(ctx context.Context, to sink, files map[string][]byte) error {
	p, err := s.source.start(ctx, "read", files, nil)
	if err != nil {
		return err
	}
	total := 0
	sinkErr := p.messages(func(m message) error {
		switch m.kind {
		case "RECORD":
			one := s.stream(m.stream)
			if one == nil {
				return fmt.Errorf("%s sent a record of %q, which is not in the catalog", p.name(), m.stream)
			}
			if total++; total%256 == 0 {
				s.bar.Tick("%s: %d records, the last of %s", p.name(), total, m.stream)
			}
			one.records++
			return to.record(one, m)
		case "STATE":
			one := s.stream(m.stream)
			if one == nil && m.stream != "" {
				return fmt.Errorf("%s sent a state of %q, which is not in the catalog", p.name(), m.stream)
			}
			return to.state(one, m)
		case "TRACE":
			s.status(p, m)
		}
		return nil
	})
	if sinkErr != nil {
		p.stopped()
		_ = p.stdout.Close()
		_ = p.wait() // whatever it says now, it was not its fault
		return &sinkError{sinkErr}
	}
	err = p.wait()
	switch {
	case ctx.Err() != nil && len(p.failed) == 0: // it ended before it could say so
		return errStopped
	case err != nil:
		return err
	}
	return s.incomplete()
}

// status notes a stream's status and tells what it waits for.
func (s *session) status(p *process, m message) {
	one, said := s.stream(m.stream), m.body.Get("stream_status")
	if one == nil || !said.Exists() {
		return
	}
	one.status = said.Get("status").Str
	if reason := said.Get("reasons.0"); reason.Get("type").Str == "RATE_LIMITED" {
		until := ""
		if reset := reason.Get("rate_limited.quota_reset").Int(); reset > 0 {
			until = " until " + time.UnixMilli(reset).Format(time.TimeOnly)
		}
		s.bar.Tick("%s: %s waits for the API's quota%s", p.name(), one.name, until)
	}
}

// incomplete returns an error where a source that ended well has said of a stream that it is not complete.
func (s *session) incomplete() error {
	var names []string
	for _, one := range s.streams {
		if one.status == "INCOMPLETE" {
			names = append(names, one.name)
		}
	}
	if names != nil {
		return fmt.Errorf("%s ended with 0, but said that these are incomplete: %s", s.source.name(), strings.Join(names, ", "))
	}
	return nil
}

// judge says of each stream whether it is complete, given how the run ended. Where it failed, what the source said of single streams counts.
func (s *session) judge(failure error) {
	for _, one := range s.streams {
		one.complete = failure == nil || one.status == "COMPLETE"
	}
}

// forget forgets the states of streams that were read whole to their end: the next run reads them anew.
func (s *session) forget() {
	for _, one := range s.streams {
		if one.complete && one.mode == whole {
			s.memory.drop(one.name)
		}
	}
}

// stream returns the stream of a name, or nil.
func (s *session) stream(name string) *stream {
	for _, one := range s.streams {
		if one.name == name {
			return one
		}
	}
	return nil
}

// entry returns what is to be kept of a state.
func (s *session) entry(one *stream, m message) entry {
	e := entry{message: json.RawMessage(strings.Clone(m.body.Raw)), note: note{Source: s.source.name(), Destination: s.target.name()}}
	if one != nil {
		e.stream, e.Mode, e.Generation = one.name, one.mode, one.generation
	}
	return e
}
