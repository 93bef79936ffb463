// Package destination is the engine for destinations that carry out operations by JSON over HTTP: a record is a call, not a row.
//
// A connector describes an API: its transport, its operations, and the fields that each takes. The engine does what is the same for all of them. It
// checks records before anything is sent, decides which calls may run at the same time, ensures that no call is sent twice by accident, counts,
// decides when a state may be given back, and ends the sync. If a connector needs code where a description should do, the engine probably lacks a
// feature.
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

	// Outcome judges the answer to a call:
	//   - [Rejected]: the API refused the record.
	//   - [Unknown]: the answer does not tell whether the operation ran.
	//   - [Interrupted]: the operation failed for a reason that passes by itself, and may have been carried out in part.
	//   - [httpclient.Undone]: it is certain that the operation has left nothing behind.
	//   - Any other failure: the operation did not run, and the sync stops.
	//
	// No opinion is as in [httpclient.Judge]. If an answer has a member twice, the outcome is unknown and Outcome is not called.
	Outcome    httpclient.Judge
	Check      httpclient.Request // a request that changes nothing and fails if the configuration does not work
	Parallel   int                // calls in flight; 0 is 4
	Operations []Operation
	// Spellings are the ways in which the API writes the names of fields, with "*" for the name: "snap_brok__*__c". A name that differs from a field's
	// only in this, in case, accents or punctuation is not taken for the field, but it cannot be ignored either.
	Spellings []string
	// Told is the paths, in the answer to a call, of what the log says about each order that was carried out: ids, and the current status of what they
	// name. Values that are not text are left out.
	Told []string
}

// Settings are the settings that every destination has, for its config to embed. The specification gives their defaults and restricts their values.
type Settings struct {
	OnRejected   string   `json:"on_rejected"`   // "continue" (also "") or "stop"
	IgnoreFields []string `json:"ignore_fields"` // names of members that no operation knows and that are to be ignored
	DryRun       bool     `json:"dry_run"`       // check everything, call nothing, give no state back
	Journal      string   `json:"journal_path"`  // "" is none
	InDoubt      string   `json:"in_doubt"`      // what to do about calls in the journal without an outcome: "stop" (also ""), "resend" or "skip"
	Receipts     string   `json:"receipts_path"` // "" is none
}

// Operation is what can be done with the records of a stream. Each record is one POST, which is only repeated if it provably did not run.
type Operation struct {
	Name        string // the destination object, or else the stream, that selects the operation
	Description string
	Path        string
	Wrap        string // the member of the body that holds the fields
	Fields      []Field
	One         []string // names of fields of which exactly one must be given
	Some        []string // names of fields of which at least one must be given
	// Serial makes all calls of the operation run one after the other. Otherwise calls may run at the same time if they have the same Key fields and
	// name different things with them. Calls of two operations never do: what they name may belong together, as a contract belongs to a property.
	Serial bool
	// Look is where the user can see whether a call was carried out. It continues a sentence that ends in "Look".
	Look string
	// Gives is the member of the answer in which the API gives back what a call changed. If that has another key than the call, the outcome is unknown.
	// "" means that the API gives nothing back.
	Gives string
}

// Field is one field of a record and of the body.
type Field struct {
	Name, As    string // a record may use either; As is what the API calls it
	Description string
	Kind        Kind
	Required    bool
	Key         bool // it says what the call is about
	// Blank sends the field as "" if the record lacks it or has it as "". Other fields are left out then. White space alone is an error in a Blank
	// field, because "" may ask for more than a value would. In other fields it counts as missing.
	Blank bool
	// SameAsBlank makes two orders the same if one has the field as "" and the other lacks it. It is for a field that was Blank in an earlier version of
	// its connector, whose journals must still recognise those orders.
	SameAsBlank bool
}

// Rejected says that the API refused a record and that nothing was changed. message is the API's own text; it is reported without personal data.
func Rejected(message string) httpclient.Verdict {
	return httpclient.Fail(&rejection{redact.Personal(message)})
}

// Unknown says that an answer does not tell whether the operation ran. why continues the sentence "POST HOST/PATH failed: "; it is reported without
// personal data.
func Unknown(why string) httpclient.Verdict {
	return httpclient.Fail(&doubt{why: redact.Personal(why)})
}

// Interrupted says that the operation failed for a reason that passes by itself, such as a lock, and that the API does not say whether what it had
// done by then was undone. The sync ends, and the next sync sends the order again. message is the API's own text; it is reported without personal
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
	checkBudget     = 25 * time.Second // for the request of a check, retries included, so that a check ends within 30 seconds
	checkSilence    = 6 * time.Second  // the same if the host does not answer at all
)

// Destination is a connector made from a description. It implements cli.Destination. Safe for concurrent use.
type Destination struct{ description spec.Description[API] }

// New makes a Destination from a connector's files (spec.json) and its description. describe must be a pure function. C is the configuration, decoded
// from JSON after it was validated against the spec.
func New[C any](files fs.FS, describe func(C) API) *Destination {
	return &Destination{spec.Describe(files, describe)}
}

// Spec returns the connector's specification.
func (d *Destination) Spec() (json.RawMessage, error) { return d.description.JSON() }

// Check tries the files that a write keeps, and then sends the description's harmless request.
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

// tryFiles returns an error if a write could not use its files.
func (s *Settings) tryFiles() error {
	if s.DryRun {
		return nil
	}
	if s.Journal != "" {
		if err := journalAt(s.Journal).try(true); err != nil {
			return err
		}
	}
	if s.Receipts == "" {
		return nil
	}
	return receiptsAt(s.Receipts).try(false)
}

func journalAt(path string) kept  { return keep("journal", path, "journal_path") }
func receiptsAt(path string) kept { return keep("file of receipts", path, "receipts_path") }

// open returns the description for config.
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

// routes returns the vocabulary for the records of each stream of cat. It fails, before anything is sent, if a stream cannot be written.
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
