package spec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

// Description holds a connector's files and turns a configuration into an A, which says what the connector does with it. It is safe for concurrent
// use.
type Description[A any] struct {
	files    func() (*Spec, error)
	describe func(config []byte) (A, error)
}

// Describe returns a Description of files, which are loaded on first use. describe must be pure. C is the configuration, which is decoded from JSON
// after validation. A Config fault returned by C's own UnmarshalJSON is passed on to the user.
func Describe[C, A any](files fs.FS, describe func(C) A) Description[A] {
	return Description[A]{
		files: sync.OnceValues(func() (*Spec, error) { return Load(files) }),
		describe: func(config []byte) (a A, err error) {
			var c C
			if err := json.Unmarshal(config, &c); err != nil {
				return a, misfit(err)
			}
			return describe(c), nil
		},
	}
}

// misfit returns the fault for a configuration that passed validation but cannot be decoded.
func misfit(err error) error {
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return known
	}
	message := "The configuration cannot be used."
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		message = fmt.Sprintf("The configuration cannot be used: %q has a value of the wrong type.", wrong.Field)
	}
	return &fault.Error{Kind: fault.Config, Message: message, Err: err}
}

// Files returns the connector's JSON files. An error is a programming error.
func (d Description[A]) Files() (*Spec, error) { return d.files() }

// JSON returns the connector's spec.json, compact.
func (d Description[A]) JSON() (json.RawMessage, error) {
	files, err := d.files()
	if err != nil {
		return nil, err
	}
	return files.JSON(), nil
}

// Open cleans the tokens in config (see [Spec.Clean]), validates it, and returns its A. If config is wrong, the error is a Config fault that quotes
// nothing from it.
func (d Description[A]) Open(config []byte) (a A, err error) {
	files, err := d.files()
	if err != nil {
		return a, err
	}
	config = files.Clean(config)
	if err := files.Validate(config); err != nil {
		return a, err
	}
	return d.describe(config)
}

// Redactor returns the run's redactor from ctx, after adding the secrets of config.
func (d Description[A]) Redactor(ctx context.Context, config []byte) (*redact.Redactor, error) {
	files, err := d.files()
	if err != nil {
		return nil, err
	}
	redactor := redact.From(ctx)
	redactor.Add(Secrets(files.JSON(), config)...)
	return redactor, nil
}
