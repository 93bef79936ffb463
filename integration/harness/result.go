package harness

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Result is what a run wrote, in order, and how it ended. A stream in a namespace is called "namespace.name" in it.
type Result struct {
	Exit

	Runner  string
	Command Command
	Started time.Time
	Spoke   time.Time // when the first line came, which may be a while after a container was started; zero: none came
	Lines   int
	Bytes   int64  // of stdout
	Output  []byte // stdout, if the command's output is text; otherwise nil

	Rows     []Row
	Nulled   int // number of values that did not fit their columns, as reported by the records themselves
	States   []State
	Statuses []Status
	Failures []Failure
	Logs     []Log
	Specs    []json.RawMessage // the ConnectorSpecification of each SPEC
	Catalogs []Catalog
	Offers   []Operation // of a DESTINATION_CATALOG
	Checks   []ConnectionStatus
	Estimate map[string]int64  // rows by stream, by the latest estimate
	Updated  []json.RawMessage // the configuration of each CONTROL

	// Killed says that the test ended the run by force, Unread that it closed the connector's output. Such a run cannot finish its messages.
	Killed, Unread bool
	// Asked says that the test asked the run to end, by a signal that can be caught.
	Asked bool

	problems []Problem
	dropped  map[Rule]int
}

// Row is the part of a record that tests need.
type Row struct {
	Stream string
	Key    string // the primary key's values joined by ","; without a primary key, a hash of the data
	Mark   string // the cursor field's value; "" if there is none
	Bytes  int    // of the data
}

// State is a STATE message.
type State struct {
	Stream  string
	Blob    json.RawMessage // the stream's state
	Message json.RawMessage // the whole state message, as --state takes it
	Count   float64         // sourceStats.recordCount, or destinationStats.recordCount of a destination
	Refused float64         // destinationStats.rejectedRecordCount
	Rows    int             // number of rows of all streams that came before it
}

// Status is a TRACE STREAM_STATUS.
type Status struct {
	Stream, Status string
	RateLimited    bool
	QuotaReset     int64 // epoch milliseconds; 0: unknown
	Rows           int   // number of rows of all streams that came before it
}

// Failure is a TRACE ERROR.
type Failure struct {
	Message  string `json:"message"`
	Internal string `json:"internal_message"`
	Stack    string `json:"stack_trace"`
	Type     string `json:"failure_type"`
	Stream   struct {
		Name string `json:"name"`
	} `json:"stream_descriptor"`
}

// Log is a LOG message.
type Log struct {
	Level   string `json:"level"`
	Message string `json:"message"`
}

// ConnectionStatus is a CONNECTION_STATUS message.
type ConnectionStatus struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// Message is one line of output, passed to [Options.Each] while the connector runs.
type Message struct {
	Type   string // of the envelope
	Trace  string // the type within a TRACE
	Stream string
	Line   []byte // without its newline; only valid during the call
	Data   []byte // of a RECORD; only valid during the call
}

// Of returns the rows of a stream, in order.
func (r *Result) Of(stream string) []Row {
	var rows []Row
	for _, row := range r.Rows {
		if row.Stream == stream {
			rows = append(rows, row)
		}
	}
	return rows
}

// Keys returns the number of rows of a stream for each key.
func (r *Result) Keys(stream string) map[string]int {
	keys := map[string]int{}
	for _, row := range r.Rows {
		if row.Stream == stream {
			keys[row.Key]++
		}
	}
	return keys
}

// Size returns the number of bytes of a stream's data.
func (r *Result) Size(stream string) (n int64) {
	for _, row := range r.Rows {
		if row.Stream == stream {
			n += int64(row.Bytes)
		}
	}
	return n
}

// Last returns a stream's last status, or "" if it has none.
func (r *Result) Last(stream string) string {
	for _, s := range slices.Backward(r.Statuses) {
		if s.Stream == stream {
			return s.Status
		}
	}
	return ""
}

