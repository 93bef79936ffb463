package judge

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// input is what a destination is given to write.
type input struct {
	catalog []byte
	lines   []inputLine
	api     *api // the input's own simulator; nil without one
}

// inputLine is a line of an input.
type inputLine struct {
	text   string
	stream string
	state  int          // a state's number, from 1; 0 for a record
	taken  *sim.Offered // the offered record, if a simulator offered it
}

// reader returns a reader of the whole input.
func (in input) reader() io.Reader {
	var b strings.Builder
	for _, line := range in.lines {
		b.WriteString(line.text)
	}
	return strings.NewReader(b.String())
}

// perState is how many records of a stream come before a state of it.
const perState = 3

// offers is how many records a check writes.
const offers = 24

// input makes an input with states between the records. The records are offered by a simulator, or come from the files that the options name or that
// are in testdata beside the configuration, or belong to a stream of the judge's own.
func (t *Trial) input() (in input, err error) {
	folder := filepath.Join(filepath.Dir(t.options.Config), "testdata")
	catalog := cmp.Or(t.options.WriteCatalog, filepath.Join(folder, "write_catalog.json"))
	messages := cmp.Or(t.options.WriteMessages, filepath.Join(folder, "write_messages.jsonl"))
	if t.api != nil {
		if in.api, err = t.simulate(max(t.options.SimulatorSize, 600)); err != nil {
			return in, err
		}
	}
	var records []inputLine
	taker, takes := sim.Simulator(nil), false
	if in.api != nil {
		taker = in.api.simulator
		_, takes = taker.(sim.Taker)
	}
	switch {
	case takes:
		for _, o := range taker.(sim.Taker).Offer(offers) { //nolint:forcetypeassert // it is asked just above
			records = append(records, inputLine{text: recordLine(o.Stream, o.Data), stream: o.Stream, taken: &o})
		}
	case exists(messages) && exists(catalog):
		if in.catalog, err = os.ReadFile(catalog); err != nil {
			return in, err
		}
		if records, err = recordsOf(messages); err != nil {
			return in, err
		}
	default:
		for i := range offers {
			records = append(records, inputLine{text: recordLine("judge", map[string]any{"id": i, "name": fmt.Sprint("row ", i)}), stream: "judge"})
		}
	}
	in.lines = withStates(records)
	if in.catalog == nil {
		in.catalog = destinationCatalog(records)
	}
	return in, nil
}

func recordsOf(file string) (all []inputLine, err error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(body) {
		var m struct {
			Type   string `json:"type"`
			Record struct {
				Stream string `json:"stream"`
			} `json:"record"`
		}
		if err := json.Unmarshal(line, &m); err != nil {
			return nil, fmt.Errorf("line %d of %s: %w", len(all)+1, file, err)
		}
		if m.Type == "RECORD" {
			all = append(all, inputLine{text: string(bytes.TrimSpace(line)) + "\n", stream: m.Record.Stream})
		}
	}
	return all, nil
}

// withStates inserts a state after some records of each stream, and one at the end of each.
func withStates(records []inputLine) (all []inputLine) {
	n := 0
	pending := map[string]int{}
	state := func(stream string) {
		n++
		all = append(all, inputLine{text: stateLine(stream, n, pending[stream]), stream: stream, state: n})
		pending[stream] = 0
	}
	for _, r := range records {
		all = append(all, r)
		if pending[r.stream]++; pending[r.stream] == perState {
			state(r.stream)
		}
	}
	for _, r := range records {
		if pending[r.stream] > 0 {
			state(r.stream)
		}
	}
	return all
}

func messageLine(message any) string {
	body, err := json.Marshal(message)
	if err != nil { // it only consists of texts and numbers
		panic(fmt.Sprintf("writing a message: %v", err))
	}
	return string(body) + "\n"
}

func recordLine(stream string, data any) string {
	return messageLine(map[string]any{"type": "RECORD", "record": map[string]any{"stream": stream, "data": data, "emitted_at": time.Now().UnixMilli()}})
}

