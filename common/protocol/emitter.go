package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

// ErrClosed is wrapped by every error that an Emitter returns once its output is gone, because a write failed or Close was called.
var ErrClosed = errors.New("the output is closed")

const (
	bufferSize   = 64 << 10
	flushAfter   = time.Second
	messageLimit = 50_000 // characters of an error's message and internal message that the platform keeps (FailureHelper.kt)
	stackLimit   = 100_000
)

// Emitter writes messages, always as whole lines. It has one lock and one buffer of 64 KiB, so messages leave in the order in which they are emitted,
// and a state never overtakes its records. Records wait in the buffer until it is full, until any other message is emitted, or for a second. Records
// larger than the buffer are written directly. A [Records] for each stream collects its records first.
//
// A failed write is final. Every later call returns the same error, in which errors.Is finds [ErrClosed], and [Emitter.Broken] signals it to everyone
// else at once. A caller's mistake, such as a record of a stream that is not configured, is a [fault.System] error of that call only.
//
// Text is redacted before it is encoded: logs, failures, the message of a connection status. Records, states, catalogs, specifications and controls
// are not redacted.
//
// Emitter is safe for concurrent use. The zero value is not usable; use [NewEmitter].
type Emitter struct {
	mu       sync.Mutex
	w        io.Writer
	buf      []byte
	timer    *time.Timer // flushes a buffer that is no longer filled; nil until the first record
	err      error       // the final error
	broken   chan struct{}
	redactor *redact.Redactor

	configured bool
	streams    map[Descriptor]*stream
	last       *stream // the stream used last; nil at first
	order      []*stream
	failures   map[failureKey]bool
}

// stream is what an Emitter knows about a stream.
type stream struct {
	StreamStats
	since int64  // records since the last state
	state []byte // the last state sent; nil before the first
	reset int64  // the last quota_reset sent
}

// failureKey identifies failures that count as the same one.
type failureKey struct {
	kind           fault.Kind
	message, stack string
}

// NewEmitter returns an Emitter that writes to w. Every write is a sequence of whole lines.
func NewEmitter(w io.Writer) *Emitter {
	return &Emitter{
		w:        w,
		buf:      make([]byte, 0, bufferSize),
		broken:   make(chan struct{}),
		streams:  map[Descriptor]*stream{},
		failures: map[failureKey]bool{},
	}
}

// Redact makes the Emitter remove the secrets of r from all later text.
func (e *Emitter) Redact(r *redact.Redactor) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.redactor = r
}

// Configure restricts later messages to the streams of cat. A record, state, status or estimate of another stream is a system error, because it would
// make the platform fail the sync. Before Configure is called, every stream is accepted.
func (e *Emitter) Configure(cat *ConfiguredCatalog) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range cat.Streams {
		e.add(s.Descriptor())
	}
	e.configured = true
}

// Broken returns a channel that is closed when a write fails. Close does not close it.
func (e *Emitter) Broken() <-chan struct{} { return e.broken }

// Record emits one record at once. It combines [Records.Add] and [Records.Flush], for streams with few records.
func (e *Emitter) Record(d Descriptor, r record.Record, nulled ...string) error {
	one := e.Records(d)
	if err := one.Add(append(one.Next(), r...), nulled...); err != nil {
		return err
	}
	return one.Flush()
}

// records emits what r has collected.
func (e *Emitter) records(r *Records) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, err := e.open(r.desc, "a record")
	if err != nil {
		return err
	}
	if s.Status != Running || s.Limited {
		if err := e.run(s); err != nil {
			return err
		}
	}
	if err := e.put(r.lines); err != nil {
		return err
	}
	s.Records += r.count
	s.since += r.count
	s.Bytes += r.size
	return nil
}

