package judge

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// streams returns the streams for a test: those in the file configured_catalog_path, as discover describes them if it does, or else all that are
// discovered.
func (t *Trial) streams(ctx context.Context, test Common, catalogPath string) ([]harness.Stream, bool, error) {
	catalog, ok, err := t.catalog(ctx, test)
	if !ok || catalogPath == "" {
		return catalog.Streams, ok, err
	}
	var configured struct {
		Streams []struct {
			Stream harness.Stream `json:"stream"`
		} `json:"streams"`
	}
	if err := readFile(t.Config.Path(catalogPath), &configured); err != nil {
		t.fail("a configured catalog in "+catalogPath, err.Error(), "")
		return nil, false, nil
	}
	var streams []harness.Stream
	for _, c := range configured.Streams {
		one := c.Stream
		for _, discovered := range catalog.Streams {
			if discovered.Called() == one.Called() {
				one = discovered
			}
		}
		streams = append(streams, one)
	}
	return streams, true, nil
}

// without returns the streams whose names are not excused.
func without(streams []harness.Stream, excused []Excused) []harness.Stream {
	return slices.DeleteFunc(slices.Clone(streams), func(s harness.Stream) bool {
		return slices.ContainsFunc(excused, func(e Excused) bool { return e.Name == s.Name })
	})
}

// incrementals returns the streams that can be read incrementally.
func incrementals(streams []harness.Stream) []harness.Stream {
	return slices.DeleteFunc(slices.Clone(streams), func(s harness.Stream) bool { return !s.Incremental() })
}

// reading is the read of a test of basic_read, and the streams that it read.
type reading struct {
	*Run

	streams []harness.Stream
}

// basic makes the read of a test of basic_read, once.
func (t *Trial) basic(ctx context.Context, test BasicReadTest) (reading, bool, error) {
	all, ok, err := t.streams(ctx, test.Common, test.CatalogPath)
	if !ok {
		return reading{}, false, err
	}
	streams := without(all, test.Empty)
	r, err := memo(t.Subject, "basic read "+test.ConfigPath+" "+test.CatalogPath, func() (*Run, error) {
		return t.read(ctx, readOrder{
			label: "full refresh with " + test.ConfigPath, test: test.Common, mode: harness.FullRefresh, streams: streams,
			limit: 10 * time.Minute, data: true,
		})
	})
	if err != nil {
		return reading{}, false, err
	}
	return reading{r, streams}, true, nil
}

// readOrder describes a read to be made.
type readOrder struct {
	label   string
	test    Common
	mode    string
	streams []harness.Stream
	state   []byte
	api     *api // nil: the subject's own
	bare    bool // use only the api's own configuration, without the rest of the test's
	runner  harness.Runner
	limit   time.Duration
	options harness.Options
	data    bool
	apart   bool
}

// read makes a read.
func (s *Subject) read(ctx context.Context, o readOrder) (*Run, error) {
	config, err := s.configFor(o.api, o.test.ConfigPath, true)
	if err == nil && o.bare {
		config, err = json.Marshal(o.api.config)
	}
	if err != nil {
		return nil, err
	}
	command := harness.Read(config, harness.Configured(o.mode, o.streams...), o.state)
	command.Env = o.test.deployment()
	return s.run(ctx, order{
		label: o.label, command: command, runner: o.runner, limit: o.test.limit(o.limit), options: o.options, data: o.data, apart: o.apart,
	})
}

// ofReads returns a check of the read of each test of basic_read.
func ofReads(check func(t *Trial, test BasicReadTest, r reading)) func(context.Context, *Trial) error {
	return func(ctx context.Context, t *Trial) error {
		for _, test := range t.Config.Tests.BasicRead.Tests {
			r, ok, err := t.basic(ctx, test)
			if err != nil {
				return err
			}
			if ok {
				check(t, test, r)
			}
		}
		return nil
	}
}

func readRecords(t *Trial, test BasicReadTest, r reading) {
	if fault := r.complete(); fault != "" {
		t.fail("a read that ends with 0", fault, "")
	}
	if len(r.rows) == 0 {
		t.fail("at least one record", r.String(), "")
		return
	}
	var none []string
	for _, s := range r.streams {
		if len(r.Of(s.Called())) == 0 {
			none = append(none, s.Called())
		}
	}
	if len(none) > 0 {
		t.failf("records of every stream that empty_streams does not name", "none of %s", strings.Join(none, ", "))
	}
}

