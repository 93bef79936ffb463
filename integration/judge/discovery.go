package judge

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

func connectionCheck(ctx context.Context, t *Trial) error {
	for _, test := range t.Config.Tests.Connection.Tests {
		r, err := t.checkRun(ctx, test)
		if err != nil {
			t.fail("a configuration in "+test.ConfigPath, err.Error(), "")
			continue
		}
		switch test.Status {
		case "exception":
			if len(r.Failures) != 1 || r.Failures[0].Message == "" {
				t.fail(test.ConfigPath+": exactly one TRACE ERROR with a message", fmt.Sprintf("%d; %s", len(r.Failures), r), "")
			}
		default:
			want := map[string]string{"succeed": "SUCCEEDED", "failed": "FAILED"}[test.Status]
			if len(r.Checks) != 1 || r.Checks[0].Status != want {
				t.fail(test.ConfigPath+": exactly one CONNECTION_STATUS, "+want, fmt.Sprintf("%v; %s", r.Checks, r), "")
			}
		}
	}
	return nil
}

func (s *Subject) checkRun(ctx context.Context, test ConnectionTest) (*Run, error) {
	return memo(s, "check "+test.ConfigPath+" "+test.Status, func() (*Run, error) {
		config, err := s.config(test.ConfigPath, test.Status == "succeed")
		if err != nil {
			return nil, err
		}
		command := harness.Check(config)
		command.Env = test.deployment()
		return s.run(ctx, order{label: "check of " + test.ConfigPath, command: command, limit: test.limit(time.Minute)})
	})
}

// catalog returns the answer to discover for a test's configuration. If there is none, ok is false and the current check gets a finding.
func (t *Trial) catalog(ctx context.Context, test Common) (catalog harness.Catalog, ok bool, err error) {
	r, err := t.discoverRun(ctx, test)
	if err != nil {
		return catalog, false, err
	}
	if len(r.Catalogs) == 0 {
		t.fail("a CATALOG", r.String(), "")
		return catalog, false, nil
	}
	return r.Catalogs[0], true, nil
}

func (s *Subject) discoverRun(ctx context.Context, test Common) (*Run, error) {
	return memo(s, "discover "+test.ConfigPath, func() (*Run, error) {
		config, err := s.config(test.ConfigPath, true)
		if err != nil {
			return nil, err
		}
		command := harness.Discover(config)
		command.Env = test.deployment()
		return s.run(ctx, order{label: "discover with " + test.ConfigPath, command: command, limit: test.limit(5 * time.Minute)})
	})
}

// ofStreams returns a check of each stream of each test's catalog, with its schema.
func ofStreams(check func(t *Trial, s harness.Stream, schema map[string]any)) func(context.Context, *Trial) error {
	return func(ctx context.Context, t *Trial) error {
		for _, test := range t.Config.Tests.Discovery.Tests {
			catalog, ok, err := t.catalog(ctx, test.Common)
			if err != nil {
				return err
			}
			if ok {
				t.eachStream(catalog, check)
			}
		}
		return nil
	}
}

func (t *Trial) eachStream(catalog harness.Catalog, check func(t *Trial, s harness.Stream, schema map[string]any)) {
	for _, s := range catalog.Streams {
		var schema map[string]any
		if err := json.Unmarshal(s.JSONSchema, &schema); err != nil {
			schema = nil // discovery.discover reports it
		}
		check(t, s, schema)
	}
}

func discoverAnswer(ctx context.Context, t *Trial) error {
	for _, test := range t.Config.Tests.Discovery.Tests {
		r, err := t.discoverRun(ctx, test.Common)
		if err != nil {
			return err
		}
		if len(r.Catalogs) != 1 || len(r.Catalogs[0].Streams) == 0 {
			t.fail("exactly one CATALOG with streams", fmt.Sprintf("%d of them; %s", len(r.Catalogs), r), "")
			continue
		}
		seen := map[string]bool{}
		t.eachStream(r.Catalogs[0], func(t *Trial, s harness.Stream, schema map[string]any) {
			if seen[s.Called()] {
				t.failf("names that differ", "%s is there twice", s.Called())
			}
			seen[s.Called()] = true
			if schema == nil {
				t.failf("a json_schema that is an object", "%s has %s", s.Called(), s.JSONSchema[:min(len(s.JSONSchema), 200)])
				return
			}
			if _, err := compile(s.Called(), schema); err != nil {
				t.failf("a JSON Schema of draft-07", "%s: %v", s.Called(), err)
			}
			if mapOf(schema["properties"]) == nil {
				t.failf("a json_schema with properties", "%s has none", s.Called())
			}
		})
	}
	return nil
}

