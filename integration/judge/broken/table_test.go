package broken

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/judge"
)

// besides returns, by what is broken, the other checks that may find it too, because a connector cannot break the one alone.
func besides() map[string]string {
	const records = "basic_read.expected_records beyond.rows"
	const noKey = "basic_read.expected_records basic_read.schema beyond.rows"
	const unlike = "basic_read.data_points beyond.column_types"
	const crash = "beyond.exit_codes"
	return map[string]string{
		"spec.answer": "beyond.answers image.spec",
		// No configuration is valid for an invalid schema.
		"spec.enum_usage": "spec.config_match_spec spec.backward_compatibility",
		"spec.defined_refs_exist_in_json_spec_file": "spec.config_match_spec spec.backward_compatibility",
		"spec.config_match_spec":                    "spec.backward_compatibility",
		"spec.backward_compatibility":               "spec.config_match_spec",
		"spec.oauth_flow_parameters":                "spec.oauth_is_default_method",
		"spec.optional":                             "beyond.rows",
		"connection.check":                          "spec.required image.check",

		"discovery.discover":                        "basic_read.stream_statuses beyond.distinct_states beyond.status_order",
		"discovery.defined_cursors_exist_in_schema": "discovery.backward_compatibility",
		"discovery.defined_refs_exist_in_schema":    unlike,
		"discovery.defined_keyword_exist_in_schema": unlike,
		"discovery.primary_keys_exist_in_schema":    records + " basic_read.primary_keys beyond.key_values discovery.backward_compatibility",
		"discovery.primary_keys_data_type":          records + " basic_read.primary_keys discovery.backward_compatibility",
		"discovery.streams_has_sync_modes": "incremental.read_sequential_slices beyond.stdout_is_protocol beyond.cursor_and_state beyond.heartbeat beyond.resume_from_states " +
			"beyond.resume_after_kill beyond.slow_reader beyond.rows",

		"basic_read.records":                  records + " basic_read.data_points",
		"basic_read.schema":                   "beyond.types",
		"basic_read.primary_keys":             noKey + " beyond.key_values",
		"basic_read.expected_records":         "beyond.rows",
		"basic_read.stream_statuses":          "beyond.status_order",
		"basic_read.state_messages":           "beyond.source_stats",
		"basic_read.trace_message_on_failure": "beyond.status_order",
		"full_refresh.sequential_reads":       records,

		"incremental.two_sequential_reads":   "incremental.read_sequential_slices incremental.state_with_abnormally_large_values",
		"incremental.read_sequential_slices": "beyond.resume_from_states beyond.resume_after_kill beyond.rows",
		"connector_attributes.primary_keys":  "beyond.rows discovery.backward_compatibility",

		"image.spec":  "spec.answer beyond.answers",
		"image.check": "connection.check",
		"image.shell": "image.user image.writable beyond.platform beyond.read_only_root beyond.closed_stdout beyond.full_device",
		"image.read":  crash,

		"write.empty_catalog": crash, "write.large_records": crash, "write.broken_input": crash, "write.closed_input": crash,

		"beyond.exit_codes":   "beyond.status_order",
		"beyond.source_stats": "incremental.read_sequential_slices",
		"beyond.final_state":  "beyond.status_order incremental.state_with_abnormally_large_values",
		"beyond.state_types": "basic_read.state_messages beyond.final_state beyond.stdout_is_protocol beyond.status_order " +
			"beyond.undeclared_streams",
		"beyond.resume_from_states": "beyond.cursor_and_state beyond.resume_after_kill incremental.read_sequential_slices",
		"beyond.resume_after_kill":  "beyond.cursor_and_state beyond.resume_from_states incremental.read_sequential_slices",
		"beyond.broken_pipe":        "beyond.full_device",
		"beyond.sigterm":            "beyond.status_order",
		"beyond.undeclared_streams": "incremental.state_with_abnormally_large_values",
		"beyond.empty_records":      noKey + " basic_read.primary_keys beyond.key_values",
		"beyond.key_values":         noKey + " basic_read.primary_keys",
		"beyond.types":              "basic_read.schema",
		"beyond.column_types":       "discovery.backward_compatibility",
		"beyond.status_order":       "basic_read.stream_statuses",
		"beyond.emitted_at":         "beyond.stdout_is_protocol full_refresh.sequential_reads",
		"beyond.cursor_and_state":   "beyond.rows",
		"beyond.platform":           "beyond.read_only_root beyond.exit_codes",
		"beyond.read_only_root":     "beyond.exit_codes",
		"faults.repeated_page":      "beyond.distinct_states",
	}
}