// readSchema checks each record against its stream's schema as Airbyte's tests do: the first fault of each stream counts.
func readSchema(t *Trial, test BasicReadTest, r reading) {
	if test.Schema != nil && !*test.Schema {
		t.skip("validate_schema is false")
		return
	}
	for _, s := range r.streams {
		var document map[string]any
		if err := json.Unmarshal(s.JSONSchema, &document); err != nil {
			t.failf("a json_schema", "%s: %v", s.Called(), err)
			continue
		}
		schema, err := compile(s.Called(), lenient(document))
		if err != nil {
			t.failf("a JSON Schema of draft-07", "%s: %v", s.Called(), err)
			continue
		}
		for _, one := range r.rows {
			if one.stream != s.Called() {
				continue
			}
			if fault := fits(schema, document, one.data); fault != "" {
				t.fail("records of "+s.Called()+" as its schema says", fault, one.line())
				break
			}
		}
	}
}

// fits returns what is wrong with a record's data, or "".
func fits(schema *jsonschema.Schema, document map[string]any, data []byte) string {
	var record map[string]any
	if err := decode(data, &record); err != nil {
		return err.Error()
	}
	shared := false
	for name := range record {
		if _, known := mapOf(document["properties"])[name]; known {
			shared = true
		}
	}
	if !shared {
		return "the record has no field that the schema has"
	}
	if err := schema.Validate(record); err != nil {
		return harness.Mismatch(err)
	}
	return fraction("", document, record)
}

// fraction finds a number that is written with a fraction or an exponent although the schema says integer. JSON Schema accepts 1.0 as a whole number,
// but destinations do not.
func fraction(at string, schema map[string]any, value any) string {
	switch v := value.(type) {
	case json.Number:
		types, _ := typesOf(schema)
		if slices.Equal(types, []string{"integer"}) && strings.ContainsAny(v.String(), ".eE") {
			return fmt.Sprintf("%q is %s, not written as an integer", at, v)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if fault := fraction(join(at, name), mapOf(mapOf(schema["properties"])[name]), v[name]); fault != "" {
				return fault
			}
		}
	case []any:
		for _, element := range v {
			if fault := fraction(join(at, "(items)"), mapOf(schema["items"]), element); fault != "" {
				return fault
			}
		}
	}
	return ""
}

// moment is the form of a date-time that Airbyte's tests accept. It is looser than RFC 3339.
const moment = `^\d{4}-\d?\d-\d?\d(\s|T)\d?\d:\d?\d:\d?\d(.\d+)?.*$`

// lenient returns a copy of a schema that accepts a date-time of the form [moment], and a date of the form of a date.
func lenient(schema map[string]any) map[string]any {
	loose := map[string]any{}
	for keyword, value := range schema {
		switch v := value.(type) {
		case map[string]any:
			loose[keyword] = lenient(v)
		case []any:
			list := make([]any, len(v))
			for i, element := range v {
				if list[i] = element; mapOf(element) != nil {
					list[i] = lenient(mapOf(element))
				}
			}
			loose[keyword] = list
		default:
			loose[keyword] = value
		}
	}
	pattern := map[any]string{"date-time": moment, "date": `^\d{4}-\d{2}-\d{2}$`}[schema["format"]]
	if pattern != "" {
		delete(loose, "format") // the library's format is RFC 3339
		if _, has := schema["pattern"]; !has {
			loose["pattern"] = pattern
		}
	}
	return loose
}

func readKeys(t *Trial, test BasicReadTest, r reading) {
	if test.KeyTypes != nil && !*test.KeyTypes {
		t.skip("validate_primary_keys_data_type is false")
		return
	}
	for _, s := range r.streams {
		if len(s.SourceDefinedPrimaryKey) == 0 {
			continue
		}
		for _, one := range r.rows {
			if one.stream != s.Called() {
				continue
			}
			var record map[string]any
			if decode(one.data, &record) != nil {
				continue
			}
			missing := 0
			for _, path := range s.SourceDefinedPrimaryKey {
				switch v := at(record, path).(type) {
				case nil:
					missing++
				case map[string]any, []any:
					t.fail("a primary key of texts, numbers and truth values", fmt.Sprintf("%s has %v = %s", s.Called(), path, short(v)), one.line())
				}
			}
			if missing == len(s.SourceDefinedPrimaryKey) {
				t.fail("a primary key", "a record of "+s.Called()+" has none", one.line())
			}
		}
	}
}