// Checkpoint emits the state of a stream, compacted but otherwise unchanged, with the number of records since its previous state. If the state equals
// the previous one and there were no records in between, it is not sent. If there were records, it is a system error, because the platform cannot
// tell such states apart and stops its accounting.
func (e *Emitter) Checkpoint(d Descriptor, state json.RawMessage) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, err := e.open(d, "a state")
	if err != nil {
		return err
	}
	blob, err := compact(state)
	if err != nil {
		return &fault.Error{Kind: fault.System, Message: fmt.Sprintf("The connector made a broken state of the stream %q.", d.Name), Err: err}
	}
	if bytes.Equal(blob, s.state) {
		if s.since == 0 {
			return nil
		}
		return fault.Systemf("The connector made the same state of the stream %q twice with records in between.", d.Name)
	}
	type streamState struct {
		Descriptor Descriptor      `json:"stream_descriptor"`
		Blob       json.RawMessage `json:"stream_state"`
	}
	type stateMessage struct {
		Type        StateType   `json:"type"`
		Stream      streamState `json:"stream"`
		SourceStats StateStats  `json:"sourceStats"`
	}
	if err := e.send(struct {
		Type  Type         `json:"type"`
		State stateMessage `json:"state"`
	}{TypeState, stateMessage{StateStream, streamState{d, blob}, StateStats{RecordCount: Count(s.since)}}}); err != nil {
		return err
	}
	s.state, s.since = blob, 0
	return nil
}

// Status emits a change of a stream's status. It first emits the statuses that the protocol requires before it: STARTED, then RUNNING. A status that
// the stream already has is not sent again. A stream that has ended cannot go on: another end, RUNNING, a record or a state after it is a system
// error.
func (e *Emitter) Status(d Descriptor, status Status) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, err := e.stream(d, "a status")
	if err != nil {
		return err
	}
	if status == s.Status && !s.Limited || status == Started && s.Status != "" {
		return nil
	}
	if s.ended() {
		return fault.Systemf("The connector made the stream %q %s after it was %s.", d.Name, status, s.Status)
	}
	switch status {
	case Started:
		return e.start(s)
	case Running:
		return e.run(s)
	case Complete, Incomplete:
		if s.Status != Running {
			if err := e.run(s); err != nil {
				return err
			}
		}
		return e.status(s, status)
	}
	return fault.Systemf("The connector made a status of the stream %q that does not exist.", d.Name)
}

// RateLimited says that a stream waits for a quota until reset. The time is sent in milliseconds; a zero time is unknown. The same reset is not sent
// twice for a stream, and nothing is sent for a stream that has ended. The next record says that the stream is running again.
func (e *Emitter) RateLimited(d Descriptor, reset time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, err := e.stream(d, "a status")
	if err != nil || s.ended() {
		return err
	}
	reason, milli := Reason{Type: "RATE_LIMITED"}, int64(0)
	if !reset.IsZero() {
		milli = reset.UnixMilli()
		reason.RateLimited = &RateLimited{QuotaReset: Whole(milli)}
	}
	if milli == s.reset && (milli != 0 || s.Limited) {
		return nil
	}
	if err := e.start(s); err != nil {
		return err
	}
	if err := e.status(s, Running, reason); err != nil {
		return err
	}
	s.Limited, s.LimitedUntil, s.reset = true, reset, milli
	return nil
}

// Estimate emits the expected number of rows of a stream in this run. An estimate equal to the previous one is not sent.
func (e *Emitter) Estimate(d Descriptor, rows int64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, err := e.stream(d, "an estimate")
	if err != nil || s.Estimate == rows {
		return err
	}
	if err := e.trace(Trace{Type: TraceEstimate, Estimate: &Estimate{
		Name: d.Name, Namespace: d.Namespace, Type: "STREAM", RowEstimate: Whole(rows),
	}}); err != nil {
		return err
	}
	s.Estimate = rows
	return nil
}

// Control asks the platform to replace the stored configuration by config, which must be complete. config is not redacted.
func (e *Emitter) Control(config json.RawMessage) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.send(struct {
		Type    Type    `json:"type"`
		Control Control `json:"control"`
	}{TypeControl, Control{"CONNECTOR_CONFIG", nowMilli(), &ControlConfig{config}}})
}

// Failure emits what [fault.Of] says about err: its message for the user and, if it says more, the whole text of err for developers. d is the stream
// that failed, or nil. A failure is sent only once, for whatever stream, so that callers who receive a source's error do not repeat what it already
// sent. A nil err is not a failure.
func (e *Emitter) Failure(err error, d *Descriptor) error {
	if err == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	f := fault.Of(err)
	key := failureKey{f.Kind, f.Message, fault.StackOf(err)}
	if e.failures[key] {
		return e.err
	}
	trace := ErrorTrace{
		Message:          clip(e.redactor.String(f.Message), messageLimit),
		StackTrace:       clip(e.redactor.String(key.stack), stackLimit),
		FailureType:      f.Kind.String(),
		StreamDescriptor: d,
	}
	if text := err.Error(); text != f.Message {
		trace.InternalMessage = clip(e.redactor.String(text), messageLimit)
	}
	if err := e.trace(Trace{Type: TraceError, Error: &trace}); err != nil {
		return err
	}
	e.failures[key] = true
	return nil
}

