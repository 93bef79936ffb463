// Package judge holds what is asked of a connector, whoever wrote it and in whatever language: one table of checks, which the command
// acceptance runs on an image or an executable, and the tests of this repository on its own connectors.
//
// A check looks at a connector from the outside: at runs of the package harness. Its configuration is the acceptance-test-config.yml that
// connectors of Airbyte's have.
package judge

// Check is one thing that is asked of a connector.
type Check struct {
	Suite string // as in acceptance-test-config.yml, or image, write, beyond or faults
	Name  string // lasting, unique in its suite
	Why   string // what it asks for, and why that matters: a sentence or two for people

	Kind  Kind
	Image bool // it is about an image, and left out of a binary
	Alone bool // it measures, so nothing runs beside it
	Fault bool // it needs the proxy, and runs with --faults only
}

// Full is the check's name with its suite's, as in "spec.oneof_usage".
func (c Check) Full() string { return c.Suite + "." + c.Name }
