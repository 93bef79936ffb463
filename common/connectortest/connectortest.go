// Package connectortest contains the tests that every connector calls: [Conform] checks its folder for consistency, [Golden] replays documented
// answers of its API. Both run in the connector's folder, where `go test` runs a package's tests, and need nothing outside it.
package connectortest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/cli"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// Conform checks a source and its folder against what the platform, its acceptance tests and its users expect, as far as that can be decided offline:
// the specification, the catalog and its schemas, metadata.yaml, acceptance-test-config.yml, README.md, icon.svg, go.mod. It discovers the catalog
// with testdata/config.json. testdata/configurations.json is a list of configurations that some version accepted. All must still be valid, and none
// may be taken off the list. If src has a method Schemas() ([]string, error), the names of its schema files, these must be the catalog's streams.
func Conform(t *testing.T, src cli.Source) {
	t.Helper()
	c, config := folder(t, src.Spec)
	var err error
	if c.catalog, err = src.Discover(t.Context(), config); err != nil {
		t.Fatalf("Discover: %v", err)
	}
	c.schemas = c.streams()
	if listing, ok := src.(interface{ Schemas() ([]string, error) }); ok {
		if c.schemas, err = listing.Schemas(); err != nil {
			t.Fatalf("Schemas: %v", err)
		}
	}
	c.conform(t, checks())
	t.Run("configurations", func(t *testing.T) {
		var known []json.RawMessage
		if data, err := fs.ReadFile(c.files, "testdata/configurations.json"); err != nil || json.Unmarshal(data, &known) != nil || len(known) == 0 {
			t.Fatalf("testdata/configurations.json is no list of configurations: %v", err)
		}
		for i, config := range known {
			if _, err := src.Discover(t.Context(), config); err != nil {
				t.Errorf("configuration %d is not valid any more: %v", i, err)
			}
		}
	})
}

// folder returns the connector in this folder, and the configuration to discover with.
func folder(t *testing.T, specification func() (json.RawMessage, error)) (c connector, config []byte) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	c = connector{name: filepath.Base(here), files: os.DirFS(here)}
	if c.spec, err = specification(); err != nil {
		t.Fatalf("Spec: %v", err)
	}
	if config, err = fs.ReadFile(c.files, configFile); err != nil {
		t.Fatalf("Conform discovers with a configuration: %v", err)
	}
	return c, config
}

func (c connector) conform(t *testing.T, checks []check) {
	t.Helper()
	if *update {
		c.writeFields(t)
	}
	for _, check := range checks {
		t.Run(check.name, func(t *testing.T) {
			for _, finding := range check.of(c) {
				t.Error(finding)
			}
		})
	}
}

const configFile = "testdata/config.json"

// connector is what Conform checks.
type connector struct {
	name    string // of the folder
	files   fs.FS  // the folder
	spec    json.RawMessage
	catalog *protocol.Catalog
	schemas []string // names of the schema files
	offers  []protocol.DestinationOperation
}

// writes reports whether this is a destination.
func (c connector) writes() bool { return c.catalog == nil }

// streams returns the names of the catalog's streams, or those of a destination's operations, sorted.
func (c connector) streams() []string {
	var names []string
	for _, o := range c.offers {
		names = append(names, o.ObjectName)
	}
	if c.writes() {
		slices.Sort(names)
		return names
	}
	for _, s := range c.catalog.Streams {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return names
}

// check is one thing that Conform checks. of returns what is wrong, one sentence each.
type check struct {
	name string
	of   func(connector) []string
}

func checks() []check {
	return []check{
		{"spec", func(c connector) []string { return lintSpec(c.spec) }},
		{"config", lintConfig},
		{"catalog", func(c connector) []string { return lintCatalog(c.catalog, c.schemas) }},
		{"metadata", lintMetadata},
		{"acceptance config", lintAcceptance},
		{"readme", lintReadme},
		{"fields in the readme", lintFields},
		{"icon", lintIcon},
		{"go.mod", lintModule},
		{"https only", lintHTTPS},
	}
}

// findings collects sentences about what is wrong.
type findings []string

func (f *findings) addf(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// object returns v as a JSON object, or nil if it is something else.
func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

// list returns v as a JSON array, or nil if it is something else.
func list(v any) []any {
	l, _ := v.([]any)
	return l
}