// State returns what the platform would pass to the next run: for every stream the last state of this run, or else the one that the run was started
// with. It is nil if there is none at all.
func (r *Result) State() []byte {
	var messages []json.RawMessage
	at := map[string]int{}
	add := func(stream string, message json.RawMessage) {
		if i, ok := at[stream]; ok {
			messages[i] = message
			return
		}
		at[stream] = len(messages)
		messages = append(messages, message)
	}
	var before []json.RawMessage
	if json.Unmarshal(r.Command.Files[StateFile], &before) == nil {
		for _, message := range before {
			add(described(lookup(message, "stream", "stream_descriptor")), message)
		}
	}
	for _, s := range r.States {
		add(s.Stream, s.Message)
	}
	if messages == nil {
		return nil
	}
	joined := []byte{'['}
	for i, m := range messages {
		if i > 0 {
			joined = append(joined, ',')
		}
		joined = append(joined, m...)
	}
	return append(joined, ']')
}

// Problems returns a sentence for each violation of a rule by the run.
func (r *Result) Problems() []string {
	var all []string
	for _, p := range r.problems {
		all = append(all, p.Text)
	}
	for rule, n := range r.dropped {
		all = append(all, fmt.Sprintf("… and %d more such lines (%s)", n, rule))
	}
	return all
}

// Against returns the problems that violate one of some rules, in the order in which they were found, at most [most] of each.
func (r *Result) Against(rules ...Rule) []Problem {
	var found []Problem
	for _, p := range r.problems {
		if slices.Contains(rules, p.Rule) {
			found = append(found, p)
		}
	}
	return found
}

// tester is the part of testing.TB that Check needs.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
}

// Check reports every problem of the run as a failure of the test, together with a summary of the run.
func (r *Result) Check(t tester) {
	t.Helper()
	if problems := r.Problems(); len(problems) > 0 {
		t.Errorf("%s\n\t- %s", r, strings.Join(problems, "\n\t- "))
	}
}

// String summarizes the run for the output of a test.
func (r *Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: exit %d after %s, %d lines, %d records, %d states", r.Runner, strings.Join(r.Command.Args, " "), r.Code,
		r.Wall.Round(time.Millisecond), r.Lines, len(r.Rows), len(r.States))
	for _, f := range r.Failures {
		fmt.Fprintf(&b, "\n\tTRACE ERROR %s: %s (%s)", f.Type, f.Message, f.Internal)
	}
	for _, l := range r.Logs {
		if l.Level != "DEBUG" && l.Level != "INFO" {
			fmt.Fprintf(&b, "\n\t%s %s", l.Level, l.Message)
		}
	}
	if len(r.Stderr) > 0 {
		fmt.Fprintf(&b, "\n\tstderr: %s", clip(r.Stderr))
	}
	return b.String()
}

// most is how many problems of a rule are kept. The others are only counted.
const most = 20

// problem records a violation of a rule, and the line that caused it.
func (r *Result) problem(rule Rule, line []byte, format string, args ...any) {
	if len(r.Against(rule)) >= most {
		if r.dropped == nil {
			r.dropped = map[Rule]int{}
		}
		r.dropped[rule]++
		return
	}
	p := Problem{Rule: rule, Text: fmt.Sprintf(format, args...)}
	if line != nil {
		p.Line = clip(line)
		p.Text += ": " + p.Line
	}
	r.problems = append(r.problems, p)
}

// clip returns enough of a line to recognise it.
func clip(line []byte) string {
	if len(line) > 300 {
		return string(line[:300]) + "…"
	}
	return string(line)
}

// hash returns a name for data that has no key.
func hash(data []byte) string {
	h := fnv.New64a()
	_, _ = h.Write(data) // a hash never fails
	return strconv.FormatUint(h.Sum64(), 16)
}

// kill reports whether a signal ends a process without its consent.
func kill(s os.Signal) bool { return s == os.Kill }
