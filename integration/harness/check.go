package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/tidwall/gjson"
)

// Which records of a stream the library checks against the JSON Schemas: the first ones, and then one in so many. All records are checked against
// what the schema says about types and formats, see form.
const (
	sampleFirst = 20
	sampleEvery = 1000
)

// collector turns lines into a Result and reports violations of the rules.
type collector struct {
	result  *Result
	options Options
	secrets *searcher
	schema  *jsonschema.Schema
	streams map[string]*progress

	fields  []member        // of the current record
	swapped []byte          // the line that is checked against the protocol's schema, as conforms builds it
	fit     map[string]bool // the lines that fit and have some parts replaced; many lines are equal then
}

// progress is what is known about one configured stream while the connector runs.
type progress struct {
	compiled // the requirements for the records; every record is checked against the form

	stream Stream
	called string
	keys   [][]string
	cursor []string

	nulled     map[string]int // by column: how many values did not fit it
	rows       int
	sinceState int
	states     int
	blobs      map[string]bool // hashes of the previous states
	statuses   []string
}

func newCollector(r Runner, c Command, o Options, schema *jsonschema.Schema) *collector {
	col := &collector{
		result:  &Result{Runner: r.String(), Command: c, Started: time.Now(), Estimate: map[string]int64{}},
		options: o, secrets: newSearcher(o), schema: schema, streams: map[string]*progress{}, fit: map[string]bool{},
	}
	var configured struct {
		Streams []configuredStream `json:"streams"`
	}
	if slices.Contains(c.Args, "{"+CatalogFile+"}") {
		_ = json.Unmarshal(c.Files[CatalogFile], &configured) // a catalog that is broken on purpose has no streams
	}
	for _, cs := range configured.Streams {
		p := &progress{stream: cs.Stream, called: called(cs.Stream.Namespace, cs.Stream.Name),
			keys: cs.Stream.SourceDefinedPrimaryKey, cursor: cs.CursorField, blobs: map[string]bool{}}
		if len(p.keys) == 0 {
			p.keys = cs.PrimaryKey
		}
		if len(p.cursor) == 0 {
			p.cursor = cs.Stream.DefaultCursorField
		}
		var err error
		p.compiled, err = o.Schemas.get(string(cs.Stream.JSONSchema), func() (compiled, error) { return recordSchema(cs.Stream) })
		if err != nil {
			col.result.problem(Types, nil, "the schema of %s cannot be read: %v", p.called, err)
		}
		col.streams[p.called] = p
	}
	return col
}

