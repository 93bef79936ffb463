package judge

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// Report is the outcome of all checks.
type Report struct {
	Connector string // the image, or the executable
	Verdicts  []Verdict
	Took      time.Duration
}

// Failed reports whether a check failed or could not be made.
func (r Report) Failed() bool {
	n := r.count()
	return n[Failed]+n[Broken] > 0
}

func (r Report) count() map[Status]int {
	n := map[Status]int{}
	for _, v := range r.Verdicts {
		n[v.Status]++
	}
	return n
}

// Summary returns the report in one sentence.
func (r Report) Summary() string {
	n := r.count()
	text := fmt.Sprintf("%d passed, %d failed, %d skipped", n[Passed], n[Failed], n[Skipped])
	if n[Broken] > 0 {
		text += fmt.Sprintf(", %d could not be made", n[Broken])
	}
	return fmt.Sprintf("%s: %s in %s", r.Connector, text, r.Took.Round(100*time.Millisecond))
}

// Text writes the report for people: a line for each check, by suite. Below a failed check it writes what was expected, what came, and the offending
// line. With all, it also writes skipped checks with their reasons.
func (r Report) Text(w io.Writer, all bool) error {
	var b strings.Builder
	suite := ""
	for _, v := range r.Verdicts {
		if v.Status == Skipped && !all {
			continue
		}
		if v.Check.Suite != suite {
			suite = v.Check.Suite
			fmt.Fprintf(&b, "\n%s\n", suite)
		}
		b.WriteString(v.Text())
	}
	fmt.Fprintf(&b, "\n%s\n", r.Summary())
	_, err := io.WriteString(w, b.String())
	return err
}

// Text returns a verdict as it is written in the report.
func (v Verdict) Text() string {
	var b strings.Builder
	mark := map[Status]string{Passed: "ok  ", Failed: "FAIL", Skipped: "skip", Broken: "????"}[v.Status]
	fmt.Fprintf(&b, "  %s  %s", mark, v.Check.Name)
	if v.Took >= time.Second {
		fmt.Fprintf(&b, " (%s)", v.Took.Round(100*time.Millisecond))
	}
	if v.Reason != "" {
		fmt.Fprintf(&b, ": %s", plain(v.Reason))
	}
	b.WriteByte('\n')
	for _, f := range v.Findings {
		fmt.Fprintf(&b, "          expected  %s\n          came      %s\n", plain(f.Expected), plain(f.Came))
		if f.Line != "" {
			fmt.Fprintf(&b, "          line      %s\n", f.Line)
		}
	}
	if v.Status == Failed {
		fmt.Fprintf(&b, "          why       %s\n", v.Check.Why)
	}
	for _, warning := range v.Warnings {
		fmt.Fprintf(&b, "          warning   %s\n", plain(warning))
	}
	return b.String()
}

// JSON writes the report for programs: an object with the connector and its checks.
func (r Report) JSON(w io.Writer) error {
	type check struct {
		Suite    string    `json:"suite"`
		Name     string    `json:"name"`
		Status   Status    `json:"status"`
		Seconds  float64   `json:"seconds"`
		Reason   string    `json:"reason,omitempty"`
		Why      string    `json:"why"`
		Findings []Finding `json:"findings,omitempty"`
		Warnings []string  `json:"warnings,omitempty"`
	}
	out := struct {
		Connector string         `json:"connector"`
		Seconds   float64        `json:"seconds"`
		Counts    map[Status]int `json:"counts"`
		Checks    []check        `json:"checks"`
	}{r.Connector, r.Took.Seconds(), r.count(), []check{}}
	for _, v := range r.Verdicts {
		out.Checks = append(out.Checks, check{
			v.Check.Suite, v.Check.Name, v.Status, v.Took.Seconds(), v.Reason, v.Check.Why, v.Findings, v.Warnings,
		})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// JUnit writes the report as JUnit XML, with a test suite for each suite.
func (r Report) JUnit(w io.Writer) error {
	type message struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	type testCase struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Time    string   `xml:"time,attr"`
		Failure *message `xml:"failure,omitempty"`
		Error   *message `xml:"error,omitempty"`
		Skipped *message `xml:"skipped,omitempty"`
	}
	type testSuite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Cases    []testCase `xml:"testcase"`
	}
	out := struct {
		XMLName xml.Name     `xml:"testsuites"`
		Name    string       `xml:"name,attr"`
		Time    string       `xml:"time,attr"`
		Suites  []*testSuite `xml:"testsuite"`
	}{Name: r.Connector, Time: seconds(r.Took)}
	for _, v := range r.Verdicts {
		n := len(out.Suites)
		if n == 0 || out.Suites[n-1].Name != v.Check.Suite {
			out.Suites = append(out.Suites, &testSuite{Name: v.Check.Suite})
			n++
		}
		suite := out.Suites[n-1]
		suite.Tests++
		c := testCase{Class: v.Check.Suite, Name: v.Check.Name, Time: seconds(v.Took)}
		switch v.Status {
		case Failed:
			suite.Failures++
			first := Finding{}
			if len(v.Findings) > 0 {
				first = v.Findings[0]
			}
			c.Failure = &message{"expected " + plain(first.Expected), clean(v.Text())}
		case Broken:
			suite.Errors++
			c.Error = &message{plain(v.Reason), clean(v.Text())}
		case Skipped:
			suite.Skipped++
			c.Skipped = &message{Message: plain(v.Reason)}
		case Passed:
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// clean returns a text without the characters that XML cannot hold, not even escaped.
func clean(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' {
			return ' '
		}
		return c
	}, text)
}

// Markdown writes the report as a summary for a page: the sentence, and a table of what did not pass, with its findings.
func (r Report) Markdown(w io.Writer) error {
	var b strings.Builder
	mark := map[bool]string{true: "❌", false: "✅"}[r.Failed()]
	fmt.Fprintf(&b, "### %s %s\n\n", mark, escaped(r.Summary()))
	for _, v := range r.Verdicts {
		if v.Status != Failed && v.Status != Broken {
			continue
		}
		fmt.Fprintf(&b, "<details><summary><code>%s</code>: %s</summary>\n\n", v.Check.Full(), escaped(v.Check.Why))
		if v.Reason != "" {
			fmt.Fprintf(&b, "%s\n", escaped(plain(v.Reason)))
		}
		if len(v.Findings) > 0 {
			b.WriteString("| expected | came | line |\n|---|---|---|\n")
		}
		for _, f := range v.Findings {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", escaped(plain(f.Expected)), escaped(plain(f.Came)), escaped(plain(f.Line)))
		}
		b.WriteString("\n</details>\n\n")
	}
	b.WriteString("| suite | passed | failed | skipped |\n|---|---:|---:|---:|\n")
	var suites []string
	counts := map[string]map[Status]int{}
	for _, v := range r.Verdicts {
		if counts[v.Check.Suite] == nil {
			counts[v.Check.Suite] = map[Status]int{}
			suites = append(suites, v.Check.Suite)
		}
		counts[v.Check.Suite][v.Status]++
	}
	for _, suite := range suites {
		n := counts[suite]
		fmt.Fprintf(&b, "| %s | %d | %d | %d |\n", suite, n[Passed], n[Failed]+n[Broken], n[Skipped])
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// escaped returns a text that Markdown shows literally in a table.
func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "\\|", "`", "'", "*", "\\*", "_", "\\_").Replace(text)
}
