package protocol

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// Panic is a panic that was recovered. It stands as the cause inside the error that [Recovered] makes; errors.As finds it there.
type Panic struct {
	Value any    // what was panicked with
	Stack []byte // of the goroutine that panicked
}

// Error is the value that was panicked with, without the stack.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Recovered is the [fault.System] error for what recover returned. It must be called by the deferred function that recovered, since it
// takes the stack there.
func Recovered(value any) *fault.Error {
	return &fault.Error{
		Kind:    fault.System,
		Message: "A mistake in the connector stopped it. Please report it with this run's log.",
		Err:     &Panic{Value: value, Stack: debug.Stack()},
	}
}

// stackOf is the stack of the panic in err, or nothing.
func stackOf(err error) string {
	if p, ok := errors.AsType[*Panic](err); ok {
		return string(p.Stack)
	}
	return ""
}
