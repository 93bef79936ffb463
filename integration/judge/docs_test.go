package judge

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the list of checks in docs/acceptance.md")

const page = "../../docs/acceptance.md"

// listed returns the list of checks from the documentation.
func listed() string {
	about := map[string]string{
		"spec":                    "What `spec` says, as Airbyte's TestSpec asks.",
		"connection":              "`check` with each configuration.",
		"discovery":               "What `discover` says, as Airbyte's TestDiscovery asks.",
		"basic_read":              "One full refresh of every stream that is not excused.",
		"full_refresh":            "Two full refreshes, one after the other.",
		"incremental":             "Reads that go on from states.",
		"connector_attributes":    "What the connector and its `metadata.yaml` offer.",
		"connector_documentation": "`README.md` beside the configuration, or the page in a checkout of Airbyte's repository.",
		"image":                   "The image itself; the first three are the image tests of Airbyte's CDK.",
		"write":                   "Destinations.",
		"beyond":                  "What the platform's own code expects, and no acceptance tests ask for.",
		"faults":                  "With `--faults`: answers that go wrong, each in one way.",
	}
	var b strings.Builder
	suite := ""
	for _, c := range Checks() {
		if c.Suite != suite {
			suite = c.Suite
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| check | what it asks for, and why |\n|---|---|\n", suite, about[suite])
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", c.Full(), c.Why)
	}
	return b.String() + "\n"
}

// TestDocumentation checks that the documentation lists every check, with the reason that reports show.
func TestDocumentation(t *testing.T) {
	body, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, begun := strings.Cut(string(body), "<!-- checks: ")
	begin, rest, _ := strings.Cut(rest, "\n")
	list, tail, ended := strings.Cut(rest, "<!-- end of the checks -->")
	if !begun || !ended {
		t.Fatalf("%s has no place for the list of checks", page)
	}
	if *update {
		whole := head + "<!-- checks: " + begin + "\n" + listed() + "<!-- end of the checks -->" + tail
		if err := os.WriteFile(page, []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if list != listed() {
		t.Errorf("the list of checks in %s is not the table's; go test ./integration/judge -update writes it", page)
	}
}
