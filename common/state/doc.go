package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// Doc is the state of one stream.
//
// As JSON it is what Airbyte's users know, the mark under the name of its cursor field, and what is needed to resume in the middle of a cycle:
//
//	{"last_updated_at":"2026-03-01T10:00:00-03:00"}
//	{"last_updated_at":null}                       read completely, and no row had a time of change
//	{"last_updated_at":"…","removed":"17,20-25"}
//	{"last_updated_at":"…","parents":""}           there were no parents
//	{"last_updated_at":"…","choice":"…"}           the configuration chose rows or fields
//	{"last_updated_at":"…","cycle":{"mode":"incremental","from":"…","start":"…","max":"…","done":"1-5000","records":5210}}
//	{"LastModifiedDate":null,"cycle":{"mode":"full_refresh","start":"…","place":{"of":"…","at":"…","rows":5210},"records":5210}}
//	{"__ab_no_cursor_state_message":true}          a stream without a cursor, read completely
//
// The zero value is the state of a stream that was never read.
type Doc struct {
	Mark    time.Time // everything before it has been sent; zero: nothing has
	Removed *Set      // keys already sent as removed
	Parents *Set      // keys that Mark covers, of parents or of the rows themselves; it may be empty; nil: Mark covers all
	Choice  string    // which rows or fields were asked for; "": all
	Cycle   *Cycle    // set in the middle of a pass over the API, which may take several runs
}

// Cycle is the progress of one pass over the API. It only applies to a pass in the same sync mode that sends rows from the same time: see Continues.
type Cycle struct {
	Mode      protocol.SyncMode `json:"mode,omitempty"`      // "" was written by versions that did not record the mode
	From      time.Time         `json:"from,omitzero"`       // earlier rows are not sent; zero: all are
	StartDate time.Time         `json:"start_date,omitzero"` // earlier rows are not sent even if their parent is new; zero: all are
	Start     time.Time         `json:"start"`               // when the pass began, on the API's clock: the next mark will not be later
	Max       time.Time         `json:"max,omitzero"`        // the latest time of change among the rows sent or skipped
	Late      time.Time         `json:"late,omitzero"`       // the next mark will not be later, because a row changed while it was read
	Slices    []string          `json:"slices,omitempty"`    // the slices that are done
	Done      *Set              `json:"done,omitempty"`      // the parents that are done
	Place     *Place            `json:"place,omitempty"`     // progress in the current slice; nil: unknown
	Records   int64             `json:"records"`             // number sent so far, which makes two states of one cycle differ
}

// Continues reports whether c can be resumed by a pass in mode that sends rows from the time from, and rows of new parents from startDate. A nil c
// cannot be resumed.
func (c *Cycle) Continues(mode protocol.SyncMode, from, startDate time.Time) bool {
	return c != nil && c.Mode == mode && c.From.Equal(from) && c.StartDate.Equal(startDate)
}

// Place is a place in a listing before which everything was sent.
type Place struct {
	Of   string `json:"of"` // the fingerprint of the request: the place is valid in no other listing
	At   string `json:"at"`
	Rows int64  `json:"rows"` // number of rows before it
}

// noCursor is the document of a stream without a cursor that was read completely, as the Airbyte CDK writes it.
const noCursor = "__ab_no_cursor_state_message"

// complete is what the Airbyte CDK writes when a resumable full refresh is complete.
const complete = "__ab_full_refresh_sync_complete"

// Decode reads the document of stream. cursor is the name of its cursor field, or "" if it has none. layouts and zone read a mark that is not in RFC
// 3339. No bytes, and {}, mean a stream that was never read. Decode returns a config error if doc is not an object, if a member cannot be read, if
// the stream has a cursor and its mark is missing (null means that there is none yet), or if it has no cursor and doc has only foreign members. A
// cycle without a mark, which the previous version wrote in the middle of a first pass, is accepted.
func Decode(stream string, doc json.RawMessage, cursor string, layouts []string, zone *time.Location) (Doc, error) {
	var d Doc
	if doc = bytes.TrimSpace(doc); len(doc) == 0 {
		return d, nil
	}
	if doc[0] != '{' || !json.Valid(doc) {
		return d, unreadable(stream, "", nil)
	}
	members := record.Record(doc)
	known := members.Get(noCursor).Exists() || members.Get(complete).Exists()
	for _, member := range []struct {
		name string
		into any
	}{{"removed", &d.Removed}, {"parents", &d.Parents}, {"choice", &d.Choice}, {"cycle", &d.Cycle}} {
		value := members.Get(member.name)
		if !value.Exists() {
			continue
		}
		if err := json.Unmarshal(value.Raw(), member.into); err != nil {
			return Doc{}, unreadable(stream, member.name, err)
		}
		known = true
	}
	empty := len(bytes.TrimSpace(doc[1:len(doc)-1])) == 0
	if cursor == "" {
		if !known && !empty {
			return Doc{}, foreign(stream, "it has none of the members that belong there")
		}
		return d, nil
	}
	value := members.Get(dots.Replace(cursor))
	if !value.Exists() {
		if older := d.Cycle != nil && d.Cycle.Mode == "" && !d.Cycle.Start.IsZero(); !older && !empty {
			return Doc{}, foreign(stream, fmt.Sprintf("it has no member %q", cursor))
		}
		return d, nil
	}
	var err error
	if d.Mark, err = mark(value.Raw(), layouts, zone); err != nil {
		return Doc{}, unreadable(stream, cursor, err)
	}
	return d, nil
}

// dots turns a member's name into its path.
var dots = strings.NewReplacer(`\`, `\\`, `.`, `\.`)

func foreign(stream, why string) error {
	return fault.Configf("The state of stream %q was written by another connector or another version: %s. Reset that stream's state.", stream, why)
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

// Encode writes the document. The same document always gives the same bytes. cursor is the name of the stream's cursor field, or "" if it has none.
// The mark is written in zone, and the times of the cycle in UTC. A time after the year 9999 is an error.
func (d Doc) Encode(cursor string, zone *time.Location) (json.RawMessage, error) {
	out := map[string]any{} // encoding/json sorts the members
	switch {
	case cursor == "" && d.Cycle == nil:
		out[noCursor] = true
	case cursor == "":
	case d.Mark.IsZero():
		out[cursor] = nil
	default:
		out[cursor] = shown(d.Mark, zone)
	}
	if d.Removed.Len() > 0 {
		out["removed"] = d.Removed
	}
	if d.Parents != nil {
		out["parents"] = d.Parents // also if it is empty, which differs from nil
	}
	if d.Choice != "" {
		out["choice"] = d.Choice
	}
	if d.Cycle != nil {
		c := *d.Cycle
		if c.Done.Len() == 0 {
			c.Done = nil
		}
		c.Slices = slices.Sorted(slices.Values(c.Slices))
		for _, t := range []*time.Time{&c.From, &c.StartDate, &c.Start, &c.Max, &c.Late} {
			*t = t.UTC()
		}
		out["cycle"] = c
	}
	return json.Marshal(out)
}

// shown returns t in zone, or in UTC if the zone's offset at that time cannot be written. Before there were time zones, offsets had seconds.
func shown(t time.Time, zone *time.Location) time.Time {
	if _, offset := t.In(zone).Zone(); offset%60 != 0 {
		return t.UTC()
	}
	return t.In(zone)
}
