package judge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

func sequentialReads(ctx context.Context, t *Trial) error {
	for _, test := range t.Config.Tests.FullRefresh.Tests {
		all, ok, err := t.streams(ctx, test.Common, test.CatalogPath)
		if !ok {
			return err
		}
		streams := slices.DeleteFunc(slices.Clone(all), func(s harness.Stream) bool { return !slices.Contains(s.SupportedSyncModes, harness.FullRefresh) })
		var runs [2]*Run
		for i := range runs {
			runs[i], err = t.read(ctx, readOrder{
				label: fmt.Sprintf("full refresh %d with %s", i+1, test.ConfigPath), test: test.Common, mode: harness.FullRefresh, streams: streams,
				limit: 20 * time.Minute, data: true,
			})
			if err != nil {
				return err
			}
			if fault := runs[i].complete(); fault != "" {
				t.fail("a read that ends with 0", fault, "")
			}
			if i == 0 {
				if err := t.between(ctx, test.Client); err != nil {
					return err
				}
			}
		}
		if runs[0].last >= runs[1].first && runs[1].first > 0 {
			t.failf("an emitted_at of the second read after all of the first", "%d after %d", runs[1].first, runs[0].last)
		}
		for _, s := range streams {
			first, second := identities(runs[0], s, test.Ignored[s.Name]), identities(runs[1], s, test.Ignored[s.Name])
			gone := slices.DeleteFunc(slices.Sorted(maps.Keys(first)), func(key string) bool { return second[key] })
			if len(gone) > 0 {
				t.failf("in the second read all records of the first", "%d of %s are missing, as %s", len(gone), s.Called(), gone[0])
			}
		}
	}
	return nil
}

// identities returns what identifies a stream's records: their primary key, or else their values without the ignored fields.
func identities(r *Run, s harness.Stream, ignored []Excused) map[string]bool {
	if len(s.SourceDefinedPrimaryKey) > 0 {
		return r.keys(s.Called())
	}
	all := map[string]bool{}
	for _, one := range r.rows {
		var record map[string]any
		if one.stream != s.Called() || decode(one.data, &record) != nil {
			continue
		}
		for _, e := range ignored {
			drop(record, strings.FieldsFunc(e.Name, func(c rune) bool { return c == '/' || c == '.' }))
		}
		body, err := json.Marshal(record) // sorts the names
		if err == nil {
			all[string(body)] = true
		}
	}
	return all
}

// drop removes what is at a path from a record. "*" stands for every element of a list.
func drop(value any, path []string) {
	if len(path) == 0 {
		return
	}
	for _, element := range listOf(value) {
		if path[0] == "*" {
			drop(element, path[1:])
		}
	}
	object := mapOf(value)
	if len(path) == 1 {
		delete(object, path[0])
		return
	}
	drop(object[path[0]], path[1:])
}

// first makes the first incremental read of a test, once.
func (t *Trial) first(ctx context.Context, test Common, streams []harness.Stream) (*Run, error) {
	names := make([]string, len(streams))
	for i, s := range streams {
		names[i] = s.Called()
	}
	return memo(t.Subject, "incremental read "+test.ConfigPath+" "+strings.Join(names, " "), func() (*Run, error) {
		return t.read(ctx, readOrder{
			label: "incremental read with " + test.ConfigPath, test: test, mode: harness.Incremental, streams: streams, limit: 20 * time.Minute,
		})
	})
}

// ofIncremental returns a check of each test of the suite incremental, with the streams that can be read incrementally.
func ofIncremental(check func(context.Context, *Trial, IncrementalTest, []harness.Stream) error) func(context.Context, *Trial) error {
	return func(ctx context.Context, t *Trial) error {
		for _, test := range t.Config.Tests.Incremental.Tests {
			all, ok, err := t.streams(ctx, test.Common, test.CatalogPath)
			if !ok {
				return err
			}
			streams := incrementals(all)
			if len(streams) == 0 {
				t.skip("no stream can be read incrementally")
				continue
			}
			if err := check(ctx, t, test, streams); err != nil {
				return err
			}
		}
		return nil
	}
}

