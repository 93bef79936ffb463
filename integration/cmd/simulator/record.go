package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// recorder is a simulator that writes down what it is asked and answers. It is for those who want to know what rows there were, whatever a
// connector made of them.
type recorder struct {
	sim.Simulator

	mu   sync.Mutex
	book io.Writer
}

// exchange is one line of the book.
type exchange struct {
	Path   string              `json:"path"`
	Query  map[string][]string `json:"query"`
	Body   json.RawMessage     `json:"body,omitempty"` // of the request, if it is JSON
	Answer json.RawMessage     `json:"answer"`
}

// ServeHTTP answers as the simulator does.
func (r *recorder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	q.Body = io.NopCloser(bytes.NewReader(body))
	heard := &listener{ResponseWriter: w, status: http.StatusOK}
	r.Simulator.ServeHTTP(heard, q)
	if heard.status != http.StatusOK || !json.Valid(heard.body.Bytes()) {
		return
	}
	e := exchange{Path: q.URL.Path, Query: q.URL.Query(), Answer: heard.body.Bytes()}
	if json.Valid(body) {
		e.Body = body
	}
	line, err := json.Marshal(e)
	if err != nil {
		return // every part of it is valid
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.book.Write(append(line, '\n')) // a book that cannot be written lacks rows, which its reader finds
}

// listener is an answer that is heard while it is written.
type listener struct {
	http.ResponseWriter

	status int
	body   bytes.Buffer
}

// WriteHeader keeps the status.
func (l *listener) WriteHeader(status int) {
	l.status = status
	l.ResponseWriter.WriteHeader(status)
}

// Write keeps the body.
func (l *listener) Write(p []byte) (int, error) {
	l.body.Write(p)
	return l.ResponseWriter.Write(p)
}

// expect prints what a full read must bring and may bring now, as one line of JSON: keys by stream.
func expect(s sim.Simulator, stdout io.Writer) error {
	type keys struct {
		Must []string `json:"must"`
		May  []string `json:"may"`
	}
	all := map[string]keys{}
	for stream, e := range s.Expect() {
		all[stream] = keys{slices.Sorted(maps.Keys(e.Full.Must)), slices.Sorted(maps.Keys(e.Full.May))}
	}
	line, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("writing what is expected: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "%s\n", line)
	return err
}
