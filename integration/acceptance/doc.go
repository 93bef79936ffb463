// Package acceptance is the test of every connector from the outside: its binary and its image, run as the Airbyte platform runs them,
// against the simulator of its API. It has no code but tests; what they have in common is in the harness.
package acceptance
