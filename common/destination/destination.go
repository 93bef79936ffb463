// Package destination is the engine for destinations that carry out operations by JSON over HTTP: a record is a call, not a row.
//
// A connector describes an API: its transport, its operations, and the fields that each takes. The engine owns what is the same for all of
// them: what is checked before anything is sent, which calls may go at the same time, that none goes twice by accident, what is counted,
// when a state may be given back, and the ending. A connector that needs code where a description should do is a hint that the engine has
// something to learn.
package destination

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/redact"
	"github.com/imob-data/airbyte-connectors/common/spec"
)

// API describes one API as one configuration sees it.
type API struct {
	httpclient.Options
	Settings

	// Outcome says what the answer to a call means: [Rejected] for a record that the API refused, [Unknown] where it does not tell whether
	// the operation ran, [Interrupted] where it failed for a reason that passes and may have left a part done, [httpclient.Undone] where it is
	// certain that nothing is left of it, any other failure for one that did not run and that stops the sync. No opinion is as in [httpclient.Judge].
	// An answer with a member twice says nothing, and is not asked about.
	Outcome    httpclient.Judge
	Check      httpclient.Request // tells whether the configuration works, and changes nothing
	Parallel   int                // calls in flight; 0 is 4
	Operations []Operation
	// Spellings are how the API writes the names of fields, "*" being the name: "snap_brok__*__c". A name that differs from a field's in no more
	// than this, case, accents and punctuation is not taken for the field, but it cannot be ignored either.
	Spellings []string
	// Told is the paths, in the answer to a call, of what the log says of each order that was carried out: ids, and how what they name stands
	// now. What is no text is left out.
	Told []string
}

// Settings are those that every destination has, for its config to embed. The specification gives their defaults and holds their values.
type Settings struct {
	OnRejected   string   `json:"on_rejected"`   // "continue", which "" is too, or "stop"
	IgnoreFields []string `json:"ignore_fields"` // names of members that no operation knows and that are left aside
	DryRun       bool     `json:"dry_run"`       // check everything, call nothing, give no state back
	Journal      string   `json:"journal_path"`  // "" is none
	InDoubt      string   `json:"in_doubt"`      // of calls in the journal without an outcome: "stop", which "" is too, "resend" or "skip"
	Receipts     string   `json:"receipts_path"` // "" is none
}

// Operation is what can be done with the records of a stream: one POST for each, which is never repeated unless it provably did not run.
type Operation struct {
	Name        string // the destination object, or the stream, that asks for it
	Description string
	Path        string
	Wrap        string // the member of the body that holds the fields
	Fields      []Field
	One         []string // names of fields of which exactly one is given
	Some        []string // names of fields of which at least one is given
	// Serial has all calls of the operation go one after the other. Otherwise those may be under way together that name different things by the
	// same fields, which are keys. Calls of two operations never are: what they name may belong together, as a contract does to a property.
	Serial bool
	// Look is where somebody can see whether a call was carried out, to go behind "Look".
	Look string
	// Gives is the member of the answer to a call that was carried out in which what was changed is given back. Where that has another key than the
	// call, the outcome is unknown. "": nothing is given back.
	Gives string
}

// Field is one field of a record and of the body.
type Field struct {
	Name, As    string // in a record either may be used; As is what the API calls it
	Description string
	Kind        Kind
	Required    bool
	Key         bool // it says what the call is about
	// Blank: it is sent as "" where the record does not have it, or has it as ""; otherwise it is left out. White space alone is wrong in such a
	// field, since "" may ask for more than the field would, and is nothing in the others.
	Blank bool
	// SameAsBlank says that two orders are the same of which one has the field as "" and the other does not have it: for a field that was Blank
	// in an earlier version of its connector, whose journals must know those orders again.
	SameAsBlank bool
}

// Rejected says that the API refused a record and that nothing was changed; message is its own words, which are told without personal data.
func Rejected(message string) httpclient.Verdict {
	return httpclient.Fail(&rejection{redact.Personal(message)})
}

// Unknown says that an answer does not tell whether the operation ran; why continues the sentence "it is not known, since ", and is told without
// personal data.
func Unknown(why string) httpclient.Verdict {
	return httpclient.Fail(&doubt{why: redact.Personal(why)})
}

// Interrupted says that the operation failed for a reason that passes by itself, such as a lock, and that nobody says whether what it had done
// before was undone: the sync ends, and the order goes out again with the next one. message is the API's own words, which are told without personal
// data.
func Interrupted(message string) httpclient.Verdict {
	return httpclient.Fail(&doubt{why: redact.Personal(message), passes: true})
}

type rejection struct{ message string }

func (r *rejection) Error() string { return r.message }

type doubt struct {
	why    string
	passes bool
}

func (d *doubt) Error() string { return d.why }

const (
	defaultParallel = 4
	checkBudget     = 25 * time.Second // of the request of a check, retries included: a check ends within 30 seconds
	checkSilence    = 6 * time.Second  // the same where the host does not answer at all
)