// Log emits a line of the log.
func (e *Emitter) Log(level slog.Level, message string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.send(struct {
		Type Type `json:"type"`
		Log  Log  `json:"log"`
	}{TypeLog, Log{Level: levelName(level), Message: e.redactor.String(message)}})
}

// Spec emits a ConnectorSpecification.
func (e *Emitter) Spec(spec json.RawMessage) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.send(struct {
		Type Type            `json:"type"`
		Spec json.RawMessage `json:"spec"`
	}{TypeSpec, spec})
}

// Catalog emits the answer to discover.
func (e *Emitter) Catalog(c *Catalog) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.send(struct {
		Type    Type     `json:"type"`
		Catalog *Catalog `json:"catalog"`
	}{TypeCatalog, c})
}

// DestinationCatalog emits a destination's answer to discover.
func (e *Emitter) DestinationCatalog(c *DestinationCatalog) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.send(struct {
		Type    Type                `json:"type"`
		Catalog *DestinationCatalog `json:"destination_catalog"`
	}{TypeDestinationCatalog, c})
}

// Echo returns a state that a destination received, with stats as its destinationStats: a later sync may begin from it. Everything else in the state,
// including keys that are not part of the protocol, is unchanged byte for byte.
func (e *Emitter) Echo(s *State, stats StateStats) error {
	counts, err := json.Marshal(struct {
		Count    Count `json:"recordCount"`
		Rejected Count `json:"rejectedRecordCount"`
	}{stats.RecordCount, stats.RejectedRecordCount})
	if err != nil {
		return fmt.Errorf("counting for a state: %w", err)
	}
	shape := record.Compile(record.Put{Field: "destinationStats", Value: counts})
	line := shape.Append([]byte(`{"type":"STATE","state":`), record.Record(s.Raw))
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return e.err
	}
	return e.line(append(line, "}\n"...))
}

// ConnectionStatus emits the answer to check. If ok is false, message says what to fix. Otherwise it may be empty.
func (e *Emitter) ConnectionStatus(ok bool, message string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	status := ConnectionStatus{Status: "FAILED", Message: e.redactor.String(message)}
	if ok {
		status.Status = "SUCCEEDED"
	}
	return e.send(struct {
		Type   Type             `json:"type"`
		Status ConnectionStatus `json:"connectionStatus"`
	}{TypeConnectionStatus, status})
}

// Sent returns how many records of a stream were emitted, in total and since its last state.
func (e *Emitter) Sent(d Descriptor) (total, sinceState int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.streams[d]; s != nil {
		return s.Records, s.since
	}
	return 0, 0
}

// StreamStats is the progress of a stream.
type StreamStats struct {
	Descriptor   Descriptor
	Status       Status    // empty before the stream has started
	Records      int64     // emitted so far
	Bytes        int64     // of those records, as JSON
	Estimate     int64     // expected rows in this run; 0 is unknown
	Limited      bool      // the stream waits for a quota
	LimitedUntil time.Time // end of the wait; zero if unknown
}

// Stats returns the progress of every stream, in the order of the configured catalog.
func (e *Emitter) Stats() []StreamStats {
	e.mu.Lock()
	defer e.mu.Unlock()
	stats := make([]StreamStats, len(e.order))
	for i, s := range e.order {
		stats[i] = s.StreamStats
	}
	return stats
}

// Flush writes the buffer.
func (e *Emitter) Flush() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.flush()
}

// Close writes the buffer and ends the Emitter. It does not close the writer. A second Close does nothing.
func (e *Emitter) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == ErrClosed { //nolint:errorlint // only Close leaves the bare sentinel; a failed write wraps it
		return nil
	}
	if err := e.flush(); err != nil {
		return err
	}
	e.end(ErrClosed)
	return nil
}

// The following functions require the lock.

func (e *Emitter) add(d Descriptor) *stream {
	s := &stream{StreamStats: StreamStats{Descriptor: d}}
	e.streams[d] = s
	e.order = append(e.order, s)
	return s
}

