package judge

// Checks are all checks, grouped by suite, in the order in which they are reported. Names are lasting: configurations, scripts and reports
// use them.
func Checks() []Check {
	var all []Check
	for _, suite := range []struct {
		name   string
		checks []Check
	}{
		{"spec", specChecks()},
		{"connection", connectionChecks()},
		{"discovery", discoveryChecks()},
		{"basic_read", basicReadChecks()},
		{"full_refresh", fullRefreshChecks()},
		{"incremental", incrementalChecks()},
		{"connector_attributes", attributeChecks()},
		{"connector_documentation", documentationChecks()},
		{"image", imageChecks()},
		{"write", writeChecks()},
		{"beyond", beyondChecks()},
		{"faults", faultChecks()},
	} {
		for _, c := range suite.checks {
			c.Suite = suite.name
			all = append(all, c)
		}
	}
	return all
}

func specChecks() []Check {
	return []Check{
		{Name: "answer", Why: "spec answers with exactly one SPEC: without it the connector cannot be installed."},
		{Name: "config_match_spec", Why: "A configuration that works fits the specification, or the form cannot make it."},
		{Name: "match_expected", Why: "The specification is the one that is kept in spec_path: it changed on purpose or not at all."},
		{Name: "enum_usage", Why: "An enum has no value twice: the form would show a choice that is none."},
		{Name: "oneof_usage", Why: "The variants of a oneOf are told apart by one constant, or the form cannot show which one is chosen."},
		{Name: "required", Why: "A configuration without a required field is refused, not tried."},
		{Name: "optional", Why: "A configuration of required fields alone works: what is optional is."},
		{Name: "has_secret", Why: "A specification that asks for texts marks at least one of them as a secret."},
		{Name: "secret_is_properly_marked", Why: "A field that holds a credential is marked airbyte_secret, or it is stored and shown in the clear."},
		{Name: "secret_never_in_the_output", Why: "No value of a secret field is in any line of output: logs are kept and shared."},
		{Name: "property_type_is_not_array", Why: "A field has one type, or one and null: the form cannot draw more."},
		{Name: "object_not_empty", Why: "A nested object says what is in it, or the form shows an empty box."},
		{Name: "array_type", Why: "A list says what its elements are, and they are what the form can draw."},
		{Name: "forbidden_complex_types", Why: "No keyword of JSON Schema is used that the platform's form does not understand."},
		{Name: "date_pattern", Why: "A date has the pattern of its format, so that the form refuses what the connector would."},
		{Name: "date_format", Why: "A field with a date's pattern says format too, so that the form shows a calendar."},
		{Name: "duplicate_order", Why: "No two fields of an object have the same place in the form."},
		{Name: "nested_group", Why: "Only fields at the top are grouped: the form ignores the others' groups."},
		{Name: "display_type", Why: "display_type is used on a oneOf and known to the form."},
		{Name: "defined_refs_exist_in_json_spec_file", Why: "There is no $ref: the platform does not resolve it."},
		{Name: "additional_properties_is_true", Why: "Unknown fields are allowed: a configuration of a later version must not break this one."},
		{Name: "oauth_flow_parameters", Why: "The OAuth flow writes into fields that the specification has."},
		{Name: "oauth_is_default_method", Why: "OAuth is the first variant, and so the one that is offered."},
		{Name: "backward_compatibility", Why: "Configurations that the version before took are still taken: existing connections go on working."},
		{Name: "image_labels", Why: "The image's labels say what metadata.yaml says: the platform trusts them."},
		{Name: "image_environment_variables", Why: "AIRBYTE_ENTRYPOINT is set and is the entrypoint: it is all that the platform starts."},
	}
}

func connectionChecks() []Check {
	return []Check{
		{Name: "check", Why: "check says what the test expects of the configuration: succeed, failed or exception."},
	}
}

func discoveryChecks() []Check {
	return []Check{
		{Name: "discover", Kind: Sources, Why: "discover answers with one catalog of streams with names of their own and schemas that are schemas."},
		{Name: "defined_cursors_exist_in_schema", Kind: Sources, Why: "The default cursor is a field of its stream."},
		{Name: "defined_refs_exist_in_schema", Kind: Sources, Why: "No schema has a $ref: the platform does not resolve it."},
		{Name: "defined_keyword_exist_in_schema", Kind: Sources, Why: "No schema has allOf or not: destinations cannot make columns of them."},
		{Name: "primary_keys_exist_in_schema", Kind: Sources, Why: "The primary key is made of fields of its stream."},
		{Name: "primary_keys_data_type", Kind: Sources, Why: "No part of a primary key is an object or a list: destinations cannot compare those."},
		{Name: "streams_has_sync_modes", Kind: Sources, Why: "A stream has a sync mode, or it cannot be chosen."},
		{Name: "additional_properties_is_true", Kind: Sources, Why: "Records may have fields that are not known yet."},
		{Name: "backward_compatibility", Kind: Sources, Why: "No stream, field, type or cursor of the version before is gone: existing connections and tables go on working."},
	}
}

