package state

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// Doc is the state of one stream.
//
// As JSON it is what Airbyte's users know, the mark under the name of its cursor field, plus what is needed to go on from the middle:
//
//	{"last_updated_at":"2026-03-01T10:00:00-03:00"}
//	{"last_updated_at":null}                       read completely, and nothing had a time of change
//	{"last_updated_at":"…","removed":"17,20-25"}
//	{"last_updated_at":"…","cycle":{"start":"…","max":"…","slices":["deleted=false"],"done":"1-5000","records":5210}}
//	{"LastModifiedDate":"…","cycle":{"start":"…","place":{"of":"…","at":"…","rows":5210},"records":5210}}
//	{"__ab_no_cursor_state_message":true}          a stream without a cursor, read completely
//
// The zero value is a stream that was never read.
type Doc struct {
	Mark    time.Time // everything before it has been sent; zero: nothing has
	Removed *Set      // keys already sent as removed
	Parents *Set      // keys of the parents that Mark covers; nil: all
	Cycle   *Cycle    // set in the middle of a pass over the API, which may take several runs
}

// Cycle is how far one pass over the API has come.
type Cycle struct {
	Start   time.Time `json:"start"`            // when it began, on the API's clock: the mark after it will not be later
	Max     time.Time `json:"max,omitzero"`     // the latest time of change among what was sent or passed over
	Slices  []string  `json:"slices,omitempty"` // the slices that are done
	Done    *Set      `json:"done,omitempty"`   // the parents that are done
	Place   *Place    `json:"place,omitempty"`  // how far the slice that is being read has come; nil: it is not known
	Records int64     `json:"records"`          // sent so far; it makes two states of one cycle differ
}

// Place is a place in a listing before which everything was sent.
type Place struct {
	Of   string `json:"of"` // the fingerprint of what was asked: the place is one of no other listing
	At   string `json:"at"`
	Rows int64  `json:"rows"` // how many rows are before it
}

// noCursor is the document of a stream without a cursor that was read completely, as the Airbyte CDK writes it.
const noCursor = "__ab_no_cursor_state_message"

// complete is what the Airbyte CDK writes when a resumable full refresh is complete.
const complete = "__ab_full_refresh_sync_complete"

// Decode reads the document of stream. cursor is the name of its cursor field, or "" where it has none; layouts and zone read a mark that
// is not in RFC 3339. A document that has members and none that belongs here is another connector's: that, and a member that cannot be
// read, is a config error.
func Decode(stream string, doc json.RawMessage, cursor string, layouts []string, zone *time.Location) (Doc, error) {
	var d Doc
	if len(doc) == 0 {
		return d, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(doc, &members); err != nil {
		return d, unreadable(stream, "", err)
	}
	known := 0
	for name, raw := range members {
		var err error
		switch name {
		case noCursor, complete:
		case "removed":
			d.Removed = &Set{}
			err = json.Unmarshal(raw, d.Removed)
		case "parents":
			d.Parents = &Set{}
			err = json.Unmarshal(raw, d.Parents)
		case "cycle":
			d.Cycle = &Cycle{}
			err = json.Unmarshal(raw, d.Cycle)
		case cursor:
			d.Mark, err = mark(raw, layouts, zone)
		default:
			continue
		}
		if err != nil {
			return Doc{}, unreadable(stream, name, err)
		}
		known++
	}
	if known == 0 && len(members) > 0 {
		return Doc{}, fault.Configf("The state of stream %q was written by another connector or another version: it has none of the members "+
			"that belong there. Reset that stream's state.", stream)
	}
	return d, nil
}

func unreadable(stream, member string, cause error) error {
	which := "it is not an object"
	if member != "" {
		which = fmt.Sprintf("its member %q is not as this connector writes it", member)
	}
	return &fault.Error{
		Kind:    fault.Config,
		Message: fmt.Sprintf("The state of stream %q cannot be read: %s. Reset that stream's state.", stream, which),
		Err:     cause,
	}
}

func mark(raw json.RawMessage, layouts []string, zone *time.Location) (time.Time, error) {
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil {
		return time.Time{}, err
	}
	if text == nil || *text == "" {
		return time.Time{}, nil
	}
	t, ok := record.ParseTime(*text, layouts, zone)
	if !ok {
		return time.Time{}, fmt.Errorf("reading the mark: %q is not a time", *text)
	}
	return t, nil
}

// Encode writes the document, the same bytes for the same document. cursor is the name of the stream's cursor field, or "" where it has
// none; the mark is written in zone.
func (d Doc) Encode(cursor string, zone *time.Location) (json.RawMessage, error) {
	out := map[string]any{} // encoding/json sorts the members
	switch {
	case cursor == "" && d.Cycle == nil:
		out[noCursor] = true
	case !d.Mark.IsZero():
		out[cursor] = d.Mark.In(zone).Format(time.RFC3339Nano)
	case d.Cycle == nil:
		out[cursor] = nil // read completely, and there was nothing with a time
	}
	if d.Removed.Len() > 0 {
		out["removed"] = d.Removed
	}
	if d.Parents.Len() > 0 {
		out["parents"] = d.Parents
	}
	if d.Cycle != nil {
		c := *d.Cycle
		if c.Done.Len() == 0 {
			c.Done = nil
		}
		c.Slices = slices.Sorted(slices.Values(c.Slices))
		out["cycle"] = c
	}
	return json.Marshal(out)
}