// stream returns the stream d. what says what the caller wants to emit, for errors.
func (e *Emitter) stream(d Descriptor, what string) (*stream, error) {
	if e.err != nil {
		return nil, e.err
	}
	if e.last != nil && e.last.Descriptor == d {
		return e.last, nil
	}
	if e.last = e.streams[d]; e.last != nil {
		return e.last, nil
	}
	if e.configured {
		return nil, fault.Systemf("The connector made %s of the stream %q, which is not in the configured catalog.", what, d.Name)
	}
	return e.add(d), nil
}

// open returns the stream d, or an error if it has ended.
func (e *Emitter) open(d Descriptor, what string) (*stream, error) {
	s, err := e.stream(d, what)
	if err == nil && s.ended() {
		return nil, fault.Systemf("The connector made %s of the stream %q after it was %s.", what, d.Name, s.Status)
	}
	return s, err
}

func (s *stream) ended() bool { return s.Status == Complete || s.Status == Incomplete }

// start sends STARTED unless it has been sent.
func (e *Emitter) start(s *stream) error {
	if s.Status != "" {
		return nil
	}
	return e.status(s, Started)
}

// run sends RUNNING without a reason, preceded by STARTED unless that has been sent.
func (e *Emitter) run(s *stream) error {
	if err := e.start(s); err != nil {
		return err
	}
	return e.status(s, Running)
}

func (e *Emitter) status(s *stream, status Status, why ...Reason) error {
	if err := e.trace(Trace{Type: TraceStreamStatus, StreamStatus: &StreamStatus{s.Descriptor, status, why}}); err != nil {
		return err
	}
	s.Status, s.Limited, s.LimitedUntil = status, false, time.Time{}
	return nil
}

func (e *Emitter) trace(t Trace) error {
	t.EmittedAt = nowMilli()
	return e.send(struct {
		Type  Type  `json:"type"`
		Trace Trace `json:"trace"`
	}{TypeTrace, t})
}

// send writes a message after everything in the buffer.
func (e *Emitter) send(message any) error {
	if e.err != nil {
		return e.err
	}
	line, err := encode(message)
	if err != nil {
		return &fault.Error{Kind: fault.System, Message: "The connector made a message that is not JSON.", Err: err}
	}
	return e.line(line)
}

// line writes a line, which includes its line end, after everything in the buffer.
func (e *Emitter) line(line []byte) error {
	if err := e.put(line); err != nil {
		return err
	}
	return e.flush()
}

// put adds lines to the buffer.
func (e *Emitter) put(lines []byte) error {
	if len(e.buf)+len(lines) > bufferSize {
		if err := e.flush(); err != nil {
			return err
		}
	}
	if len(lines) > bufferSize {
		return e.write(lines)
	}
	if len(e.buf) == 0 {
		e.flushLater()
	}
	e.buf = append(e.buf, lines...)
	return nil
}

// flushLater schedules a flush of the buffer in flushAfter. An earlier flush does not cancel it, because an extra flush does no harm and the first
// line in an empty buffer resets the timer.
func (e *Emitter) flushLater() {
	if e.timer != nil {
		e.timer.Reset(flushAfter)
		return
	}
	e.timer = time.AfterFunc(flushAfter, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		_ = e.flush() // flush keeps the final error
	})
}

func (e *Emitter) flush() error {
	if e.err != nil {
		return e.err
	}
	if len(e.buf) == 0 {
		return nil
	}
	err := e.write(e.buf)
	e.buf = e.buf[:0]
	return err
}

func (e *Emitter) write(b []byte) error {
	if _, err := e.w.Write(b); err != nil {
		e.end(fmt.Errorf("%w: %w", ErrClosed, err))
		close(e.broken)
		return e.err
	}
	return nil
}

func (e *Emitter) end(err error) {
	e.err = err
	if e.timer != nil {
		e.timer.Stop()
	}
}

func nowMilli() float64 { return float64(time.Now().UnixMilli()) }

// encode returns v as one line of JSON, including its line end.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding a message: %w", err)
	}
	return b.Bytes(), nil
}

func compact(data []byte) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 0, len(data)))
	if err := json.Compact(b, data); err != nil {
		return nil, fmt.Errorf("compacting JSON: %w", err)
	}
	return b.Bytes(), nil
}

// clip shortens s to fewer than limit characters. It counts bytes, of which there are at least as many.
func clip(s string, limit int) string {
	if len(s) < limit {
		return s
	}
	const mark = "…"
	return strings.ToValidUTF8(s[:limit-len(mark)-1], "") + mark // drops a character cut in half
}
