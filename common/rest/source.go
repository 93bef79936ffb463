package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/replication"
	"github.com/imob-data/airbyte-connectors/common/spec"
	"github.com/imob-data/airbyte-connectors/common/state"
)

// Source is a connector made from a description. It implements cli.Source. Safe for concurrent use.
type Source struct{ description spec.Description[API] }

// defaultParallel is the number of requests in flight if a description does not set it.
const defaultParallel = 8

// New returns a Source for a connector's files (spec.json and streams/*.json) and its description. describe must be pure. C is the configuration,
// which is decoded from JSON after validation against the spec.
func New[C any](files fs.FS, describe func(C) API) *Source {
	return &Source{spec.Describe(files, describe)}
}

// Spec returns the connector's specification.
func (s *Source) Spec() (json.RawMessage, error) { return s.description.JSON() }

// Schemas returns the names of the streams that have a schema, sorted.
func (s *Source) Schemas() ([]string, error) {
	files, err := s.description.Files()
	if err != nil {
		return nil, err
	}
	return files.Streams(), nil
}

// The times that one request of a check may take, retries included. A check must end within 30 seconds, or within the certification's 7 if no host
// answers.
const (
	checkBudget  = 25 * time.Second
	checkSilence = 6 * time.Second
)

// Check asks for the first page of the stream that the description names, as a read would. If that stream is made from the rows of another, Check
// asks for the first page of the other.
func (s *Source) Check(ctx context.Context, config []byte) error {
	api, err := s.open(config)
	if err != nil {
		return err
	}
	api.MaxElapsed, api.Silence = checkBudget, checkSilence
	client, err := s.connect(ctx, &api, config)
	if err != nil {
		return err
	}
	defer signOff(ctx, client)
	return newRun(ctx, api, nil, client, 1).alive(ctx, nil)
}

// bytesInFlight is how much memory the answers that are not yet in use may take.
const bytesInFlight = 64 << 20

// Discover returns the catalog: every stream of the description, in its order, with its schema.
func (s *Source) Discover(_ context.Context, config []byte) (*protocol.Catalog, error) {
	api, err := s.open(config)
	if err != nil {
		return nil, err
	}
	files, err := s.description.Files()
	if err != nil {
		return nil, err
	}
	catalog := &protocol.Catalog{}
	for i := range api.Streams {
		stream := &api.Streams[i]
		if stream.Unlisted {
			continue
		}
		schema, ok := files.Schema(stream.Name)
		if !ok {
			return nil, fault.Systemf("stream %q has no schema", stream.Name)
		}
		var without []record.Edit
		for _, name := range stream.Without {
			without = append(without, record.Drop{Field: "properties." + name})
		}
		schema = record.Compile(without...).Append(nil, record.Record(schema))
		entry := protocol.Stream{Name: stream.Name, JSONSchema: schema, SupportedSyncModes: []protocol.SyncMode{protocol.FullRefresh}}
		for _, field := range stream.Key {
			entry.SourceDefinedPrimaryKey = append(entry.SourceDefinedPrimaryKey, []string{field})
		}
		if field := stream.cursor().name(); field != "" {
			entry.SupportedSyncModes = append(entry.SupportedSyncModes, protocol.Incremental)
			entry.SourceDefinedCursor, entry.DefaultCursorField, entry.IsResumable = true, []string{field}, true
		}
		catalog.Streams = append(catalog.Streams, entry)
	}
	return catalog, nil
}

// Read reads the streams of cat, each from its part of the state, and writes the messages to out. A stream that fails does not stop the others. Each
// failure is sent once the stream's family has been read, and Read returns the joined failures.
func (s *Source) Read(
	ctx context.Context, config []byte, cat *protocol.ConfiguredCatalog, given []byte, out *protocol.Emitter,
) error {
	api, err := s.open(config)
	if err != nil {
		return err
	}
	client, err := s.connect(ctx, &api, config)
	if err != nil {
		return err
	}
	schemas, err := s.description.Files()
	if err != nil {
		return err
	}
	input, err := state.Parse(given)
	if err != nil {
		return err
	}
	names := make([]string, len(api.Streams))
	for i, stream := range api.Streams {
		names[i] = stream.Name
	}
	if err := input.Foreign(names); err != nil {
		return err
	}
	defer signOff(ctx, client)
	r := newRun(ctx, api, schemas, client, cmp.Or(api.Parallel, defaultParallel))
	for _, warning := range api.Warn {
		r.reader.Log.Warn(warning)
	}
	r.future(cat)
	docs, err := r.states(cat, input)
	if err != nil {
		return err // a state that is not understood stops all streams before anything is sent
	}
	families, failures := r.families(cat, docs, out)
	sync := replication.Sync{Reader: r.reader, Out: out, Alive: r.alive}
	return errors.Join(failures, sync.Run(ctx, families))
}

