package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// The files of the folder besides the records.
const (
	stateFile   = "state.json"
	catalogFile = "catalog.json"
	hidden      = ".run" // the lock, and what is handed to connectors
)

// How a stream is read.
const (
	incremental = "incremental"
	whole       = "full_refresh"
)

// memory is what state.json holds: the states that the next run goes on from. Each is a state message as a connector made it, with one member more,
// "run", which says what else a run needs to know.
type memory struct {
	disk    disk
	path    string
	entries []entry
}

// entry is one state.
type entry struct {
	stream  string // as it is called; "" for a state of all streams
	message json.RawMessage
	note
}

// note is the member "run" of a state in state.json. A state that was put there by hand has none.
type note struct {
	Source      string  `json:"source,omitempty"`
	Destination string  `json:"destination,omitempty"`
	Mode        string  `json:"mode,omitempty"` // how the stream was read
	Generation  int64   `json:"generation,omitempty"`
	Files       []place `json:"files,omitempty"` // where the records before the state are
}

// place is the end of a file at a moment.
type place struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// remember reads state.json in a folder.
func remember(d disk, folder string) (*memory, error) {
	m := &memory{disk: d, path: filepath.Join(folder, stateFile)}
	data, err := d.read(m.path)
	if err != nil {
		return nil, fmt.Errorf("reading the states: %w", err)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return m, nil
	}
	var messages []json.RawMessage
	if err := json.Unmarshal(data, &messages); err != nil {
		return nil, fmt.Errorf("reading the states: %s is no list of state messages; without the file, all is read anew", m.path)
	}
	for _, text := range messages {
		e := entry{stream: described(gjson.GetBytes(text, "stream.stream_descriptor"))}
		if run := gjson.GetBytes(text, "run"); run.Exists() {
			var members map[string]json.RawMessage
			err = errors.Join(json.Unmarshal([]byte(run.Raw), &e.note), json.Unmarshal(text, &members))
			delete(members, "run")
			if text, err = marshal(members, err); err != nil {
				return nil, fmt.Errorf("reading the states: %w", err)
			}
		}
		e.message = text
		m.put(e)
	}
	return m, nil
}

// marshal returns a value as JSON, unless there is an error already.
func marshal(value any, err error) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err = errors.Join(err, encoder.Encode(value)); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(text.Bytes()), nil
}

// belongs returns an error where the states are of another source, or say that records are where this run would not put them.
func (m *memory) belongs(source, destination string) error {
	for _, e := range m.entries {
		if e.Source != "" && e.Source != source {
			return fmt.Errorf("%s holds states of %s; use another folder for %s", m.path, e.Source, source)
		}
		if e.Source != "" && e.Destination != destination {
			where := map[bool]string{true: "files", false: e.Destination}[e.Destination == ""]
			return fmt.Errorf("%s holds states of records that went into %s; use another folder for another destination", m.path, where)
		}
	}
	return nil
}

// get returns the state of a stream, or else the one of all streams.
func (m *memory) get(stream string) (entry, bool) {
	for _, name := range []string{stream, ""} {
		if i := slices.IndexFunc(m.entries, func(e entry) bool { return e.stream == name }); i >= 0 {
			return m.entries[i], true
		}
	}
	return entry{}, false
}

// put takes a state in the place of the one before it.
func (m *memory) put(e entry) {
	if i := slices.IndexFunc(m.entries, func(old entry) bool { return old.stream == e.stream }); i >= 0 {
		m.entries[i] = e
		return
	}
	m.entries = append(m.entries, e)
}

// drop forgets the state of a stream.
func (m *memory) drop(stream string) {
	m.entries = slices.DeleteFunc(m.entries, func(e entry) bool { return e.stream == stream })
}

// renamed notes that a file has another name.
func (m *memory) renamed(from, to string) {
	for _, e := range m.entries {
		for i := range e.Files {
			if e.Files[i].Name == from {
				e.Files[i].Name = to
			}
		}
	}
}

// given returns what the states of the entries are when they are handed to a connector; nil where there is none.
func given(entries []entry) []byte {
	if len(entries) == 0 {
		return nil
	}
	var messages []string
	for _, e := range entries {
		messages = append(messages, string(e.message))
	}
	return []byte("[" + strings.Join(messages, ",\n") + "]\n")
}

// write replaces state.json.
func (m *memory) write() error {
	var lines []string
	for _, e := range m.entries {
		text, err := marshal(e.note, nil)
		if err != nil {
			return fmt.Errorf("writing the states: %w", err)
		}
		line := string(bytes.TrimSuffix(bytes.TrimSpace(e.message), []byte("}")))
		if string(text) != "{}" {
			line += `,"run":` + string(text)
		}
		lines = append(lines, line+"}")
	}
	if err := m.disk.replace(m.path, []byte("[\n"+strings.Join(lines, ",\n")+"\n]\n")); err != nil {
		return fmt.Errorf("writing the states: %w", err)
	}
	return nil
}

// checkpoints are states that came and wait to be kept.
type checkpoints struct {
	memory  *memory
	pending map[string]entry
	held    map[string]entry // by stream, of those that are read whole
	every   time.Duration
	last    time.Time
}

// checkpoints makes an empty one.
func (s *session) checkpoints() *checkpoints {
	return &checkpoints{memory: s.memory, every: s.every, pending: map[string]entry{}, held: map[string]entry{}, last: time.Now()}
}

// add takes a state. Of a stream that is read whole, the one before it is kept when it came: the last one may say that the reading is over, and
// then there is nothing to go on with.
func (c *checkpoints) add(e entry) {
	if e.Mode == whole {
		before, ok := c.held[e.stream]
		c.held[e.stream] = e
		if !ok {
			return
		}
		e = before
	}
	c.pending[e.stream] = e
}

// due tells whether it is time to keep what waits.
func (c *checkpoints) due() bool { return len(c.pending) > 0 && time.Since(c.last) >= c.every }

// keep keeps what waits, once durable, which makes what is before them safe, succeeded.
func (c *checkpoints) keep(durable func([]entry) error) error {
	if len(c.pending) == 0 {
		return nil
	}
	var all []entry
	for _, e := range c.pending {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.stream, b.stream) })
	if err := durable(all); err != nil {
		return err
	}
	for _, e := range all {
		c.memory.put(e)
	}
	clear(c.pending)
	c.last = time.Now()
	return c.memory.write()
}