func stateLine(stream string, number, records int) string {
	return messageLine(map[string]any{"type": "STATE", "state": map[string]any{
		"type": "STREAM", "id": number, "sourceStats": map[string]any{"recordCount": json.Number(fmt.Sprintf("%d.0", records))},
		"stream": map[string]any{"stream_descriptor": map[string]any{"name": stream}, "stream_state": map[string]any{"number": number}},
	}})
}

// destinationCatalog configures the streams of records, with the types of the fields of their first records.
func destinationCatalog(records []inputLine) []byte {
	streams := []any{}
	seen := map[string]bool{}
	for _, r := range records {
		if seen[r.stream] {
			continue
		}
		seen[r.stream] = true
		properties := map[string]any{}
		var m struct {
			Record struct {
				Data map[string]any `json:"data"`
			} `json:"record"`
		}
		if json.Unmarshal([]byte(r.text), &m) == nil {
			for name, value := range m.Record.Data {
				kind := "string"
				switch value.(type) {
				case float64:
					kind = "number"
				case bool:
					kind = "boolean"
				case map[string]any:
					kind = "object"
				}
				properties[name] = map[string]any{"type": []string{"null", kind}}
			}
		}
		streams = append(streams, map[string]any{
			"stream": map[string]any{
				"name": r.stream, "json_schema": map[string]any{"type": "object", "properties": properties}, "supported_sync_modes": []string{"full_refresh"},
			},
			"sync_mode": "full_refresh", "destination_sync_mode": "append", "generation_id": 1, "minimum_generation_id": 0, "sync_id": 1,
		})
	}
	return []byte(messageLine(map[string]any{"streams": streams}))
}

// write runs a destination on an input, or on stdin instead of the input's lines.
func (t *Trial) write(ctx context.Context, label string, in input, stdin io.Reader, o harness.Options) (*Run, error) {
	path, err := t.principal()
	if err != nil {
		return nil, err
	}
	config, err := t.configFor(in.api, path, true)
	if err != nil {
		return nil, err
	}
	if stdin == nil {
		stdin = in.reader()
	}
	return t.run(ctx, order{label: label, command: harness.Write(config, in.catalog, stdin), limit: 5 * time.Minute, options: o})
}

// written returns the write that must succeed, made once, and its input.
func (t *Trial) written(ctx context.Context) (input, *Run, error) {
	in, err := memo(t.Subject, "input", t.input)
	if err != nil {
		return in, nil, err
	}
	r, err := memo(t.Subject, "write", func() (*Run, error) { return t.write(ctx, "write", in, nil, harness.Options{}) })
	return in, r, err
}

// number returns the number of a state that came back, or 0 if it is not a state of the input.
func (in input) number(s harness.State) int {
	var state struct {
		Stream struct {
			State struct {
				Number int `json:"number"`
			} `json:"stream_state"`
		} `json:"stream"`
	}
	if json.Unmarshal(s.Message, &state) != nil {
		return 0
	}
	return state.Stream.State.Number
}

func writeStates(ctx context.Context, t *Trial) error {
	in, r, err := t.written(ctx)
	if err != nil {
		return err
	}
	if fault := r.complete(); fault != "" {
		t.fail("a write that ends with 0", fault, "")
		return nil
	}
	var sent []int
	of := map[int]string{}
	for _, line := range in.lines {
		if line.state > 0 {
			sent = append(sent, line.state)
			of[line.state] = line.stream
		}
	}
	last := map[string]int{}
	came := map[int]int{}
	for _, s := range r.States {
		n := in.number(s)
		came[n]++
		switch {
		case of[n] == "" || of[n] != s.Stream:
			t.fail("states that were sent, as they were", "another one", string(s.Message))
		case n < last[s.Stream]:
			t.fail("the states of a stream in their order", fmt.Sprintf("number %d after number %d", n, last[s.Stream]), string(s.Message))
		}
		last[s.Stream] = n
	}
	for _, n := range sent {
		if came[n] != 1 {
			t.failf("each state once", "number %d came back %d times", n, came[n])
		}
	}
	return nil
}

