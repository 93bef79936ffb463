package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"
)

// most is how many bytes a record may have for the API to accept it.
const most = 1 << 20

// write takes records from stdin, one per line, and gives states back once the records before them are written.
func (c *connector) write(ctx context.Context, a arguments) error {
	var catalog struct{ Streams []configured }
	err := errors.Join(c.configure(a.config), decode(a.catalog, &catalog))
	if err == nil {
		_, err = c.client.get(ctx, "/genres")
	}
	if err != nil && !c.on("write.wrong_config") {
		return err
	}
	if len(catalog.Streams) == 0 && c.on("write.empty_catalog") {
		crash()
	}
	w := &writer{connector: c, dry: err != nil, late: c.on("write.states_after_records")}
	for _, s := range catalog.Streams {
		w.streams = append(w.streams, s.Stream.Name)
	}
	err = w.lines(ctx)
	if err == nil && w.records == 0 && len(w.streams) > 0 && c.on("write.empty_input") {
		err = errors.New("there is nothing to write")
	}
	return errors.Join(err, w.put(ctx))
}

// writer is one run of write.
type writer struct {
	*connector

	streams []string
	records int
	dry     bool     // nothing is written
	late    bool     // records are written at the end
	held    [][]byte // records that are not written yet
}

// lines handles the lines of stdin until its end, or until the run is stopped.
func (w *writer) lines(ctx context.Context) error {
	lines, failed := make(chan []byte), make(chan error, 1)
	go func() {
		input := bufio.NewReader(os.Stdin)
		for {
			line, err := input.ReadBytes('\n')
			if errors.Is(err, io.EOF) && len(line) > 0 {
				err = failure{"system_error", "The input ends within a line.", io.ErrUnexpectedEOF}
			}
			if err != nil {
				failed <- err
				return
			}
			lines <- line
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-failed:
			switch {
			case errors.Is(err, io.ErrUnexpectedEOF) && w.on("write.closed_input"):
				crash()
			case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
				return nil
			}
			return err
		case line := <-lines:
			if err := w.line(ctx, line); err != nil {
				return err
			}
		}
	}
}

// line handles a line.
func (w *writer) line(ctx context.Context, line []byte) error {
	var message struct {
		Type   string `json:"type"`
		Record struct {
			Stream string          `json:"stream"`
			Data   json.RawMessage `json:"data"`
		} `json:"record"`
		State json.RawMessage `json:"state"`
	}
	if err := json.Unmarshal(line, &message); err != nil {
		if w.on("write.broken_input") {
			crash()
		}
		return failure{"system_error", "A line of the input is no message.", err}
	}
	switch message.Type {
	case "RECORD":
		w.records++
		switch {
		case !slices.Contains(w.streams, message.Record.Stream):
			if w.on("write.unknown_stream") {
				return nil
			}
			return failure{"config_error", "There is a record of a stream that is not configured.", errors.New(message.Record.Stream)}
		case len(message.Record.Data) > most && w.on("write.large_records"):
			crash()
		case len(message.Record.Data) > most:
			return failure{"system_error", "A record is larger than the API takes.", fmt.Errorf("it has %d bytes", len(message.Record.Data))}
		}
		w.held = append(w.held, message.Record.Data)
		if w.late {
			return nil
		}
		return w.put(ctx)
	case "STATE":
		return w.echo(message.State)
	}
	return nil
}

// put writes the held records.
func (w *writer) put(ctx context.Context) error {
	for _, record := range w.held {
		if w.dry {
			break
		}
		if _, err := w.client.ask(context.WithoutCancel(ctx), http.MethodPost, "/returns", record); err != nil {
			return err
		}
	}
	w.held = nil
	return nil
}

// echo gives a state back.
func (w *writer) echo(state json.RawMessage) error {
	var body object
	if err := json.Unmarshal(state, &body); err != nil {
		return failure{"system_error", "A state is no object.", err}
	}
	if stats, ok := body["sourceStats"]; ok {
		body["destinationStats"] = stats
	}
	w.say("STATE", "state", body)
	if w.on("write.states") {
		w.say("STATE", "state", body)
	}
	if w.late {
		pause(10 * time.Millisecond) // so that the state is inspected before its records are written
	}
	return w.flush()
}