func basicReadChecks() []Check {
	return []Check{
		{Name: "records", Kind: Sources, Why: "Every stream that is not excused brings records: otherwise nothing is tried of it."},
		{Name: "schema", Kind: Sources, Why: "Records are what their stream's schema says: columns are made of it."},
		{Name: "primary_keys", Kind: Sources, Why: "A record's primary key is neither missing nor an object or a list."},
		{Name: "data_points", Kind: Sources, Why: "Every field of the schema came at least once, where validate_data_points asks for it."},
		{Name: "expected_records", Kind: Sources, Why: "The records of expect_records came, in their order where exact_order asks for it."},
		{Name: "stream_statuses", Kind: Sources, Why: "Each stream was STARTED, RUNNING and COMPLETE: the platform shows users where a sync is."},
		{Name: "state_messages", Kind: Sources, Why: "Each stream has a state, with its sourceStats: the platform counts by them what was committed."},
		{Name: "trace_message_on_failure", Kind: Sources, Why: "A catalog that cannot be read leads to a TRACE ERROR: without it a user sees only that something went wrong."},
		{Name: "file_types", Kind: Sources, Why: "A source of files brings files of every type that it says it reads."},
	}
}

func fullRefreshChecks() []Check {
	return []Check{
		{Name: "sequential_reads", Kind: Sources, Why: "A second full read brings all that the first brought."},
	}
}

func incrementalChecks() []Check {
	return []Check{
		{Name: "two_sequential_reads", Kind: Sources, Why: "A read from the last state differs from the first: the state is used."},
		{Name: "read_sequential_slices", Kind: Sources, Why: "A read from a state in the middle brings at least what was still to come."},
		{Name: "state_with_abnormally_large_values", Kind: Sources, Why: "A state of the far future brings no records, and a state."},
	}
}

func attributeChecks() []Check {
	return []Check{
		{Name: "primary_keys", Kind: Sources, Why: "Every stream has a primary key or is excused: without one nothing can be deduplicated."},
		{Name: "allowed_hosts", Why: "metadata.yaml names the hosts that are called: a cloud lets no other through."},
		{Name: "suggested_streams", Kind: Sources, Why: "metadata.yaml suggests streams, and they are discovered: they are selected at first."},
	}
}

func documentationChecks() []Check {
	return []Check{
		{Name: "prerequisites", Why: "The Prerequisites name every required field of the specification."},
		{Name: "headings", Why: "The documentation has Airbyte's headings in their order."},
		{Name: "texts", Why: "The sections with a fixed text have it."},
		{Name: "links", Why: "Links of the documentation answer. Only asked for with --online."},
	}
}

func imageChecks() []Check {
	return []Check{
		{Name: "spec", Image: true, Why: "docker run IMAGE spec says a SPEC: what the CDK's image tests ask for."},
		{Name: "check", Image: true, Why: "docker run IMAGE check, with a configuration that it may rewrite, says what is expected."},
		{Name: "read", Image: true, Kind: Sources, Why: "docker run IMAGE read brings a record, as the CDK's image tests read."},
		{Name: "user", Image: true, Why: "The image runs as the user airbyte, 1000: clusters refuse root."},
		{Name: "size", Image: true, Why: "The image is no larger than the limit: each sync may pull it."},
		{Name: "shell", Image: true, Why: "The image has sh, sleep, mv and kill, which the platform's script uses."},
	}
}

func writeChecks() []Check {
	return []Check{
		{Name: "states", Kind: Destinations, Why: "States come back as they came, in their order, each once, none that was not sent, and all of them where it exits with 0."},
		{Name: "states_after_records", Kind: Destinations, Why: "A state never comes back before the records before it were taken: the source goes on behind it."},
		{Name: "empty_input", Kind: Destinations, Why: "A sync without records ends well."},
		{Name: "empty_catalog", Kind: Destinations, Why: "A catalog without streams ends at once, with 0 or with an error that says so."},
		{Name: "unknown_stream", Kind: Destinations, Why: "A record of a stream that is not configured is not written without a word: exit 1 and a TRACE ERROR."},
		{Name: "large_records", Kind: Destinations, Why: "A record of 20 MB is written, or refused with a TRACE ERROR."},
		{Name: "broken_input", Kind: Destinations, Why: "A line of input that is none ends in a TRACE ERROR or is left out; later states come back in neither case before their records."},
		{Name: "wrong_config", Kind: Destinations, Why: "A write with a configuration that does not work fails with a TRACE ERROR, and no state comes back."},
		{Name: "sigterm", Kind: Destinations, Why: "A write that is asked to stop does, in time, and no state comes back that is not covered."},
		{Name: "closed_input", Kind: Destinations, Why: "An input that ends within a line is noticed or left out, and does not hang."},
	}
}

