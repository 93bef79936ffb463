//go:build !linux

package cli

// widenOutput does nothing, because the size of a pipe cannot be set on this system.
func widenOutput() {}
