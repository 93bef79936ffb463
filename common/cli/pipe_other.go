//go:build !linux

package cli

// widenOutput does nothing where the room of a pipe cannot be chosen.
func widenOutput() {}