// at returns the value at a path of names, or nil.
func at(value any, path []string) any {
	for _, name := range path {
		value = mapOf(value)[name]
	}
	return value
}

func readDataPoints(t *Trial, test BasicReadTest, r reading) {
	if !test.DataPoints {
		t.skip("validate_data_points is not true")
		return
	}
	for _, s := range r.streams {
		var schema map[string]any
		if json.Unmarshal(s.JSONSchema, &schema) != nil {
			continue
		}
		wanted := map[string]bool{}
		for n := range nodes(schema) {
			if n.property && !strings.Contains(n.at, "(") {
				wanted[n.at] = true
			}
		}
		for _, e := range test.Ignored[s.Name] {
			delete(wanted, e.Name)
		}
		for _, one := range r.rows {
			var record any
			if one.stream == s.Called() && decode(one.data, &record) == nil {
				seen("", record, wanted)
			}
		}
		if len(wanted) > 0 {
			t.failf("every field of the schema at least once", "%s never had %s", s.Called(), strings.Join(slices.Sorted(maps.Keys(wanted)), ", "))
		}
	}
}

// seen removes the paths of a value's non-null members from wanted.
func seen(at string, value any, wanted map[string]bool) {
	if value == nil {
		return
	}
	delete(wanted, at)
	for name, member := range mapOf(value) {
		seen(join(at, name), member, wanted)
	}
}

// expectedRecord is a line of a file of expected records.
type expectedRecord struct {
	Stream string          `json:"stream"`
	Data   json.RawMessage `json:"data"`
}

func expectedRecords(file string) ([]expectedRecord, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []expectedRecord
	for lines := bufio.NewReaderSize(f, 1<<20); ; {
		line, err := lines.ReadBytes('\n')
		if len(strings.TrimSpace(string(line))) > 0 {
			var one expectedRecord
			if err := json.Unmarshal(line, &one); err != nil {
				return nil, fmt.Errorf("line %d of %s: %w", len(all)+1, file, err)
			}
			all = append(all, one)
		}
		if err != nil {
			return all, nil
		}
	}
}

// readExpected compares the records with the expected ones. As in Airbyte's tests, it compares records of a stream with a primary key by the key. For
// a stream without one it only compares their number, because values change.
func readExpected(t *Trial, test BasicReadTest, r reading) {
	if test.Expect == nil || test.Expect.Path == "" {
		reason := "the test has no expect_records"
		if test.Expect != nil {
			reason = "bypassed: " + test.Expect.BypassReason
		}
		t.skip("%s", reason)
		return
	}
	all, err := expectedRecords(t.Config.Path(test.Expect.Path))
	if err != nil {
		t.fail("expected records in "+test.Expect.Path, err.Error(), "")
		return
	}
	expected := map[string][]expectedRecord{}
	for _, one := range all {
		expected[one.Stream] = append(expected[one.Stream], one)
	}
	for _, s := range r.streams {
		wanted := expected[s.Name]
		if len(wanted) == 0 && t.Config.High() {
			t.failf("at the strictness level high, an expected record of every stream that is not empty", "%s has none of %s", test.Expect.Path, s.Name)
		}
		rows := r.Of(s.Called())
		if len(s.SourceDefinedPrimaryKey) == 0 {
			if len(rows) < len(wanted) {
				t.failf(fmt.Sprintf("at least %d records of %s", len(wanted), s.Called()), "%d", len(rows))
			}
			continue
		}
		next := 0
		for _, one := range wanted {
			key := keyOf(s, one.Data)
			i := slices.IndexFunc(rows[next:], func(row harness.Row) bool { return row.Key == key })
			switch {
			case i < 0 && test.Expect.ExactOrder:
				t.failf(fmt.Sprintf("%s %s, in the order of %s", s.Called(), key, test.Expect.Path), "it did not come after the one before it")
			case i < 0:
				t.failf(fmt.Sprintf("%s %s", s.Called(), key), "it did not come")
			case test.Expect.ExactOrder:
				next += i + 1
			}
		}
	}
}

// keyOf returns the key of a record in the harness's form.
func keyOf(s harness.Stream, data []byte) string {
	var record any
	if decode(data, &record) != nil {
		return ""
	}
	var parts []string
	for _, path := range s.SourceDefinedPrimaryKey {
		switch v := at(record, path).(type) {
		case string:
			parts = append(parts, v)
		case json.Number:
			parts = append(parts, v.String())
		case bool:
			parts = append(parts, strconv.FormatBool(v))
		default:
			parts = append(parts, short(v))
		}
	}
	return strings.Join(parts, ",")
}

