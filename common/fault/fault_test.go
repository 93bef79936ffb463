package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestOf(t *testing.T) {
	config, system, transient := Configf("Mend the token."), Systemf("A bug."), Transientf("Try later.")
	tests := []struct {
		name string
		err  error
		want *Error // nil: a new one, of kind and message
		kind Kind
		text string
	}{
		{"itself", config, config, Config, "Mend the token."},
		{"wrapped", fmt.Errorf("reading: %w", fmt.Errorf("asking: %w", transient)), transient, Transient, "Try later."},
		{"the outer of two", &Error{Kind: Config, Message: "Outer.", Err: system}, nil, Config, "Outer."},
		{"config before system and transient", errors.Join(transient, system, config), config, Config, "Mend the token."},
		{"system before transient", errors.Join(transient, system), system, System, "A bug."},
		{"the first of equals", errors.Join(transient, Transientf("Other.")), transient, Transient, "Try later."},
		{
			"joined inside wrapped inside joined",
			errors.Join(io.EOF, fmt.Errorf("a: %w", errors.Join(transient, fmt.Errorf("b: %w", config)))), config, Config, "Mend the token.",
		},
		{"several %w", fmt.Errorf("%w and %w", transient, system), system, System, "A bug."},
		{"beside a cancellation", errors.Join(context.Canceled, config), config, Config, "Mend the token."},
		{"cancelled", fmt.Errorf("asking: %w", context.Canceled), nil, Transient, "The run was stopped before it was complete."},
		{"deadline", context.DeadlineExceeded, nil, Transient, "The run was stopped before it was complete."},
		{"any other", io.ErrUnexpectedEOF, nil, System, "Something unexpected went wrong in the connector: unexpected EOF"},
		{"unwraps to nothing", hollow{}, nil, System, "Something unexpected went wrong in the connector: hollow"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Of(test.err)
			if got.Kind != test.kind || got.Message != test.text {
				t.Errorf("got %v %q, want %v %q", got.Kind, got.Message, test.kind, test.text)
			}
			if test.want != nil && got != test.want {
				t.Errorf("got another Error than the one that was wrapped: %v", got)
			}
			if !errors.Is(test.err, got) && !errors.Is(got, test.err) {
				t.Error("the result is neither in the error nor around it")
			}
		})
	}
	if Of(nil) != nil {
		t.Error("Of(nil) is not nil")
	}
}

type hollow struct{}

func (hollow) Error() string { return "hollow" }
func (hollow) Unwrap() error { return nil }

func TestMessageAndCause(t *testing.T) {
	if got := Configf("The token is wrong."); got.Error() != "The token is wrong." || got.Err != nil || got.Kind != Config {
		t.Errorf("got %+v", got)
	}
	got := Transientf("The API cannot be reached: %w", io.EOF)
	if got.Message != "The API cannot be reached: EOF" || !errors.Is(got, io.EOF) || got.Kind != Transient {
		t.Errorf("got %+v", got)
	}
	if got := (&Error{Message: "A bug.", Err: io.EOF}).Error(); got != "A bug.: EOF" {
		t.Errorf("got %q", got)
	}
}

func TestKinds(t *testing.T) {
	for kind, want := range map[Kind]string{
		System: "system_error", Config: "config_error", Transient: "transient_error", Kind(200): "system_error",
	} {
		if kind.String() != want {
			t.Errorf("got %s, want %s", kind, want)
		}
	}
	var zero Error
	if zero.Kind != System {
		t.Error("the zero Error is not a system error")
	}
}
