package specs

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestFiles holds what can be said of every JSON file without knowing its connector; the connectors' own tests look deeper.
func TestFiles(t *testing.T) {
	snake := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*\.json$`)
	seen := 0
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".json" {
			return err
		}
		seen++
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var schema map[string]any
		if err := json.Unmarshal(data, &schema); err != nil {
			t.Errorf("%s: %v", name, err)
			return nil
		}
		if !snake.MatchString(path.Base(name)) {
			t.Errorf("%s: the name is not in snake_case", name)
		}
		if path.Base(name) == "spec.json" {
			schema, _ = schema["connectionSpecification"].(map[string]any)
		}
		if schema["$schema"] != "http://json-schema.org/draft-07/schema#" {
			t.Errorf("%s: $schema is %v, not draft-07", name, schema["$schema"])
		}
		if strings.Contains(string(data), `"$ref"`) && path.Dir(name) != "airbyte" { // which is for tests alone
			t.Errorf("%s: a $ref is not resolved by the platform", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 3 {
		t.Errorf("only %d JSON files were found", seen)
	}
}

// TestConnectors holds that every connector's folder is complete.
func TestConnectors(t *testing.T) {
	folders, err := fs.Glob(os.DirFS("."), "*-*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("got %v, %v, want the connectors' folders", folders, err)
	}
	for _, folder := range folders {
		if !strings.HasPrefix(folder, "source-") && !strings.HasPrefix(folder, "destination-") {
			t.Errorf("%s: a connector's folder begins with source- or destination-", folder)
		}
		if _, err := os.Stat(path.Join(folder, "spec.json")); err != nil {
			t.Error(err)
		}
		streams, err := os.ReadDir(path.Join(folder, "streams"))
		if strings.HasPrefix(folder, "source-") && (err != nil || len(streams) == 0) {
			t.Errorf("%s: got %d stream schemas, %v", folder, len(streams), err)
		}
	}
}
