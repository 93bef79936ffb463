package common_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/imob-data/airbyte-connectors/common"

// floors returns the order of the engine: a package imports packages of lower floors only.
func floors() [][]string {
	return [][]string{
		0: {"fault", "redact", "ratelimit", "record", "internal/memnet", "internal/numbers"},
		1: {"protocol", "spec", "httpclient", "brazil"},
		2: {"auth", "pagination", "state"},
		3: {"listing"},
		4: {"replication"},
		5: {"rest", "destination", "salesforce", "cli"},
		6: {"connectortest"},
	}
}

// homes returns the third parties, each with the packages that may import it. The code of all others stays free to change without them, and a
// third party can be exchanged in one place.
func homes() map[string][]string {
	return map[string][]string{
		"github.com/cenkalti/backoff/v4":                {"httpclient"},
		"github.com/RoaringBitmap/roaring/v2":           {"internal/numbers"},
		"github.com/golang-jwt/jwt/v5":                  {"auth"},
		"github.com/itchyny/gojq":                       {"protocol"},
		"github.com/rogpeppe/go-internal":               {"connectortest"},
		"github.com/imob-data/airbyte-connectors/specs": {"connectortest"},
		"github.com/santhosh-tekuri/jsonschema/v5":      {"spec"},
		"github.com/urfave/cli/v2":                      {"cli"},
		"go.yaml.in/yaml/v3":                            {"cli", "connectortest"},
		"golang.org/x/crypto/x509roots/fallback":        {"cli"},
		"golang.org/x/sync":                             {"auth"},
		"golang.org/x/sys":                              {"cli"},
		"golang.org/x/term":                             {"cli"},
		"golang.org/x/text":                             {"destination", "httpclient"},
	}
}

// apart returns the packages that must not know of one another although their floors would let them: each with those that it does not import.
func apart() map[string][]string {
	return map[string][]string{
		"listing":     {"protocol", "state"},                // nothing of Airbyte
		"replication": {"httpclient", "pagination", "auth"}, // nothing of HTTP and page numbers
		"cli":         {"httpclient"},
	}
}

// listed is what go list says of a package.
type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestFloors(t *testing.T) {
	floor := map[string]int{}
	for n, names := range floors() {
		for _, name := range names {
			floor[name] = n
		}
	}
	for _, p := range list(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if name == "" {
			continue // this folder
		}
		own, ok := floor[name]
		if !ok {
			t.Errorf("%s stands on no floor; add it to the table, as low as its imports let it", name)
			continue
		}
		for _, imported := range p.Imports {
			if other, ok := strings.CutPrefix(imported, module+"/"); ok && floor[other] >= own {
				t.Errorf("%s (floor %d) imports %s (floor %d)", name, own, other, floor[other])
			}
		}
		for _, other := range apart()[name] {
			if slices.Contains(p.Imports, module+"/"+other) {
				t.Errorf("%s imports %s, of which it is to know nothing", name, other)
			}
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if thirdParty(imported) && !slices.Contains(home(imported), name) {
				t.Errorf("%s imports %s, whose home is %q", name, imported, home(imported))
			}
		}
	}
}

// home returns the packages that may import a package of a third party.
func home(path string) []string {
	for third, names := range homes() {
		if path == third || strings.HasPrefix(path, third+"/") {
			return names
		}
	}
	return nil
}

// thirdParty reports whether an import is neither the standard library's, whose paths begin with no domain, nor this module's.
func thirdParty(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".") && !strings.HasPrefix(path, module+"/")
}

// list asks go list about every package of this module.
func list(t *testing.T) []listed {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("reading the output of go list: %v", err)
		}
		all = append(all, p)
	}
}
