package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// perStream is how many records of each stream are expected: enough to see that the stream is the same.
const perStream = 1

// WriteExpected reads as basic_read does and writes the first record of each stream to the file that the test's expect_records names.
func (s *Subject) WriteExpected(ctx context.Context) error {
	written := 0
	for _, test := range s.Config.Tests.BasicRead.Tests {
		if test.Expect == nil || test.Expect.Path == "" {
			continue
		}
		t := &Trial{Subject: s, verdict: &Verdict{}}
		r, ok, err := t.basic(ctx, test)
		switch {
		case err != nil:
			return err
		case !ok:
			return errors.New("writing the expected records: " + t.verdict.Findings[0].Came)
		case r.complete() != "":
			return errors.New("writing the expected records: " + s.blank(r.complete()))
		}
		body, err := expected(r)
		if err != nil {
			return err
		}
		if err := os.WriteFile(s.Config.Path(test.Expect.Path), body, 0o644); err != nil {
			return fmt.Errorf("writing the expected records: %w", err)
		}
		written++
	}
	if written == 0 {
		return errors.New("writing the expected records: no test of basic_read has a path in expect_records")
	}
	return nil
}

func expected(r reading) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	for _, stream := range r.streams {
		n := 0
		for _, one := range r.rows {
			if one.stream != stream.Called() || n == perStream {
				continue
			}
			n++
			record := struct {
				Stream  string          `json:"stream"`
				Data    json.RawMessage `json:"data"`
				Emitted int64           `json:"emitted_at"`
			}{stream.Name, one.data, 0} // the time does not matter, and would differ each time
			if err := e.Encode(record); err != nil {
				return nil, fmt.Errorf("writing the expected records: %w", err)
			}
		}
	}
	return out.Bytes(), nil
}

// Save writes the answers to spec and discover to a folder, for [Options.Previous] of later versions.
func (s *Subject) Save(ctx context.Context, folder string) error {
	t := &Trial{Subject: s, verdict: &Verdict{}}
	spec, ok, err := t.spec(ctx)
	if err == nil && !ok {
		err = errors.New("there is no specification")
	}
	if err != nil {
		return fmt.Errorf("saving what the connector says: %w", err)
	}
	files := map[string]any{savedSpec: spec.whole}
	if !s.Writes() {
		catalog, ok, err := t.everything(ctx)
		if err == nil && !ok {
			err = errors.New("there is no catalog")
		}
		if err != nil {
			return fmt.Errorf("saving what the connector says: %w", err)
		}
		files[savedCatalog] = catalog
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("saving what the connector says: %w", err)
	}
	for name, value := range files {
		body, err := json.MarshalIndent(value, "", "  ")
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), append(body, '\n'), 0o644)
		}
		if err != nil {
			return fmt.Errorf("saving what the connector says: %w", err)
		}
	}
	return nil
}
