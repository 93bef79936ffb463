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
// As JSON it is what Airbyte's users know, the mark under the name of its cursor field, plus what is needed to go on from the middle:
//
//	{"last_updated_at":"2026-03-01T10:00:00-03:00"}
//	{"last_updated_at":null}                       read completely, and nothing had a time of change
//	{"last_updated_at":"…","removed":"17,20-25"}
//	{"last_updated_at":"…","parents":""}           there were no parents
//	{"last_updated_at":"…","choice":"…"}           what was asked for was chosen
//	{"last_updated_at":"…","cycle":{"mode":"incremental","from":"…","start":"…","max":"…","done":"1-5000","records":5210}}
//	{"LastModifiedDate":null,"cycle":{"mode":"full_refresh","start":"…","place":{"of":"…","at":"…","rows":5210},"records":5210}}
//	{"__ab_no_cursor_state_message":true}          a stream without a cursor, read completely
//
// The zero value is a stream that was never read.
type Doc struct {
	Mark    time.Time // everything before it has been sent; zero: nothing has
	Removed *Set      // keys already sent as removed
	Parents *Set      // keys of the parents, or of the rows themselves, that Mark covers, which may be none; nil: all
	Choice  string    // what was asked for; "": all
	Cycle   *Cycle    // set in the middle of a pass over the API, which may take several runs
}

// Cycle is how far one pass over the API has come. What it says is true of a pass in the same sync mode that sends rows from the same moment
// on, and of no other: see Continues.
type Cycle struct {
	Mode      protocol.SyncMode `json:"mode,omitempty"`      // "" is what versions wrote that did not know which pass it was
	From      time.Time         `json:"from,omitzero"`       // rows before it are not sent; zero: all are
	StartDate time.Time         `json:"start_date,omitzero"` // rows before it are not sent even where their parent is new; zero: all are
	Start     time.Time         `json:"start"`               // when it began, on the API's clock: the mark after it will not be later
	Max       time.Time         `json:"max,omitzero"`        // the latest time of change among what was sent or passed over
	Late      time.Time         `json:"late,omitzero"`       // the mark after it will not be later: a row changed while it was read
	Slices    []string          `json:"slices,omitempty"`    // the slices that are done
	Done      *Set              `json:"done,omitempty"`      // the parents that are done
	Place     *Place            `json:"place,omitempty"`     // how far the slice that is being read has come; nil: it is not known
	Records   int64             `json:"records"`             // sent so far; it makes two states of one cycle differ
}

// Continues reports whether a pass in mode, which sends rows from from on, and those of new parents from startDate on, may go on from c. nil is
// continued by none.
func (c *Cycle) Continues(mode protocol.SyncMode, from, startDate time.Time) bool {
	return c != nil && c.Mode == mode && c.From.Equal(from) && c.StartDate.Equal(startDate)
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
// is not in RFC 3339. No bytes, and {}, are a stream that was never read. A config error is: what is no object, a member that cannot be
// read, a document of a stream with a cursor that does not say its mark (null says that there is none yet), and one of a stream without a
// cursor that has members and none that belongs here. What the version before wrote in the middle of a first pass, a cycle without a mark,
// is read.
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

// dots writes the name of a member as a path to it.
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

// Encode writes the document, the same bytes for the same document. cursor is the name of the stream's cursor field, or "" where it has
// none; the mark is written in zone, and the times of the cycle in UTC. A time beyond the year 9999 is an error.
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
		out["parents"] = d.Parents // also where there are none, which is not the same as all
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

// shown returns t in zone, or in UTC where the zone's offset at the time cannot be written: before there were time zones it had seconds.
func shown(t time.Time, zone *time.Location) time.Time {
	if _, offset := t.In(zone).Zone(); offset%60 != 0 {
		return t.UTC()
	}
	return t.In(zone)
}
