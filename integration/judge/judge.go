// Package judge checks a connector, whoever wrote it and in whatever language. It has one table of checks. The command acceptance runs them on an
// image or an executable, and the tests of this repository run them on its own connectors.
//
// A check sees a connector from the outside, through runs of the package harness. It is configured by the acceptance-test-config.yml that Airbyte's
// connectors have.
package judge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// Check is one requirement for a connector.
type Check struct {
	Suite string // as in acceptance-test-config.yml, or image, write, beyond or faults
	Name  string // stable, unique in its suite
	Why   string // what it requires, and why that matters: a sentence or two for people

	Kind  Kind
	Image bool // it is about an image, so it is skipped for an executable
	Alone bool // it measures, so nothing may run beside it
	Every bool // it is about all runs that were made, so it comes after all others
	Fault bool // it needs the proxy, so it only runs with --faults

	Run func(ctx context.Context, t *Trial) error // an error is the judge's own, not the connector's
}

// A Kind says which connectors a check is for.
type Kind uint8

// The kinds.
const (
	Any Kind = iota
	Sources
	Destinations
)

// Full returns the check's name with its suite's, as in "spec.oneof_usage".
func (c Check) Full() string { return c.Suite + "." + c.Name }

// named reports whether names contains the check's name, with or without its suite's, or its suite's name.
func (c Check) named(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return name == c.Full() || name == c.Suite || name == c.Name })
}

// Trial is one run of a check on a connector.
type Trial struct {
	*Subject

	verdict *Verdict
}

// Status is the outcome of a check.
type Status string

// The statuses.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Skipped Status = "skipped"
	Broken  Status = "broken" // the judge could not decide, for example because Docker does not answer; it counts as failed
)

// Finding is one thing that is wrong. Its texts have no secrets.
type Finding struct {
	Expected string `json:"expected"`
	Came     string `json:"came"`
	Line     string `json:"line,omitempty"` // the beginning of the offending line of output
}

// Verdict is the outcome of a check, with its reasons.
type Verdict struct {
	Check    Check
	Status   Status
	Reason   string // why it was skipped or broken
	Findings []Finding
	Warnings []string
	Took     time.Duration
}

// most is how many findings of a check are kept.
const most = 10

// fail reports that something else came than was expected, and the offending line if there is one.
func (t *Trial) fail(expected, came, line string) {
	t.verdict.Status = Failed
	if len(t.verdict.Findings) < most {
		t.verdict.Findings = append(t.verdict.Findings, Finding{t.blank(expected), t.blank(came), t.blank(line)})
	}
}

// failf is fail without a line.
func (t *Trial) failf(expected, format string, args ...any) {
	t.fail(expected, fmt.Sprintf(format, args...), "")
}

// warn reports something that is not a fault but worth a look.
func (t *Trial) warn(format string, args ...any) {
	t.verdict.Warnings = append(t.verdict.Warnings, t.blank(fmt.Sprintf(format, args...)))
}

// skip says why there is nothing to check.
func (t *Trial) skip(format string, args ...any) {
	if t.verdict.Status == Passed {
		t.verdict.Status, t.verdict.Reason = Skipped, fmt.Sprintf(format, args...)
	}
}

// against reports the violations of some rules by a run.
func (t *Trial) against(expected string, r *Run, rules ...harness.Rule) {
	for _, p := range r.Against(rules...) {
		text := strings.TrimSuffix(p.Text, ": "+p.Line)
		t.fail(expected, r.Label+": "+text, p.Line)
	}
}

// Chosen returns the checks that the options select, in the table's order.
func (s *Subject) Chosen() []Check {
	var all []Check
	for _, c := range Checks() {
		if (len(s.options.Only) == 0 || c.named(s.options.Only)) && !c.named(s.options.Skip) {
			all = append(all, c)
		}
	}
	return all
}

// left returns why a check does not apply to this connector, or "".
func (s *Subject) left(c Check) string {
	switch {
	case c.Kind == Sources && s.Writes():
		return "it is for sources"
	case c.Kind == Destinations && !s.Writes():
		return "it is for destinations"
	case c.Image && s.image == "":
		return "it is for images"
	case c.Fault && !s.options.Faults && !c.named(s.options.Only):
		return "it runs with --faults"
	}
	for _, suite := range s.Config.suites() {
		switch {
		case suite.name != c.Suite:
		case suite.reason != "":
			return "bypassed: " + suite.reason
		case suite.tests == 0:
			return "the configuration has no tests of " + c.Suite
		}
	}
	return ""
}

// Judge runs the chosen checks: first those that measure, one by one, then the others concurrently, then those about every run. It passes each
// verdict to done as it comes, one at a time. It returns the verdicts in the table's order. began is called when a check begins, from any goroutine.
// Both may be nil.
func (s *Subject) Judge(ctx context.Context, began func(Check), done func(Verdict)) []Verdict {
	chosen := s.Chosen()
	defer s.tearDown(ctx)
	verdicts := make([]Verdict, len(chosen))
	var mu sync.Mutex
	one := func(i int) {
		if began != nil {
			began(chosen[i])
		}
		v := s.try(ctx, chosen[i])
		mu.Lock()
		defer mu.Unlock()
		verdicts[i] = v
		if done != nil {
			done(v)
		}
	}
	phase := func(jobs int, is func(Check) bool) {
		var group sync.WaitGroup
		slots := make(chan struct{}, jobs)
		for i, c := range chosen {
			if !is(c) {
				continue
			}
			slots <- struct{}{}
			group.Go(func() {
				defer func() { <-slots }()
				one(i)
			})
		}
		group.Wait()
	}
	phase(1, func(c Check) bool { return c.Alone })
	phase(s.options.Jobs, func(c Check) bool { return !c.Alone && !c.Every })
	phase(s.options.Jobs, func(c Check) bool { return c.Every })
	return verdicts
}

// try runs a check.
func (s *Subject) try(ctx context.Context, c Check) Verdict {
	v := Verdict{Check: c, Status: Passed}
	began := time.Now()
	if reason := s.left(c); reason != "" {
		v.Status, v.Reason = Skipped, reason
		return v
	}
	err := ctx.Err()
	if err == nil && len(s.Config.clients()) > 0 {
		_, err = memo(s, "set up", func() (bool, error) { return true, s.setUp(ctx) })
	}
	if err == nil {
		err = c.Run(ctx, &Trial{Subject: s, verdict: &v})
	}
	if err != nil {
		v.Status, v.Reason = Broken, s.blank(err.Error())
	}
	v.Took = time.Since(began)
	return v
}