func readStatuses(t *Trial, test BasicReadTest, r reading) {
	if test.Statuses != nil && !*test.Statuses {
		t.skip("validate_stream_statuses is false")
		return
	}
	said := map[string][]string{}
	for _, s := range r.Statuses {
		said[s.Stream] = append(said[s.Stream], s.Status)
	}
	for _, s := range r.streams {
		statuses := said[s.Called()]
		delete(said, s.Called())
		n := len(statuses)
		between := n >= 3 && !slices.ContainsFunc(statuses[1:n-1], func(one string) bool { return one != "RUNNING" })
		if !between || statuses[0] != "STARTED" || statuses[n-1] != "COMPLETE" {
			t.failf("STARTED, RUNNING at least once, COMPLETE", "%s was %v", s.Called(), statuses)
		}
	}
	for stream := range said {
		t.failf("statuses of configured streams", "there is one of %s", stream)
	}
}

func readStates(t *Trial, test BasicReadTest, r reading) {
	if test.StateMessages != nil && !*test.StateMessages {
		t.skip("validate_state_messages is false")
		return
	}
	if len(r.States) < len(r.streams) {
		t.failf("at least one state for each configured stream", "%d states, %d streams", len(r.States), len(r.streams))
	}
	for _, s := range r.States {
		var state struct {
			Type  string          `json:"type"`
			Stats json.RawMessage `json:"sourceStats"`
		}
		if err := json.Unmarshal(s.Message, &state); err != nil {
			continue // beyond.stdout_is_protocol reports it
		}
		if state.Type == "" || state.Type == "LEGACY" {
			t.fail("states that are not LEGACY", "one is", string(s.Message[:min(len(s.Message), 300)]))
		}
		if len(state.Stats) == 0 || string(state.Stats) == "null" {
			t.fail("sourceStats in each state", "one has none", string(s.Message[:min(len(s.Message), 300)]))
		}
	}
}

// nobody is the name of a stream that no connector has.
const nobody = "__AIRBYTE__stream_that_does_not_exist"

func readTrace(ctx context.Context, t *Trial) error {
	for _, test := range t.Config.Tests.BasicRead.Tests {
		if test.Trace != nil && !*test.Trace {
			t.skip("expect_trace_message_on_failure is false")
			continue
		}
		r, err := t.read(ctx, readOrder{
			label: "read of a stream that does not exist, with " + test.ConfigPath, test: test.Common, mode: "INVALID",
			streams: []harness.Stream{{Name: nobody, JSONSchema: json.RawMessage(`{"type":"object","properties":{"f1":{"type":"string"}}}`)}},
		})
		if err != nil {
			return err
		}
		if len(r.Failures) == 0 {
			t.fail("a TRACE ERROR", r.String(), "")
		}
	}
	return nil
}

// fileTypes returns the types of files that a source of files must read: all of all, and at least one of some.
func fileTypes() (all, some []string) {
	return []string{".avro", ".csv", ".jsonl", ".parquet"}, []string{".pdf", ".doc", ".docx", ".ppt", ".pptx", ".md"}
}

func readFileTypes(ctx context.Context, t *Trial) error {
	asked := false
	seen := map[string]bool{}
	excused := map[string]bool{}
	for _, test := range t.Config.Tests.BasicRead.Tests {
		if test.FileTypes == nil || test.FileTypes.Skip {
			continue
		}
		asked = true
		for _, u := range test.FileTypes.Unsupported {
			excused[u.Extension] = true
		}
		r, ok, err := t.basic(ctx, test)
		if !ok {
			return err
		}
		for _, one := range r.rows {
			var record struct {
				URL string `json:"_ab_source_file_url"`
			}
			if json.Unmarshal(one.data, &record) == nil {
				seen[strings.ToLower(filepath.Ext(record.URL))] = true
			}
		}
	}
	if !asked {
		t.skip("no test has file_types")
		return nil
	}
	all, some := fileTypes()
	for _, extension := range all {
		if !seen[extension] && !excused[extension] {
			t.failf("a file of each type", "none of %s", extension)
		}
	}
	if !slices.ContainsFunc(some, func(extension string) bool { return seen[extension] || excused[extension] }) {
		t.failf("a file of one of the types "+strings.Join(some, ", "), "none")
	}
	return nil
}