func twoReads(ctx context.Context, t *Trial, test IncrementalTest, streams []harness.Stream) error {
	first, err := t.first(ctx, test.Common, streams)
	if err != nil {
		return err
	}
	if fault := first.complete(); fault != "" {
		t.fail("a read that ends with 0", fault, "")
		return nil
	}
	if len(first.States) == 0 || len(first.rows) == 0 {
		t.fail("at least one state and one record", first.String(), "")
		return nil
	}
	if err := t.between(ctx, test.Client); err != nil {
		return err
	}
	second, err := t.read(ctx, readOrder{
		label: "read from the last state with " + test.ConfigPath, test: test.Common, mode: harness.Incremental, streams: streams,
		state: first.State(), limit: 20 * time.Minute,
	})
	if err != nil {
		return err
	}
	if fault := second.complete(); fault != "" {
		t.fail("a read that ends with 0", fault, "")
	} else if same(first.rows, second.rows) {
		t.failf("other records than those of the first read", "the same %d again: the state is not used", len(first.rows))
	}
	return nil
}

// same reports whether two reads brought the same records, in any order.
func same(a, b []row) bool {
	type data struct {
		stream string
		hash   uint64
	}
	count := map[data]int{}
	for _, one := range a {
		count[data{one.stream, one.hash}]++
	}
	for _, one := range b {
		count[data{one.stream, one.hash}]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// batches is from how many states of a stream reads are made.
const batches = 5

func sequentialSlices(ctx context.Context, t *Trial, test IncrementalTest, streams []harness.Stream) error {
	if test.SkipSlices {
		t.skip("skip_comprehensive_incremental_tests is true")
		return nil
	}
	all, ok, err := t.streams(ctx, test.Common, test.CatalogPath)
	if !ok {
		return err
	}
	first, a, err := t.long(ctx, test.Common, all)
	if err != nil {
		return err
	}
	if fault := first.complete(); fault != "" {
		t.fail("a read that ends with 0", fault, "")
		return nil
	}
	points := map[string][]int{} // by stream: indexes of the states in the middle of its records
	rounds := 0
	for _, s := range streams {
		points[s.Called()] = middles(first, s.Called())
		rounds = max(rounds, len(points[s.Called()]))
	}
	if rounds == 0 {
		t.skip("no stream has more than one state with records")
		return nil
	}
	used := map[string][]bool{} // by stream: whether a read from each of its states brought other records than the full read
	for round := range rounds {
		state, due := first.until(streams, points, round)
		r, err := t.read(ctx, readOrder{
			label: fmt.Sprintf("read from state %d in the middle, with %s", round+1, test.ConfigPath), test: test.Common, mode: harness.Incremental,
			streams: streams, api: a, state: state, limit: 20 * time.Minute,
		})
		if err != nil {
			return err
		}
		if fault := r.complete(); fault != "" {
			t.fail("a read that ends with 0", fault, "")
			continue
		}
		if same(first.rows, r.rows) {
			t.failf("other records than those of a full read", "the same %d: no stream's state is used", len(r.rows))
		}
		for stream, n := range due {
			rows := r.Of(stream)
			if float64(len(rows)) < n {
				t.failf(fmt.Sprintf("at least %v records of %s after its state", n, stream), "%d: records are lost where a sync goes on", len(rows))
			}
			of := func(run *Run) []row {
				return slices.DeleteFunc(slices.Clone(run.rows), func(one row) bool { return one.stream != stream })
			}
			used[stream] = append(used[stream], !same(of(first), of(r)))
		}
	}
	for stream, each := range used {
		// From one state, all rows may come again, because the rows before it are also in a later part of the list.
		if len(each) > 1 && !slices.Contains(each, true) {
			t.failf("other records of "+stream+" than those of a full read", "the same from each of %d states: they are not used", len(each))
		}
	}
	return nil
}

// middles returns the states of a stream that have records before and after them, at most [batches], evenly chosen.
func middles(r *Run, stream string) []int {
	var found []int
	before := 0.0
	seen := map[string]bool{}
	for i, s := range r.States {
		if s.Stream != stream {
			continue
		}
		before += s.Count
		if before > 0 && before < float64(len(r.Of(stream))) && !seen[string(s.Blob)] {
			found = append(found, i)
		}
		seen[string(s.Blob)] = true
	}
	return evenly(found, batches)
}

// evenly returns at most n elements, from the first to the last.
func evenly(all []int, n int) []int {
	if len(all) <= n {
		return all
	}
	var chosen []int
	for i := range n {
		chosen = append(chosen, all[i*(len(all)-1)/max(1, n-1)])
	}
	return chosen
}

// until returns the --state file of a round: the state of each stream for that round, and how many of its records must come after it according to
// sourceStats. A stream without a state for that round has none, and none of its records are due.
func (r *Run) until(streams []harness.Stream, points map[string][]int, round int) (state []byte, due map[string]float64) {
	due = map[string]float64{}
	var messages []json.RawMessage
	for _, s := range streams {
		all := points[s.Called()]
		if round >= len(all) {
			continue
		}
		at := all[round]
		messages = append(messages, r.States[at].Message)
		for i, later := range r.States {
			if i > at && later.Stream == s.Called() {
				due[s.Called()] += later.Count
			}
		}
		if due[s.Called()] == 0 {
			delete(due, s.Called())
		}
	}
	body, err := json.Marshal(messages)
	if err != nil { // they were read from lines
		body = []byte("[]")
	}
	return body, due
}

func futureState(ctx context.Context, t *Trial, test IncrementalTest, streams []harness.Stream) error {
	if test.Future == nil || test.Future.Path == "" {
		reason := "the test has no future_state"
		if test.Future != nil {
			reason = "bypassed: " + test.Future.BypassReason
		}
		t.skip("%s", reason)
		return nil
	}
	body, err := os.ReadFile(t.Config.Path(test.Future.Path))
	if err != nil {
		t.fail("a state in "+test.Future.Path, err.Error(), "")
		return nil
	}
	named := stateNames(body)
	if t.Config.High() {
		for _, s := range without(streams, test.Future.Missing) {
			if !named[s.Name] {
				t.failf("at the strictness level high, a future state of every stream that is not among missing_streams", "%s has none of %s",
					test.Future.Path, s.Name)
			}
		}
	}
	streams = slices.DeleteFunc(without(streams, test.Future.Missing), func(s harness.Stream) bool { return !named[s.Name] })
	if len(streams) == 0 {
		t.skip("%s names no stream", test.Future.Path)
		return nil
	}
	r, err := t.read(ctx, readOrder{
		label: "read from " + test.Future.Path, test: test.Common, mode: harness.Incremental, streams: streams, state: body, limit: 20 * time.Minute,
	})
	if err != nil {
		return err
	}
	if fault := r.complete(); fault != "" {
		t.fail("a read that ends with 0", fault, "")
	}
	if len(r.rows) > 0 {
		t.failf("no records", "%d, of %s", len(r.rows), r.rows[0].stream)
	}
	if len(r.States) == 0 {
		t.fail("at least one state", r.String(), "")
	}
	t.cursorFormats(test, r)
	return nil
}

// cursorFormats checks the marks in states against the test's format, which is a regular expression.
func (t *Trial) cursorFormats(test IncrementalTest, r *Run) {
	if test.Future.CursorFormat == nil {
		return
	}
	for _, state := range r.States {
		format := test.Future.CursorFormat.Format
		for _, s := range test.Future.CursorFormat.Streams {
			if s.Name == state.Stream {
				format = s.Format
			}
		}
		pattern, err := regexp.Compile(format)
		if err != nil {
			t.failf("a regular expression as a cursor_format", "%v", err)
			return
		}
		var blob map[string]any
		if decode(state.Blob, &blob) != nil {
			continue
		}
		for name, value := range blob {
			if text, ok := value.(string); ok && !pattern.MatchString(text) {
				t.fail("values of states of the form "+format, name+" is "+text, string(state.Message[:min(len(state.Message), 300)]))
			}
		}
	}
}

// stateNames returns the names of the streams in a --state file.
func stateNames(body []byte) map[string]bool {
	names := map[string]bool{}
	type descriptor struct {
		Descriptor struct {
			Name string `json:"name"`
		} `json:"stream_descriptor"`
	}
	var states []struct {
		Stream descriptor `json:"stream"`
		Global struct {
			Streams []descriptor `json:"stream_states"`
		} `json:"global"`
	}
	if json.Unmarshal(body, &states) == nil {
		for _, s := range states {
			names[s.Stream.Descriptor.Name] = true
			for _, one := range s.Global.Streams {
				names[one.Descriptor.Name] = true
			}
		}
		return names
	}
	var legacy map[string]json.RawMessage // by stream
	if json.Unmarshal(body, &legacy) == nil {
		for name := range legacy {
			names[name] = true
		}
	}
	return names
}

// between runs what a test requires between two syncs.
func (t *Trial) between(ctx context.Context, c *Client) error {
	if c == nil || len(c.Between) == 0 {
		return nil
	}
	if err := t.client(ctx, c, c.Between); err != nil {
		return errors.Join(errors.New("running the test's between_syncs_command"), err)
	}
	return nil
}
