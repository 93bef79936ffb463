// Package simulators knows every API simulator of this repository by name. Each lives in a folder here; what they share is in sim.
package simulators

import "strings"

//go:generate go run gen.go

// Name returns the simulator's name that belongs to a connector: source-dwv and destination-dwv are dwv, source-foo-bar is foobar.
func Name(connector string) string {
	return strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(connector, "source-"), "destination-"), "-", "")
}
