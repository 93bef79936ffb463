package connectortest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/cli"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/spec"
)

// ConformDestination is [Conform] for a destination. It checks operations instead of streams.
func ConformDestination(t *testing.T, dst cli.Destination) {
	t.Helper()
	c, config := folder(t, dst.Spec)
	catalog, err := dst.Discover(t.Context(), config)
	if err != nil {
		t.Fatalf("Discover: %v", err)
	}
	c.offers = catalog.Operations
	c.conform(t, []check{
		{"spec", func(c connector) []string { return slices.Concat(lintSpec(c.spec), lintModes(c.spec, c.offers)) }},
		{"config", lintConfig},
		{"operations", func(c connector) []string { return lintOperations(c.offers) }},
		{"metadata", lintMetadata},
		{"acceptance config", lintAcceptance},
		{"readme", lintReadme},
		{"fields in the readme", lintFields},
		{"icon", lintIcon},
		{"go.mod", lintModule},
		{"https only", lintHTTPS},
	})
}

// lintModes checks that the specification lists its sync modes and that every operation has one of them.
func lintModes(document json.RawMessage, offers []protocol.DestinationOperation) (f findings) {
	var whole struct {
		Modes []string `json:"supported_destination_sync_modes"`
	}
	if err := json.Unmarshal(document, &whole); err != nil || len(whole.Modes) == 0 {
		f.addf("the specification has no supported_destination_sync_modes (%v)", err)
	}
	for _, o := range offers {
		if !slices.Contains(whole.Modes, o.SyncMode) {
			f.addf("%s has the sync mode %q, which supported_destination_sync_modes does not have", o.ObjectName, o.SyncMode)
		}
	}
	return f
}

// lintOperations returns the faults of a destination's catalog that would confuse the platform or its users.
func lintOperations(offers []protocol.DestinationOperation) (f findings) {
	if len(offers) == 0 {
		f.addf("there are no operations")
	}
	seen := map[string]bool{}
	for _, o := range offers {
		if o.ObjectName == "" || seen[o.ObjectName] {
			f.addf("an operation has no name, or that of another: %q", o.ObjectName)
		}
		seen[o.ObjectName] = true
		if _, err := spec.Compile(o.ObjectName, o.JSONSchema); err != nil {
			f.addf("%v", err)
			continue
		}
		var root map[string]any
		if err := json.Unmarshal(o.JSONSchema, &root); err != nil {
			f.addf("%s: %v", o.ObjectName, err)
			continue
		}
		properties := object(root["properties"])
		if root["$schema"] != draft07 || root["additionalProperties"] != true || len(properties) == 0 {
			f.addf("%s must say that it is draft-07, have properties and allow additional ones", o.ObjectName)
		}
		for name, property := range properties {
			if said, _ := object(property)["description"].(string); strings.TrimSpace(said) == "" {
				f.addf("%q has no description", join(o.ObjectName, name))
			}
		}
		for _, name := range list(root["required"]) {
			if name, _ := name.(string); properties[name] == nil {
				f.addf("%s requires %q, which it does not have", o.ObjectName, name)
			}
		}
		for _, key := range o.MatchingKeys {
			if len(key) != 1 || properties[key[0]] == nil {
				f.addf("%s: the matching key %q is not in the schema", o.ObjectName, key)
			}
		}
	}
	return f
}

// GoldenDestination is [Golden] for a destination: the command write gets the messages of a case. A case has
//
//   - config.json: the configuration; "https://api.example" in it becomes the address of a server with the answers;
//   - exchanges.json: the answers, as for Golden;
//   - catalog.json: a configured catalog;
//   - messages.jsonl: the standard input;
//   - want.jsonl: as for Golden; the calls of a case must run one after the other, so that it is the same each time.
//
// Whatever want.jsonl says, the exit code must be 0 if and only if there is no TRACE ERROR, and no secret of the configuration may be in the output.
func GoldenDestination(t *testing.T, dst cli.Destination, dir string) {
	t.Helper()
	cases, err := os.ReadDir(dir)
	if err != nil || len(cases) == 0 {
		t.Fatalf("%s has no folders with cases: %v", dir, err)
	}
	for _, c := range cases {
		t.Run(c.Name(), func(t *testing.T) {
			t.Parallel()
			goldenWrite(t, dst, filepath.Join(dir, c.Name()))
		})
	}
}

func goldenWrite(t *testing.T, dst cli.Destination, dir string) {
	t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	api := serve(t, dir)
	config := bytes.ReplaceAll(read(filepath.Join(dir, "config.json")), []byte("https://api.example"), []byte(api.server.URL))
	input, err := os.Open(filepath.Join(dir, "messages.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	document, err := dst.Spec()
	if err != nil {
		t.Fatalf("Spec: %v", err)
	}
	var out, complaints bytes.Buffer
	began := time.Now()
	args := []string{"write", "--config", keep(t, "config.json", config), "--catalog", filepath.Join(dir, "catalog.json")}
	code := cli.RunDestination(t.Context(), dst, read("metadata.yaml"), args, input, &out, &complaints)
	api.server.Close()
	said, faults := listen(out.Bytes())
	faults = slices.Concat(faults, api.faults(), exitFaults(code, said), secretFaults(document, config, out.String()))
	verdict(t, faults, complaints.String(), filepath.Join(dir, "want.jsonl"), api.anonymous(transcript(said, began)))
}