// long returns checks and suites that take long. They run only on the healthy connector and on those that are broken for them.
func long() []string {
	return []string{"beyond.memory", "beyond.sigterm", "beyond.broken_pipe", "beyond.slow_reader", "beyond.resume_after_kill", "faults"}
}

// timed returns the checks whose broken connector takes its time, or watches its reader's, and does everything else right. No other check runs on it,
// because others might fail on a loaded machine.
func timed() []string {
	return []string{"beyond.spec_time", "beyond.check_time", "beyond.heartbeat", "beyond.slow_reader"}
}

// skipped returns the checks that do not run on the connector that is broken for a check.
func skipped(broken judge.Check) (all []string) {
	for _, c := range judge.Checks() {
		if c.Full() != broken.Full() && (slices.Contains(long(), c.Full()) || slices.Contains(long(), c.Suite)) {
			all = append(all, c.Full())
		}
	}
	return all
}

// TestBroken checks that each check finds the connector that is broken for it. Others find it only if the table says so: those of its suite, and all
// others if FULL=1 is set.
func TestBroken(t *testing.T) {
	if testing.Short() {
		t.Skip("it judges more than a hundred connectors")
	}
	t.Parallel()
	binary := build(t)
	for _, c := range judge.Checks() {
		if c.Image {
			continue // see TestBrokenImages
		}
		t.Run(c.Full(), func(t *testing.T) {
			t.Parallel()
			s := subject{check: c.Full(), kind: "source", binary: binary, skip: skipped(c)}
			if c.Kind == judge.Destinations {
				s.kind = "destination"
			}
			if !harness.Full() && c.Suite != "beyond" { // it inspects the runs of others too
				s.only = []string{c.Suite}
			}
			if slices.Contains(timed(), c.Full()) {
				s.only, s.limit = []string{c.Full()}, time.Second
			}
			switch c.Full() {
			case "beyond.sigterm": // its read goes on into a pipe until it is ended
			case "beyond.broken_pipe": // its output is more than a pipe holds
				s.much = 8000
			default:
				s.much = 300
			}
			found(t, c, s.judged(t))
		})
	}
}

// found checks verdicts against the table.
func found(t *testing.T, broken judge.Check, verdicts map[string]judge.Verdict) {
	t.Helper()
	others := strings.Fields(besides()[broken.Full()])
	if broken.Suite == "spec" { // the specification differs from the saved one
		others = append(others, "spec.match_expected")
	}
	for name, v := range verdicts {
		wrong := v.Status == judge.Failed || len(v.Warnings) > 0
		switch {
		case v.Status == judge.Broken && !slices.Contains(others, name):
			t.Error(text(v))
		case broken.Name == "":
			if wrong {
				t.Errorf("nothing is broken: %s", text(v))
			}
		case name == broken.Full() && !wrong:
			t.Errorf("what is broken is not found: %s", text(v))
		case name != broken.Full() && wrong && !slices.Contains(others, name):
			t.Errorf("another check found it: %s", text(v))
		}
	}
}

// TestTable checks that the table only names checks that exist.
func TestTable(t *testing.T) {
	t.Parallel()
	var names []string
	for _, c := range judge.Checks() {
		names = append(names, c.Full())
	}
	for broken, others := range besides() {
		for _, name := range append(strings.Fields(others), broken) {
			if !slices.Contains(names, name) {
				t.Errorf("there is no check %s", name)
			}
		}
	}
}