// covered returns what is wrong with a state that came back before the simulator had taken all of its stream's records before it, or "". Without a
// simulator it is "" too.
func (in input) covered(number int) string {
	if in.api == nil {
		return ""
	}
	taker, ok := in.api.simulator.(sim.Taker)
	if !ok {
		return ""
	}
	stream := ""
	for _, line := range in.lines {
		if line.state == number {
			stream = line.stream
		}
	}
	for _, line := range in.lines {
		if line.state == number {
			return ""
		}
		if line.stream == stream && line.taken != nil && taker.Took(*line.taken) == 0 {
			return fmt.Sprintf("state %d came back, and a record of %s before it was not written", number, stream)
		}
	}
	return ""
}

func writeStatesAfterRecords(ctx context.Context, t *Trial) error {
	in, err := t.input()
	if err != nil {
		return err
	}
	var mu sync.Mutex
	early := ""
	r, err := t.write(ctx, "write, its states watched", in, nil, harness.Options{Each: func(m harness.Message, _ *harness.Control) {
		if m.Type != "STATE" {
			return
		}
		var line struct {
			State json.RawMessage `json:"state"`
		}
		if json.Unmarshal(m.Line, &line) != nil {
			return
		}
		if fault := in.covered(in.number(harness.State{Message: line.State})); fault != "" {
			mu.Lock()
			early = cmp.Or(early, fault)
			mu.Unlock()
		}
	}})
	if err != nil {
		return err
	}
	if early != "" {
		t.fail("a state only after the records before it were taken", early, "")
	}
	if fault := r.complete(); fault != "" {
		t.fail("a write that ends with 0", fault, "")
	}
	// No state may come back if none was sent.
	records := in
	records.lines = slices.DeleteFunc(slices.Clone(in.lines), func(l inputLine) bool { return l.state > 0 })
	if in.api != nil {
		fresh, err := t.input()
		if err != nil {
			return err
		}
		records.api = fresh.api
	}
	r, err = t.write(ctx, "write of records without a state", records, nil, harness.Options{})
	if err == nil && len(r.States) > 0 {
		t.fail("no state where none was sent", fmt.Sprintf("%d states", len(r.States)), string(r.States[0].Message))
	}
	return err
}

// ends reports a write that neither ended well nor failed properly.
func (t *Trial) ends(r *Run) {
	if r.Late || r.Code != 0 && len(r.Failures) == 0 {
		t.fail("exit 0, or a TRACE ERROR and an exit code that is not 0", r.String(), "")
	}
}

func writeNothing(ctx context.Context, t *Trial) error {
	in, err := t.input()
	if err != nil {
		return err
	}
	r, err := t.write(ctx, "write of nothing", in, strings.NewReader(""), harness.Options{})
	if err != nil {
		return err
	}
	if fault := r.complete(); fault != "" || len(r.States) > 0 {
		t.fail("exit 0 and no states", r.String(), "")
	}
	return nil
}

func writeEmptyCatalog(ctx context.Context, t *Trial) error {
	in, err := t.input()
	if err != nil {
		return err
	}
	in.catalog = []byte(`{"streams":[]}`)
	r, err := t.write(ctx, "write with an empty catalog", in, strings.NewReader(""), harness.Options{})
	if err == nil {
		t.ends(r)
	}
	return err
}

func writeUnknownStream(ctx context.Context, t *Trial) error {
	in, err := t.input()
	if err != nil {
		return err
	}
	const unknown = "stream_that_is_not_configured"
	foreign := recordLine(unknown, map[string]any{"id": 1}) + stateLine(unknown, 999, 1)
	whole := io.MultiReader(in.reader(), strings.NewReader(foreign))
	r, err := t.write(ctx, "write of a record of a stream that is not configured", in, whole, harness.Options{})
	if err != nil {
		return err
	}
	if !r.gaveUp() {
		t.fail("a TRACE ERROR and an exit code that is not 0", r.String(), "")
	}
	for _, s := range r.States {
		if in.number(s) == 999 {
			t.fail("no state behind a record that was not written", "it came back", string(s.Message))
		}
	}
	return nil
}

// huge is the size of a record that a platform still passes on.
const huge = 20_000_000