// line handles one line of stdout, with its newline unless it is cut.
func (c *collector) line(line []byte, cut bool, control *Control) {
	r := c.result
	r.Lines++
	if r.Spoke.IsZero() {
		r.Spoke = time.Now()
	}
	c.secrets.scan(line, "stdout", r)
	if cut {
		if len(control.killed) == 0 && len(control.unread) == 0 {
			r.problem(Purity, line, "the last line of stdout has no end")
		}
		r.Lines--
		return
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	if !gjson.ValidBytes(line) {
		r.problem(Purity, line, "a line of stdout is not JSON")
		return
	}
	if !utf8.Valid(line) {
		r.problem(Purity, line, "a line of stdout is not UTF-8")
	}
	m := Message{Line: line}
	var body []byte
	for key, value := range members(line) {
		switch string(key) {
		case "type":
			m.Type = text(value)
		case "record", "state", "log", "trace", "spec", "catalog", "connectionStatus", "control", "destination_catalog":
			body = value
		}
	}
	if m.Type == "RECORD" {
		c.record(&m, body)
	} else {
		c.validate(line, body)
		c.message(&m, body)
	}
	if c.options.Each != nil {
		c.options.Each(m, control)
	}
}

// record checks a record: what encloses its data, the data itself, and whether its stream's status allows it.
func (c *collector) record(m *Message, body []byte) {
	r := c.result
	if r.Command.writes() {
		r.problem(Echoes, m.Line, "a destination has no records")
		return
	}
	found := len(r.problems)
	var data, meta, emitted, namespace []byte
	for key, value := range members(body) {
		switch string(key) {
		case "stream":
			m.Stream = text(value)
		case "namespace":
			namespace = value
		case "data":
			data = value
		case "meta":
			meta = value
		case "emitted_at":
			emitted = value
		}
	}
	if !null(namespace) {
		m.Stream = called(text(namespace), m.Stream)
	}
	c.emitted(m, emitted)
	m.Data = data
	p := c.streams[m.Stream]
	if p == nil {
		r.problem(Foreign, m.Line, "a record of %q, which is not in the configured catalog", m.Stream)
		return
	}
	p.rows++
	p.sinceState++
	row := Row{Stream: p.called, Bytes: len(data)}
	complete := c.data(m, p, &row)
	c.changed(m, p, meta)
	if complete && found == len(r.problems) { // no problem with a rule of its own
		c.enveloped(m, data, emitted)
		if p.rows <= sampleFirst || p.rows%sampleEvery == 0 {
			if err := c.options.Schemas.fit(p.schema, data); err != nil {
				r.problem(Types, m.Line, "a record of %s is not what its schema says: %s", m.Stream, Mismatch(err))
			}
		}
	}
	if n := len(p.statuses); n == 0 || p.statuses[n-1] != "RUNNING" {
		r.problem(Statuses, m.Line, "a record of %s while its status was %v, not RUNNING", m.Stream, p.statuses)
	}
	r.Rows = append(r.Rows, row)
}

// emitted checks the time of a record against the clock.
func (c *collector) emitted(m *Message, value []byte) {
	var at int64
	if value != nil {
		var err error
		if at, err = strconv.ParseInt(string(value), 10, 64); err != nil {
			c.result.problem(Emitted, m.Line, "emitted_at is not an integer")
		}
	}
	if at < c.result.Started.Add(-time.Minute).UnixMilli() || at > now()+60_000 {
		c.result.problem(Emitted, m.Line, "emitted_at is not now")
	}
}

// data checks the data of a record, each member once, against the types and formats of its stream's schema, and sets the key and the mark of row. It
// reports whether the key is complete.
func (c *collector) data(m *Message, p *progress, row *Row) (complete bool) {
	r := c.result
	c.fields = c.fields[:0]
	rule, fault := p.form.mistyped(m.Data)
	for key, value := range members(m.Data) {
		c.fields = append(c.fields, member{key, value})
		field, known := p.form.field(key)
		if !known {
			r.problem(Fields, m.Line, "a record of %s has %q, which its schema does not have", m.Stream, key)
		}
		if fault == "" {
			if rule, fault = field.fault(value); fault != "" {
				fault = string(key) + ": " + fault
			}
		}
	}
	if len(c.fields) == 0 {
		r.problem(Data, m.Line, "a record of %s has no data", m.Stream)
	}
	switch row.Key, complete = c.key(m.Data, p.keys); {
	case complete:
	case c.options.Keyless:
		row.Key = hash(m.Data)
	default:
		r.problem(Keys, m.Line, "a record of %s has no primary key", m.Stream)
	}
	if len(p.cursor) > 0 {
		if value := c.field(p.cursor); !null(value) {
			row.Mark = text(value)
		}
	}
	if complete && fault != "" {
		r.problem(rule, m.Line, "a record of %s is not what its schema says: %s", m.Stream, fault)
	}
	return complete
}

// field returns the value at a path in the data of the current record, or nil.
func (c *collector) field(path []string) (found []byte) {
	for _, f := range c.fields {
		if string(f.key) == path[0] {
			found = f.value
		}
	}
	return lookup(found, path[1:]...)
}

// key returns the key of the current record: the values at the paths. complete reports whether none is missing.
func (c *collector) key(data []byte, paths [][]string) (key string, complete bool) {
	if len(paths) == 0 {
		return hash(data), true
	}
	complete = true
	var b bytes.Buffer
	for i, path := range paths {
		if i > 0 {
			b.WriteByte(',')
		}
		value := c.field(path)
		complete = complete && !null(value)
		b.WriteString(text(value))
	}
	return b.String(), complete
}

// changed checks the meta of a record against its data, and counts the columns that it says were made null.
func (c *collector) changed(m *Message, p *progress, meta []byte) {
	if err := c.changes(meta); err != nil {
		c.result.problem(Changes, m.Line, "a record of %s has %v", m.Stream, err)
	} else if err := c.kept(meta); err != nil {
		c.result.problem(House, m.Line, "a record of %s has %v", m.Stream, err)
	}
	if meta != nil {
		c.result.Nulled += p.changes(meta)
	}
}

// enveloped checks what encloses a record's data against the protocol's schema, once for all records for which it is the same. The data and the time,
// which are already checked, are replaced by valid ones.
func (c *collector) enveloped(m *Message, data, emitted []byte) {
	c.conforms(m.Line, swap{data, `{"":0}`}, swap{emitted, someTime})
}

// someTime is a time in milliseconds.
const someTime = "1700000000000"

// validate checks a message against the protocol's schema, once for all messages that only differ in their times.
func (c *collector) validate(line, body []byte) {
	emitted := lookup(body, "emitted_at")
	if len(emitted) != len(someTime) || emitted[0] == '0' || bytes.ContainsFunc(emitted, func(r rune) bool { return r < '0' || r > '9' }) {
		c.conforms(line) // the schema judges what it is instead
		return
	}
	c.conforms(line, swap{emitted, someTime})
}

// swap is a part of a line, and the text that replaces it.
type swap struct {
	part []byte
	with string
}

// conforms checks a line, with some of its parts replaced, against the protocol's schema.
func (c *collector) conforms(line []byte, swaps ...swap) {
	at := func(part []byte) int { return cap(line) - cap(part) } // both end where the buffer ends
	slices.SortFunc(swaps, func(a, b swap) int { return at(a.part) - at(b.part) })
	c.swapped = c.swapped[:0]
	done := 0
	for _, s := range swaps {
		c.swapped = append(append(c.swapped, line[done:at(s.part)]...), s.with...)
		done = at(s.part) + len(s.part)
	}
	c.swapped = append(c.swapped, line[done:]...)
	if c.fit[string(c.swapped)] {
		return
	}
	if err := c.options.Schemas.fit(c.schema, c.swapped); err != nil {
		c.result.problem(Purity, line, "a line is not a message of the protocol: %s", Mismatch(err))
		return
	}
	if len(swaps) > 0 {
		c.fit[string(c.swapped)] = true
	}
}

func (c *collector) message(m *Message, body []byte) {
	r := c.result
	decode := func(into any) {
		if err := json.Unmarshal(body, into); err != nil {
			r.problem(Purity, m.Line, "a %s cannot be read: %v", m.Type, err)
		}
	}
	switch m.Type {
	case "STATE":
		c.state(m, body)
	case "TRACE":
		c.trace(m, body, decode)
	case "LOG":
		var l Log
		decode(&l)
		r.Logs = append(r.Logs, l)
	case "SPEC":
		r.Specs = append(r.Specs, bytes.Clone(body))
	case "CATALOG":
		var cat Catalog
		decode(&cat)
		r.Catalogs = append(r.Catalogs, cat)
	case "DESTINATION_CATALOG":
		var cat struct {
			Operations []Operation `json:"operations"`
		}
		decode(&cat)
		r.Offers = append(r.Offers, cat.Operations...)
	case "CONNECTION_STATUS":
		var s ConnectionStatus
		decode(&s)
		r.Checks = append(r.Checks, s)
	case "CONTROL":
		r.Updated = append(r.Updated, bytes.Clone(lookup(body, "connectorConfig", "config")))
	default:
		r.problem(Purity, m.Line, "a message of the type %q, which a source has not", m.Type)
	}
}

func (c *collector) state(m *Message, body []byte) {
	r := c.result
	m.Stream = described(lookup(body, "stream", "stream_descriptor"))
	s := State{Stream: m.Stream, Message: bytes.Clone(body), Rows: len(r.Rows)}
	s.Blob = bytes.Clone(lookup(body, "stream", "stream_state"))
	if r.Command.writes() {
		c.echo(m, s)
		return
	}
	r.States = append(r.States, s)
	switch kind := text(lookup(body, "type")); kind {
	case "STREAM":
	case "GLOBAL":
		r.problem(House, m.Line, "a state of the type GLOBAL")
		c.global()
		return
	default:
		r.problem(States, m.Line, "a state whose type is not STREAM or GLOBAL")
	}
	p := c.streams[m.Stream]
	if p == nil {
		r.problem(Foreign, m.Line, "a state of %q, which is not in the configured catalog", m.Stream)
		return
	}
	count, err := strconv.ParseFloat(string(lookup(body, "sourceStats", "recordCount")), 64)
	r.States[len(r.States)-1].Count = count
	if err != nil || count != float64(p.sinceState) {
		r.problem(Counts, m.Line, "a state of %s counts %s records, but there were %d since the one before",
			m.Stream, lookup(body, "sourceStats", "recordCount"), p.sinceState)
	}
	if digest := hash(s.Blob); p.blobs[digest] {
		r.problem(Distinct, m.Line, "two equal states of %s", m.Stream)
	} else {
		p.blobs[digest] = true
	}
	p.states, p.sinceState = p.states+1, 0
	if n := len(p.statuses); n > 0 && (p.statuses[n-1] == "COMPLETE" || p.statuses[n-1] == "INCOMPLETE") {
		r.problem(Statuses, m.Line, "a state of %s after its status was %s", m.Stream, p.statuses[n-1])
	}
}

// global handles a GLOBAL state, which covers the records of all streams.
func (c *collector) global() {
	for _, p := range c.streams {
		p.states, p.sinceState = p.states+1, 0
	}
}

// echo handles a state that a destination gave back.
func (c *collector) echo(m *Message, s State) {
	rule := Counts
	if null(lookup(s.Message, "destinationStats")) {
		rule = House // not every destination counts
	}
	for name, into := range map[string]*float64{"recordCount": &s.Count, "rejectedRecordCount": &s.Refused} {
		value := lookup(s.Message, "destinationStats", name)
		var err error
		if *into, err = strconv.ParseFloat(string(value), 64); err != nil || !bytes.Contains(value, []byte(".")) {
			c.result.problem(rule, m.Line, "a state has the %s %q", name, value)
		}
	}
	if s.Refused > s.Count {
		c.result.problem(Counts, m.Line, "a state has more rejected records than records")
	}
	c.result.States = append(c.result.States, s)
}

func (c *collector) trace(m *Message, body []byte, decode func(any)) {
	r := c.result
	m.Trace = text(lookup(body, "type"))
	switch m.Trace {
	case "ERROR":
		var t struct {
			Error Failure `json:"error"`
		}
		decode(&t)
		m.Stream = t.Error.Stream.Name
		r.Failures = append(r.Failures, t.Error)
	case "ESTIMATE":
		var t struct {
			Estimate struct {
				Name      string `json:"name"`
				Namespace string `json:"namespace"`
				Rows      int64  `json:"row_estimate"`
			} `json:"estimate"`
		}
		decode(&t)
		m.Stream = called(t.Estimate.Namespace, t.Estimate.Name)
		r.Estimate[m.Stream] = t.Estimate.Rows
	case "STREAM_STATUS":
		var t struct {
			Status struct {
				Descriptor json.RawMessage `json:"stream_descriptor"`
				Status     string          `json:"status"`
				Reasons    []struct {
					Type        string `json:"type"`
					RateLimited struct {
						Reset int64 `json:"quota_reset"`
					} `json:"rate_limited"`
				} `json:"reasons"`
			} `json:"stream_status"`
		}
		decode(&t)
		m.Stream = described(t.Status.Descriptor)
		s := Status{Stream: m.Stream, Status: t.Status.Status, Rows: len(r.Rows)}
		for _, reason := range t.Status.Reasons {
			if reason.Type == "RATE_LIMITED" {
				s.RateLimited, s.QuotaReset = true, reason.RateLimited.Reset
			}
		}
		r.Statuses = append(r.Statuses, s)
		c.status(s)
	}
}

// status checks a status against those before it: STARTED, then RUNNING once or more, then COMPLETE or INCOMPLETE and nothing after that. A stream
// that fails before the first request may skip RUNNING.
func (c *collector) status(s Status) {
	p := c.streams[s.Stream]
	if p == nil {
		c.result.problem(Foreign, nil, "a status of %q, which is not in the configured catalog", s.Stream)
		return
	}
	before := "nothing"
	if n := len(p.statuses); n > 0 {
		before = p.statuses[n-1]
	}
	allowed := map[string][]string{
		"STARTED":    {"nothing"},
		"RUNNING":    {"STARTED", "RUNNING"},
		"COMPLETE":   {"RUNNING"},
		"INCOMPLETE": {"RUNNING", "STARTED"},
	}[s.Status]
	switch {
	case slices.Contains(allowed, before):
	case s.Status == "COMPLETE" && before == "STARTED" && p.rows == 0:
		c.result.problem(House, nil, "the status of %s became COMPLETE after STARTED", s.Stream)
	default:
		c.result.problem(Statuses, nil, "the status of %s became %s after %s", s.Stream, s.Status, before)
	}
	if s.Status == "COMPLETE" && (p.states == 0 || p.sinceState > 0) {
		c.result.problem(Statuses, nil, "%s is COMPLETE after %d states and %d records since the last", s.Stream, p.states, p.sinceState)
	}
	p.statuses = append(p.statuses, s.Status)
}

// finish reports what can only be known at the end.
func (c *collector) finish() {
	r := c.result
	if len(r.Stderr) > 0 {
		r.problem(Quiet, r.Stderr, "stderr is not empty")
	}
	c.secrets.scan(r.Stderr, "stderr", r)
	if r.Killed || r.Unread || r.Command.Text || r.Asked && r.Code == 128+int(syscall.SIGTERM) {
		return
	}
	if failed := len(r.Failures) > 0; failed != (r.Code != 0) {
		r.problem(Exits, nil, "the exit code is %d with %d TRACE ERRORs", r.Code, len(r.Failures))
	}
	for _, f := range r.Failures {
		if !slices.Contains([]string{"config_error", "transient_error", "system_error"}, f.Type) {
			r.problem(Exits, nil, "a TRACE ERROR has the failure_type %q", f.Type)
		}
	}
	answers := map[string]int{"spec": len(r.Specs), "discover": len(r.Catalogs) + min(len(r.Offers), 1), "check": len(r.Checks)}
	for verb, n := range answers {
		switch expected := len(r.Command.Args) > 0 && r.Command.Args[0] == verb && r.Code == 0; {
		case expected && n != 1:
			r.problem(Answers, nil, "%s answered %d times", verb, n)
		case !expected && n != 0:
			r.problem(Answers, nil, "an answer that only %s gives", verb)
		}
	}
	if r.Command.writes() {
		return // a destination reports nothing about streams
	}
	for name, p := range c.streams {
		for field, count := range p.nulled {
			often, warned, due := "(once)", 0, 0 // one for each namespace in which the stream has the same number of such values
			if count > 1 {
				often = fmt.Sprintf("(%d times)", count)
			}
			for _, l := range r.Logs {
				if l.Level == "WARN" && strings.HasPrefix(l.Message, p.stream.Name+": ") && strings.Contains(l.Message, `"`+field+`"`) &&
					strings.Contains(l.Message, "_unparsed") && strings.Contains(l.Message, often) {
					warned++
				}
			}
			for _, other := range c.streams {
				if other.stream.Name == p.stream.Name && other.nulled[field] == count {
					due++
				}
			}
			if warned != due {
				r.problem(House, nil, "%s has %d values in %q that did not fit, and %d WARNs of them", name, count, field, warned)
			}
		}
		if rule, err := p.end(r.Code); err != nil {
			r.problem(rule, nil, "%s: %v", name, err)
		}
	}
}

// changes counts the columns that a record's meta says were made null.
func (p *progress) changes(meta []byte) (n int) {
	if p.nulled == nil {
		p.nulled = map[string]int{}
	}
	for change := range elements(lookup(meta, "changes")) {
		p.nulled[text(lookup(change, "field"))]++
		n++
	}
	return n
}

// end returns what is wrong with how the stream ended in a run that ended by itself, and the rule that this violates.
func (p *progress) end(code int) (Rule, error) {
	last := ""
	if n := len(p.statuses); n > 0 {
		last = p.statuses[n-1]
	}
	switch {
	case code == 0 && last != "COMPLETE":
		return Statuses, fmt.Errorf("the exit code is 0, but the last status is %q", last)
	case last != "" && last != "COMPLETE" && last != "INCOMPLETE":
		return Statuses, fmt.Errorf("the run ended while the status was %s", last)
	case p.rows > 0 && p.sinceState > 0 && last != "INCOMPLETE":
		return Covered, fmt.Errorf("%d records have no state after them", p.sinceState)
	}
	return "", nil
}