func cursorExists(t *Trial, s harness.Stream, schema map[string]any) {
	if len(s.DefaultCursorField) > 0 && find(schema, s.DefaultCursorField) == nil {
		t.failf("a default_cursor_field that the schema has", "%s has %v", s.Called(), s.DefaultCursorField)
	}
}

func noKeyword(keywords ...string) func(t *Trial, s harness.Stream, schema map[string]any) {
	return func(t *Trial, s harness.Stream, schema map[string]any) {
		for n := range nodes(schema) {
			for _, keyword := range keywords {
				if _, has := n.schema[keyword]; has {
					t.failf("no "+strings.Join(keywords, " or "), "%s has %s at %q", s.Called(), keyword, n.at)
				}
			}
		}
	}
}

func keyExists(t *Trial, s harness.Stream, schema map[string]any) {
	for _, path := range s.SourceDefinedPrimaryKey {
		if find(schema, path) == nil {
			t.failf("a primary key of fields that the schema has", "%s has %v", s.Called(), path)
		}
	}
}

func keyTypes(ctx context.Context, t *Trial) error {
	for _, test := range t.Config.Tests.Discovery.Tests {
		if test.KeyTypes != nil && !*test.KeyTypes {
			t.skip("validate_primary_keys_data_type is false")
			continue
		}
		catalog, ok, err := t.catalog(ctx, test.Common)
		if !ok {
			return err
		}
		t.eachStream(catalog, func(t *Trial, s harness.Stream, schema map[string]any) {
			for _, path := range s.SourceDefinedPrimaryKey {
				types, _ := typesOf(find(schema, path))
				if slices.Contains(types, "object") || slices.Contains(types, "array") {
					t.failf("a primary key of texts, numbers and truth values", "%s has %v of the type %v", s.Called(), path, types)
				}
			}
		})
	}
	return nil
}

func hasSyncModes(t *Trial, s harness.Stream, _ map[string]any) {
	if len(s.SupportedSyncModes) == 0 {
		t.failf("supported_sync_modes", "%s has none", s.Called())
	}
}

func streamsAdditional(t *Trial, s harness.Stream, schema map[string]any) {
	for n := range nodes(schema) {
		if more, has := n.schema["additionalProperties"]; has && more != true {
			t.failf("additionalProperties that are true", "%s has %s at %q", s.Called(), short(more), n.at)
		}
	}
}

// columnTypes checks each column against the types from which Airbyte's destinations make columns.
func columnTypes(ctx context.Context, t *Trial) error {
	catalog, ok, err := t.everything(ctx)
	if !ok {
		return err
	}
	t.eachStream(catalog, func(t *Trial, s harness.Stream, schema map[string]any) {
		for name, property := range mapOf(schema["properties"]) {
			column := mapOf(property)
			types, _ := typesOf(column)
			format, _ := column["format"].(string)
			exact, _ := column["airbyte_type"].(string)
			number := slices.Equal(types, []string{"integer", "number"})
			switch {
			case len(listOf(column["oneOf"])) > 0 || len(listOf(column["anyOf"])) > 0:
				t.failf("one Airbyte type for a column", "%s.%s is a union", s.Called(), name)
			case len(types) != 1 && !number:
				t.failf("one Airbyte type for a column", "%s.%s is of the types %v", s.Called(), name, cmp.Or(strings.Join(types, ", "), "none"))
			case format == "date-time" && exact != "" && exact != "timestamp_with_timezone" && exact != "timestamp_without_timezone",
				format == "time" && exact != "" && exact != "time_with_timezone" && exact != "time_without_timezone":
				t.failf("an airbyte_type that belongs to its format", "%s.%s has %s and %s", s.Called(), name, format, exact)
			}
		}
	})
	return nil
}

// everything returns the catalog of the principal configuration.
func (t *Trial) everything(ctx context.Context) (harness.Catalog, bool, error) {
	path, err := t.principal()
	if err != nil {
		return harness.Catalog{}, false, err
	}
	return t.catalog(ctx, Common{ConfigPath: path})
}
