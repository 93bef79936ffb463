package fault

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Panic is a panic that was recovered. It stands as the cause inside the error that [Recovered] makes; errors.As finds it there.
type Panic struct {
	Value any    // what was panicked with
	Stack []byte // of the goroutine that panicked
}

// Error returns the value that was panicked with, without the stack.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Recovered returns the System error for what recover returned. It must be called by the deferred function that recovered, since it takes
// the stack there.
func Recovered(value any) *Error {
	return &Error{
		Kind:    System,
		Message: "A mistake in the connector stopped it. Please report it with this run's log.",
		Err:     &Panic{Value: value, Stack: debug.Stack()},
	}
}

// StackOf returns the stack of the panic in err, or nothing where err is of none.
func StackOf(err error) string {
	if p, ok := errors.AsType[*Panic](err); ok {
		return string(p.Stack)
	}
	return ""
}

// Safely calls do and returns its error, or the System error for a panic in it: a mistake in one goroutine must end in a message, not in the
// death of the process.
func Safely(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = Recovered(value)
		}
	}()
	return do()
}
