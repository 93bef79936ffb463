package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// Run is one run of the connector and what was observed.
type Run struct {
	*harness.Result

	Label string // its purpose, for people
	Late  bool   // it was ended because it took longer than allowed

	rows        []row         // of a read: as many as the result's
	first, last int64         // the least and the greatest emitted_at, in milliseconds; 0 if there are no records
	gap         time.Duration // the longest time without a record or a state
	after       string        // the line before that time
	beat        time.Time
	line        string // the last record or state
}

// row is a record of a run.
type row struct {
	stream, key string
	hash        uint64 // of its data's bytes
	data        []byte // nil unless requested
}

// line returns the beginning of a record's data.
func (r row) line() string { return string(r.data[:min(len(r.data), 300)]) }

// order describes a run to be made.
type order struct {
	label   string
	command harness.Command
	runner  harness.Runner // nil: the subject's own
	limit   time.Duration  // how long it may take; 0: a minute
	options harness.Options
	data    bool // keep the records' data
	apart   bool // checks of every run leave this one out
}

// run makes a run. A connector that fails or takes too long has a Run that says so. An error is the judge's own, or the context's end.
func (s *Subject) run(ctx context.Context, o order) (*Run, error) {
	if o.runner == nil {
		o.runner = s.runner
	}
	if o.limit == 0 {
		o.limit = time.Minute
	}
	if s.options.RunLimit > 0 {
		o.limit = s.options.RunLimit
	}
	secrets, learnt, err := s.secrets(ctx)
	if err != nil {
		return nil, err
	}
	r := &Run{Label: o.label, beat: time.Now(), line: "its start"}
	each := o.options.Each
	o.options.Each = func(m harness.Message, c *harness.Control) {
		r.see(m, o.data)
		if each != nil {
			each(m, c)
		}
	}
	for _, secret := range secrets {
		if !phrase(secret) {
			o.options.Secrets = append(o.options.Secrets, secret)
		} else {
			o.options.Phrases = append(o.options.Phrases, secret)
		}
	}
	o.options.Learnt, o.options.Schemas = learnt, &s.schemas
	o.command.Env = append(o.command.Env, s.environment()...)
	limited, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	r.Result, err = harness.Run(limited, o.runner, o.command, o.options)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil && r.Result != nil:
		r.Late = true
	case err != nil:
		return nil, fmt.Errorf("%s: %w", o.label, err)
	}
	r.pause("the end")
	for i, seen := range r.Result.Rows {
		if i < len(r.rows) {
			r.rows[i].key = seen.Key
		}
	}
	s.log(r)
	if !o.apart {
		s.mu.Lock()
		s.runs = append(s.runs, r)
		s.mu.Unlock()
	}
	return r, s.update(r)
}

// phrase reports whether a secret is made of words, as an example's may be ("no-assertion-at-all"), which occur in many sentences.
func phrase(secret string) bool { return !strings.ContainsAny(secret, "0123456789") }

// see handles a message while the connector runs.
func (r *Run) see(m harness.Message, keep bool) {
	switch m.Type {
	case "RECORD":
		r.pause(string(m.Line[:min(len(m.Line), 200)]))
		h := fnv.New64a()
		_, _ = h.Write(m.Data) // a hash never fails
		one := row{stream: m.Stream, hash: h.Sum64()}
		if keep {
			one.data = append([]byte(nil), m.Data...)
		}
		r.rows = append(r.rows, one)
		if at := emittedAt(m.Line); at > 0 {
			if r.first == 0 || at < r.first {
				r.first = at
			}
			r.last = max(r.last, at)
		}
	case "STATE":
		r.pause(string(m.Line[:min(len(m.Line), 200)]))
	}
}

// pause records how long nothing came that the platform takes for a sign of life.
func (r *Run) pause(line string) {
	now := time.Now()
	if gap := now.Sub(r.beat); gap > r.gap {
		r.gap, r.after = gap, r.line
	}
	r.beat, r.line = now, line
}

// String summarizes the run.
func (r *Run) String() string {
	text := r.Label + ": " + r.Result.String()
	if r.Late {
		text = r.Label + ": it was ended after " + r.Wall.Round(time.Millisecond).String() + ", since it took too long; " + r.Result.String()
	}
	return text
}

// complete returns what is wrong with a run that had to succeed, or "".
func (r *Run) complete() string {
	switch {
	case r.Late:
		return r.String()
	case r.Code != 0:
		return r.String()
	}
	return ""
}

// gaveUp reports whether the run failed properly: with a code other than 0 and a TRACE ERROR.
func (r *Run) gaveUp() bool { return !r.Late && r.Code != 0 && len(r.Failures) > 0 }

// asked reports whether the run was asked for a stream.
func (r *Run) asked(stream string) bool {
	var catalog struct {
		Streams []struct {
			Stream harness.Stream `json:"stream"`
		} `json:"streams"`
	}
	err := json.Unmarshal(r.Command.Files[harness.CatalogFile], &catalog)
	for _, s := range catalog.Streams {
		if s.Stream.Called() == stream {
			return true
		}
	}
	return err != nil
}

// keys returns the keys of a stream's rows, each once.
func (r *Run) keys(stream string) map[string]bool {
	keys := map[string]bool{}
	for _, one := range r.rows {
		if one.stream == stream {
			keys[one.key] = true
		}
	}
	return keys
}

// update keeps the configuration that a run wants to be kept, as the platform does, so that later runs get the new one. It also writes it to
// updated_configurations beside the old one, for those who want to use it again.
func (s *Subject) update(r *Run) error {
	if len(r.Updated) == 0 {
		return nil
	}
	config := r.Updated[len(r.Updated)-1]
	s.mu.Lock()
	path := s.given[string(r.Command.Files[harness.ConfigFile])]
	if path != "" {
		s.updated[path] = config
	}
	s.mu.Unlock()
	if path == "" {
		return nil
	}
	folder := filepath.Join(filepath.Dir(path), "updated_configurations")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("keeping the configuration that the connector updated: %w", err)
	}
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	file := filepath.Join(folder, fmt.Sprintf("%s|%d.json", stem, time.Now().UnixMilli()))
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return fmt.Errorf("keeping the configuration that the connector updated: %w", err)
	}
	return nil
}

// memo makes something once for a subject, for the first caller; the others wait. The caller chooses the key.
func memo[T any](s *Subject, key string, make func() (T, error)) (T, error) {
	once := sync.OnceValues(make)
	kept, _ := s.memos.LoadOrStore(key, once)
	known, ok := kept.(func() (T, error))
	if !ok {
		var none T
		return none, errors.New("keeping " + key + ": it is kept as something else")
	}
	return known()
}

// emittedAt returns a record's emitted_at, or 0 if it has none.
func emittedAt(line []byte) int64 {
	_, rest, ok := bytes.Cut(line, []byte(`"emitted_at":`))
	if at := bytes.LastIndex(line, []byte(`"emitted_at":`)); ok && at >= 0 { // not one within the data
		rest = line[at+len(`"emitted_at":`):]
	}
	end := bytes.IndexFunc(rest, func(c rune) bool { return c != ' ' && (c < '0' || c > '9') })
	if end < 0 {
		return 0
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(rest[:end])), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