// open returns the description for a configuration.
func (s *Source) open(config []byte) (API, error) {
	api, err := s.description.Open(config)
	if err != nil {
		return api, err
	}
	return api, api.mistake()
}

// connect returns the client for api, or the error with which api refuses the configuration.
func (s *Source) connect(ctx context.Context, api *API, config []byte) (*httpclient.Client, error) {
	if api.Refuse != nil {
		return nil, api.Refuse
	}
	redactor, err := s.description.Redactor(ctx, config)
	if err != nil {
		return nil, err
	}
	for _, stream := range api.Streams {
		for _, edit := range stream.Shape {
			if hide, ok := edit.(record.Hide); ok {
				redactor.Hide(hide.Names...) // an error may quote a row
			}
		}
	}
	api.Redact = redactor
	api.Log = protocol.Logger(ctx)
	return httpclient.New(api.Options)
}

// stream returns the description of the stream with that name, or nil.
func (a *API) stream(name string) *Stream {
	i := slices.IndexFunc(a.Streams, func(s Stream) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &a.Streams[i]
}

// mistake returns a system error if the description is wrong whatever the configuration is.
func (a *API) mistake() error {
	for i := range a.Streams {
		s := &a.Streams[i]
		_, held := s.Pages.(pagination.Held)
		_, single := s.Pages.(pagination.Single)
		switch origin := a.origin(s); {
		case a.stream(s.Name) != s:
			return fault.Systemf("the connector describes the stream %q twice", s.Name)
		case s.Cursor != nil && min(s.Cursor.Margin, s.Cursor.Lookback) < 0:
			return fault.Systemf("the stream %q would be read from after its mark", s.Name)
		case s.Parent != nil && s.Explode != nil:
			return fault.Systemf("the stream %q has both a Parent and an Explode", s.Name)
		case origin == nil:
			return fault.Systemf("the stream %q is made from %q, which the connector does not have", s.Name, s.of())
		case origin.Parent != nil || origin.Explode != nil || s.Explode != nil && a.stream(s.Explode.Of).Explode != nil:
			return fault.Systemf("the stream %q is made from %q, which has no listing of its own", s.Name, origin.Name)
		case s != origin && (len(s.sets()) > 0 || s.Removed != nil || s.Windows != nil):
			return fault.Systemf("the stream %q has sets of parameters, which only a listing of its own has", s.Name)
		case s.Repeats != "" && (!held && !single || len(s.Ways) > 0 || s.Explode != nil):
			return fault.Systemf("the stream %q counts rows of one key in a listing whose pages may bring a row twice", s.Name)
		case s.Repeats != "" && s.Windows != nil && s.Windows.Undated:
			return fault.Systemf("the stream %q counts rows of one key, and would count them again without days", s.Name)
		}
	}
	return nil
}

const (
	// signOffTime is how long ending the sessions may take. hurriedTime applies if the run was stopped and the process is about to end.
	signOffTime = 15 * time.Second
	hurriedTime = 800 * time.Millisecond
)

// signOff ends the sessions that a run opened, even after a failure or after ctx has ended. It warns if one cannot be ended.
func signOff(ctx context.Context, client *httpclient.Client) {
	hurried, patience := ctx.Err() != nil, signOffTime
	if hurried {
		patience = hurriedTime
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := client.SignOff(within, hurried); err != nil {
		protocol.Logger(ctx).Warn("A session could not be ended and stays open at the server until that ends it: " + err.Error())
	}
}