// Destination is a connector made from a description. It implements cli.Destination. Safe for concurrent use.
type Destination struct{ description spec.Description[API] }

// New makes a Destination from a connector's files (spec.json) and its description. describe is a pure function; C is the configuration,
// decoded from JSON after it was validated against the spec.
func New[C any](files fs.FS, describe func(C) API) *Destination {
	return &Destination{spec.Describe(files, describe)}
}

// Spec returns the connector's specification.
func (d *Destination) Spec() (json.RawMessage, error) { return d.description.JSON() }

// Check does the description's harmless request, when it has tried the files that a write keeps.
func (d *Destination) Check(ctx context.Context, config []byte) error {
	api, err := d.open(config)
	if err != nil {
		return err
	}
	if err := api.tryFiles(); err != nil {
		return err
	}
	api.MaxElapsed, api.Silence = checkBudget, checkSilence
	client, err := d.connect(ctx, &api, config)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Do(ctx, api.Check)
	return err
}

// tryFiles returns what would keep a write from having its files.
func (s *Settings) tryFiles() error {
	if s.Journal != "" && !s.DryRun {
		if err := journalAt(s.Journal).try(true); err != nil {
			return err
		}
	}
	if s.Receipts != "" && !s.DryRun {
		return receiptsAt(s.Receipts).try(false)
	}
	return nil
}

func journalAt(path string) kept  { return keep("journal", path, "journal_path") }
func receiptsAt(path string) kept { return keep("file of receipts", path, "receipts_path") }

// open returns what config makes of the description.
func (d *Destination) open(config []byte) (api API, err error) {
	if api, err = d.description.Open(config); err == nil {
		err = api.mend()
	}
	return api, err
}

// Discover returns an object for each operation.
func (d *Destination) Discover(_ context.Context, config []byte) (*protocol.DestinationCatalog, error) {
	api, err := d.open(config)
	if err != nil {
		return nil, err
	}
	catalog := &protocol.DestinationCatalog{}
	for _, o := range api.Operations {
		schema, err := o.schema()
		if err != nil {
			return nil, err
		}
		entry := protocol.DestinationOperation{ObjectName: o.Name, SyncMode: "update", JSONSchema: schema}
		for _, f := range o.Fields {
			if f.Key {
				entry.MatchingKeys = append(entry.MatchingKeys, []string{f.Name})
			}
		}
		catalog.Operations = append(catalog.Operations, entry)
	}
	return catalog, nil
}

// connect makes the client for api.
func (d *Destination) connect(ctx context.Context, api *API, config []byte) (*httpclient.Client, error) {
	redactor, err := d.description.Redactor(ctx, config)
	if err != nil {
		return nil, err
	}
	api.Redact = redactor
	api.Log = protocol.Logger(ctx)
	return httpclient.New(api.Options)
}

// modes returns the sync modes that the specification supports.
func (d *Destination) modes() ([]string, error) {
	document, err := d.description.JSON()
	if err != nil {
		return nil, err
	}
	var parts struct {
		Modes []string `json:"supported_destination_sync_modes"`
	}
	if err := json.Unmarshal(document, &parts); err != nil {
		return nil, fmt.Errorf("reading spec.json: %w", err)
	}
	return parts.Modes, nil
}

// routes returns what the records of each stream of cat ask for. What cannot be carried out is found here, before anything is sent.
func (d *Destination) routes(api *API, cat *protocol.ConfiguredCatalog) (map[protocol.Descriptor]*vocabulary, error) {
	modes, err := d.modes()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(api.Operations))
	for i, o := range api.Operations {
		names[i] = o.Name
	}
	routes := map[protocol.Descriptor]*vocabulary{}
	for _, s := range cat.Streams {
		name := s.DestinationObjectName
		if name == "" {
			name = s.Stream.Name
		}
		i := slices.Index(names, name)
		if i < 0 {
			return nil, fault.Configf("The stream %q is to be written to %q, which is no operation of this destination. Set its destination "+
				"object, or its name, to one of %s.", s.Stream.Name, name, strings.Join(names, ", "))
		}
		if s.DestinationSyncMode != "" && !slices.Contains(modes, s.DestinationSyncMode) {
			return nil, fault.Configf("The stream %q has the destination sync mode %q, which %s cannot do. Set it to %s.",
				s.Stream.Name, s.DestinationSyncMode, name, strings.Join(modes, " or "))
		}
		if s.MinimumGenerationID != nil && *s.MinimumGenerationID > 0 {
			return nil, fault.Configf("The stream %q is to be refreshed in place of what it brought before (its minimum_generation_id is %d), which %s "+
				"cannot do: orders cannot be undone, and all that the source has would be carried out again. Cancel the refresh, and sync without it; "+
				"whatever else wrote the catalog has to leave minimum_generation_id out, or make it 0.", s.Stream.Name, *s.MinimumGenerationID, name)
		}
		routes[s.Descriptor()] = api.names(&api.Operations[i])
	}
	return routes, nil
}