func beyondChecks() []Check {
	return []Check{
		{Name: "stdout_is_protocol", Why: "Every line of stdout, in every run, is one message of the protocol: of any other line the platform makes a log, and a broken record is lost without a word."},
		{Name: "stderr_is_empty", Why: "stderr stays empty: the platform logs all of it as errors."},
		{Name: "exit_codes", Why: "The exit code is 0 without a TRACE ERROR and not 0 with one: it alone decides whether a sync succeeded."},
		{Name: "answers", Why: "spec, check and discover answer once, and nothing else does: only the first answer counts."},
		{Name: "secrets", Why: "No secret is in any byte of output, in any encoding, nor a telling part of one."},
		{Name: "source_stats", Kind: Sources, Why: "sourceStats count exactly the records since the state before: the platform takes any other number for loss."},
		{Name: "distinct_states", Kind: Sources, Why: "No two states of a stream are equal: the platform's counts of what was committed break."},
		{Name: "final_state", Kind: Sources, Why: "The records of a complete stream are covered by a state after them."},
		{Name: "state_types", Kind: Sources, Why: "States are STREAM or GLOBAL: LEGACY has been given up."},
		{Name: "resume_from_states", Kind: Sources, Why: "A read from any state that was printed brings, with what was before it, every row."},
		{Name: "resume_after_kill", Kind: Sources, Why: "A read that was killed goes on from its last state, and nothing is missing of both."},
		{Name: "broken_pipe", Kind: Sources, Why: "A connector whose output nobody reads stops: this is how the platform ends a sync."},
		{Name: "sigterm", Kind: Sources, Why: "A connector that is asked to stop does in time, does not exit with 0, and says why."},
		{Name: "undeclared_streams", Kind: Sources, Why: "No message is of a stream that is not configured: a record of one fails the sync."},
		{Name: "keys_in_schema", Kind: Sources, Why: "Records have no fields that the schema lacks: the platform drops those without a word."},
		{Name: "empty_records", Kind: Sources, Why: "No record is {}: the platform drops it without a word."},
		{Name: "key_values", Kind: Sources, Why: "Every record has its whole primary key: with deduplication, the platform fails a sync without."},
		{Name: "types", Kind: Sources, Why: "Every value of every record has the type and the format of its schema."},
		{Name: "column_types", Kind: Sources, Why: "A column has one Airbyte type: destinations make one column of it."},
		{Name: "meta_changes", Kind: Sources, Why: "meta.changes is well-formed and true: a field that it calls nulled is null."},
		{Name: "status_order", Kind: Sources, Why: "Statuses come in their order, and none is missing at the end."},
		{Name: "emitted_at", Kind: Sources, Why: "emitted_at is now, in whole milliseconds: it tells rows of one sync from another's."},
		{Name: "cursor_and_state", Kind: Sources, Why: "No record behind a state lies before its mark, and no mark lies behind all that was read: the next sync would leave rows out."},
		{Name: "rows", Kind: Sources, Why: "With --simulator: the rows that came are those that the API has, and those that changed come with the next sync."},
		{Name: "platform", Image: true, Kind: Sources, Why: "It runs as the platform starts it: sh -c eval, uid 1000, no capabilities, named pipes."},
		{Name: "read_only_root", Image: true, Kind: Sources, Why: "It runs where nothing can be written but the working directory."},
		{Name: "check_time", Alone: true, Why: "check answers within 7 s (--check-limit): somebody waits before a form."},
		{Name: "spec_time", Alone: true, Why: "spec answers within 1 s (--spec-limit): it says what starting costs."},
		{Name: "memory", Kind: Sources, Alone: true, Why: "A read takes no more memory than the limit (--memory)."},
		{Name: "heartbeat", Kind: Sources, Why: "Records and states are no further apart than the limit (--heartbeat): the platform gives a silent source up."},
		{Name: "closed_stdout", Why: "Started with its stdout closed, it ends, and not with 0."},
		{Name: "full_device", Why: "Writing to a device that is full (/dev/full), it ends, and not with 0."},
		{Name: "slow_reader", Kind: Sources, Why: "Read slowly, it brings the same rows: the platform's pipe is slow when the destination is."},
	}
}

// faultChecks are one for each fault of the proxy.
func faultChecks() []Check {
	return []Check{
		{Name: "server_error", Fault: true, Why: "500s: the run ends complete with the same rows, or not with 0 and with a TRACE ERROR."},
		{Name: "cut_body", Fault: true, Why: "Bodies that end too early."},
		{Name: "reset", Fault: true, Why: "Connections that are reset."},
		{Name: "slow_headers", Fault: true, Why: "Headers that take long."},
		{Name: "rate_limit_seconds", Fault: true, Why: "429 with Retry-After in seconds."},
		{Name: "rate_limit_date", Fault: true, Why: "429 with Retry-After as a date."},
		{Name: "rate_limit_none", Fault: true, Why: "429 without Retry-After."},
		{Name: "rate_limit_absurd", Fault: true, Why: "429 with a Retry-After that is none."},
		{Name: "unauthorized", Fault: true, Why: "A 401 in the middle of a read."},
		{Name: "repeated_page", Fault: true, Why: "A page that comes twice: no row may be missing."},
	}
}
