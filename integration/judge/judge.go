// Package judge holds what is asked of a connector, whoever wrote it and in whatever language: one table of checks, which the command
// acceptance runs on an image or an executable, and the tests of this repository on its own connectors.
//
// A check looks at a connector from the outside: at runs of the package harness. Its configuration is the acceptance-test-config.yml that
// connectors of Airbyte's have.
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

// Check is one thing that is asked of a connector.
type Check struct {
	Suite string // as in acceptance-test-config.yml, or image, write, beyond or faults
	Name  string // lasting, unique in its suite
	Why   string // what it asks for, and why that matters: a sentence or two for people

	Kind  Kind
	Image bool // it is about an image, and left out of a binary
	Alone bool // it measures, so nothing runs beside it
	Every bool // it is about every run that was made, so it comes after all others
	Fault bool // it needs the proxy, and runs with --faults only

	Run func(ctx context.Context, t *Trial) error // an error is the judge's own, not the connector's
}

// A Kind is what a check is for.
type Kind uint8

// The kinds.
const (
	Any Kind = iota
	Sources
	Destinations
)

// Full returns the check's name with its suite's, as in "spec.oneof_usage".
func (c Check) Full() string { return c.Suite + "." + c.Name }

// named reports whether one of some names is the check's, with its suite's or without, or its suite's.
func (c Check) named(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return name == c.Full() || name == c.Suite || name == c.Name })
}

// Trial is a check at work on a connector.
type Trial struct {
	*Subject

	verdict *Verdict
}

// Status is what came of a check.
type Status string

// The statuses.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Skipped Status = "skipped"
	Broken  Status = "broken" // the judge could not make up its mind, as where Docker does not answer; it counts as failed
)

// Finding is one thing that is wrong, without secrets.
type Finding struct {
	Expected string `json:"expected"`
	Came     string `json:"came"`
	Line     string `json:"line,omitempty"` // the beginning of the offending line of output
}

// Verdict is what came of a check.
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

// fail notes that something else came than was expected, and the offending line where there is one.
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

// warn notes what is no fault, and worth a look.
func (t *Trial) warn(format string, args ...any) {
	t.verdict.Warnings = append(t.verdict.Warnings, t.blank(fmt.Sprintf(format, args...)))
}

// skip says why there is nothing to check.
func (t *Trial) skip(format string, args ...any) {
	if t.verdict.Status == Passed {
		t.verdict.Status, t.verdict.Reason = Skipped, fmt.Sprintf(format, args...)
	}
}

// against notes what a run did against some rules.
func (t *Trial) against(expected string, r *Run, rules ...harness.Rule) {
	for _, p := range r.Against(rules...) {
		text := strings.TrimSuffix(p.Text, ": "+p.Line)
		t.fail(expected, r.Label+": "+text, p.Line)
	}
}

// Chosen returns the checks that the options ask for, in the table's order.
func (s *Subject) Chosen() []Check {
	var all []Check
	for _, c := range Checks() {
		if (len(s.options.Only) == 0 || c.named(s.options.Only)) && !c.named(s.options.Skip) {
			all = append(all, c)
		}
	}
	return all
}

// left returns why a check is left out of this connector, or "".
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

// Judge runs the chosen checks: first those that measure, one by one, then the others beside each other, then those about every run. Each
// verdict is handed to done, one at a time, as it comes; what is returned is in the table's order. Began, which may be nil, is called when a
// check begins, from any goroutine.
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
