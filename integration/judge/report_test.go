package judge

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"
)

func sample() Report {
	return Report{Connector: "x", Took: time.Second, Verdicts: []Verdict{
		{Check: Check{Suite: "spec", Name: "answer", Why: "why"}, Status: Passed},
		{Check: Check{Suite: "spec", Name: "enum_usage", Why: "a|b"}, Status: Failed, Warnings: []string{"look"},
			Findings: []Finding{{"each once", "\x01twice | <b>", `{"type":"SPEC"}`}}},
		{Check: Check{Suite: "beyond", Name: "rows", Why: "why"}, Status: Skipped, Reason: "no simulator"},
		{Check: Check{Suite: "beyond", Name: "memory", Why: "why"}, Status: Broken, Reason: "no Docker"},
	}}
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := sample()
	if !r.Failed() || (Report{Verdicts: r.Verdicts[:1]}).Failed() {
		t.Error("what fails is not what has failed")
	}
	var text, all, junit, markdown, object bytes.Buffer
	for _, err := range []error{r.Text(&text, false), r.Text(&all, true), r.JUnit(&junit), r.Markdown(&markdown), r.JSON(&object)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"FAIL  enum_usage", "expected  each once", "line      {\"type\":\"SPEC\"}", "????  memory: no Docker", "1 passed, 1 failed, 1 skipped, 1 could not"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in %s", want, &text)
		}
	}
	if strings.Contains(text.String(), "no simulator") || !strings.Contains(all.String(), "skip  rows: no simulator") {
		t.Errorf("skipped checks: %s\n%s", &text, &all)
	}
	var parsed struct {
		Suites []struct {
			Name     string `xml:"name,attr"`
			Failures int    `xml:"failures,attr"`
			Cases    []struct {
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(junit.Bytes(), &parsed); err != nil || len(parsed.Suites) != 2 || parsed.Suites[0].Failures != 1 ||
		parsed.Suites[0].Cases[1].Failure.Message != "expected each once" {
		t.Errorf("%v: %s", err, &junit)
	}
	var decoded struct {
		Counts map[string]int `json:"counts"`
		Checks []struct {
			Findings []Finding `json:"findings"`
		} `json:"checks"`
	}
	if err := json.Unmarshal(object.Bytes(), &decoded); err != nil || decoded.Counts["failed"] != 1 || len(decoded.Checks[1].Findings) != 1 {
		t.Errorf("%v: %s", err, &object)
	}
	if !strings.Contains(markdown.String(), `twice \| &lt;b&gt;`) || !strings.Contains(markdown.String(), "| spec | 1 | 1 | 0 |") {
		t.Errorf("got %s", &markdown)
	}
}
