package fault

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Panic is a recovered panic. It is the cause inside the error that [Recovered] returns; errors.As finds it there.
type Panic struct {
	Value any    // the value of the panic
	Stack []byte // of the goroutine that panicked
}

// Error returns the value of the panic, without the stack.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Recovered returns the System error for what recover returned. The deferred function that recovered must call it, because it takes the stack.
func Recovered(value any) *Error {
	return &Error{
		Kind:    System,
		Message: "A mistake in the connector stopped it. Please report it with this run's log.",
		Err:     &Panic{Value: value, Stack: debug.Stack()},
	}
}

// StackOf returns the stack of the panic in err, or "" if err holds none.
func StackOf(err error) string {
	if p, ok := errors.AsType[*Panic](err); ok {
		return string(p.Stack)
	}
	return ""
}

// Safely calls do and returns its error, or the System error for a panic in it: a mistake in one goroutine must end in a message, and must not end
// the process.
func Safely(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = Recovered(value)
		}
	}()
	return do()
}