func writeLarge(ctx context.Context, t *Trial) error {
	in, err := t.input()
	if err != nil {
		return err
	}
	if len(in.lines) == 0 {
		t.skip("there is nothing to write")
		return nil
	}
	stream := in.lines[0].stream
	large := io.MultiReader(
		strings.NewReader(`{"type":"RECORD","record":{"stream":`+short(stream)+`,"emitted_at":`+fmt.Sprint(time.Now().UnixMilli())+`,"data":{"padding":"`),
		io.LimitReader(padding{}, huge), strings.NewReader("\"}}}\n"+stateLine(stream, 999, 1)))
	r, err := t.write(ctx, "write of a record of 20 MB", in, large, harness.Options{})
	if err == nil {
		t.ends(r)
	}
	return err
}

// padding reads as an endless sequence of a letter.
type padding struct{}

func (padding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func writeBroken(ctx context.Context, t *Trial) error {
	in, err := t.input()
	if err != nil {
		return err
	}
	whole := io.MultiReader(strings.NewReader("this is no message\n"), in.reader())
	r, err := t.write(ctx, "write with a line that is none", in, whole, harness.Options{})
	if err != nil {
		return err
	}
	t.ends(r)
	for _, s := range r.States {
		if fault := in.covered(in.number(s)); fault != "" {
			t.fail("a state only after the records before it were taken", fault, string(s.Message))
		}
	}
	return nil
}

func writeWrongConfig(ctx context.Context, t *Trial) error {
	tried := false
	for _, test := range t.Config.Tests.Connection.Tests {
		if test.Status == "succeed" {
			continue
		}
		tried = true
		in, err := t.input()
		if err != nil {
			return err
		}
		config, err := t.configFor(in.api, test.ConfigPath, false)
		if err != nil {
			t.fail("a configuration in "+test.ConfigPath, err.Error(), "")
			continue
		}
		r, err := t.run(ctx, order{label: "write with " + test.ConfigPath, command: harness.Write(config, in.catalog, in.reader()), limit: 5 * time.Minute})
		if err != nil {
			return err
		}
		if !r.gaveUp() || len(r.States) > 0 {
			t.fail("a TRACE ERROR, an exit code that is not 0 and no state", r.String(), "")
		}
	}
	if !tried {
		t.skip("no test of connection has a configuration that does not work")
	}
	return nil
}

func writeTerminated(ctx context.Context, t *Trial) error {
	in, err := t.input()
	if err != nil {
		return err
	}
	open, fed := io.Pipe()
	defer open.Close()
	go func() { _, _ = io.Copy(fed, in.reader()) }() // it stays open: the source has not ended
	var stopped time.Time
	stop := func(c *harness.Control) {
		if stopped.IsZero() {
			stopped = time.Now()
			_ = c.Signal(syscall.SIGTERM) // it may have ended by itself
		}
	}
	r, err := t.write(ctx, "write that is asked to stop", in, open, harness.Options{Each: func(m harness.Message, c *harness.Control) {
		if m.Type == "STATE" {
			stop(c)
		}
	}, Started: func(c *harness.Control) { // the destination is asked to stop even if no state comes back
		time.AfterFunc(t.options.StopLimit, func() { _ = c.Signal(syscall.SIGTERM) })
	}})
	if err != nil {
		return err
	}
	went := r.Started.Add(r.Wall).Sub(stopped)
	if stopped.IsZero() {
		went = 0
	}
	t.prompt(r, went)
	if r.Code == 0 {
		t.fail("an exit code that is not 0: the input had not ended", r.String(), "")
	}
	for _, s := range r.States {
		if fault := in.covered(in.number(s)); fault != "" {
			t.fail("a state only after the records before it were taken", fault, string(s.Message))
		}
	}
	return nil
}

func writeCutInput(ctx context.Context, t *Trial) error {
	in, err := t.input()
	if err != nil {
		return err
	}
	whole := io.MultiReader(in.reader(), strings.NewReader(`{"type":"RECORD","record":{"str`))
	r, err := t.write(ctx, "write of an input that ends within a line", in, whole, harness.Options{})
	if err == nil {
		t.ends(r)
	}
	return err
}
