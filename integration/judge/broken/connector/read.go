package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

// streams returns the streams as discover describes them.
func (c *connector) streams() []object {
	text := func(more ...any) object {
		property := object{"type": []any{"null", "string"}}
		for i := 0; i+1 < len(more); i += 2 {
			property[more[i].(string)] = more[i+1] //nolint:forcetypeassert // below
		}
		return property
	}
	books := object{
		"id": object{"type": "integer"}, "title": text(), "subtitle": text(), "loaned": object{"type": []any{"null", "boolean"}},
		"pages": object{"type": []any{"null", "integer"}}, "changed": text("format", "date-time", "airbyte_type", "timestamp_with_timezone"),
		"author": object{"type": []any{"null", "object"}, "additionalProperties": true, "properties": object{"name": text()}},
	}
	genres := object{"code": object{"type": "string"}, "name": text()}
	all := []object{
		{
			"name": "books", "json_schema": object{"type": "object", "additionalProperties": true, "properties": books},
			"supported_sync_modes": []any{"full_refresh", "incremental"}, "source_defined_cursor": true, "default_cursor_field": []any{"changed"},
			"source_defined_primary_key": []any{[]any{"id"}}, "is_resumable": true,
		},
		{
			"name": "genres", "json_schema": object{"type": "object", "additionalProperties": true, "properties": genres},
			"supported_sync_modes": []any{"full_refresh"}, "source_defined_primary_key": []any{[]any{"code"}}, "is_resumable": false,
		},
	}
	switch c.broken {
	case "discovery.discover":
		all = append(all, all[1])
	case "discovery.defined_cursors_exist_in_schema":
		all[0]["default_cursor_field"] = []any{"modified"}
	case "discovery.defined_refs_exist_in_schema":
		genres["shelf"] = object{"$ref": "#/properties/name"}
	case "discovery.defined_keyword_exist_in_schema":
		genres["shelf"] = object{"allOf": []any{object{"type": "string"}}}
	case "discovery.primary_keys_exist_in_schema":
		all[1]["source_defined_primary_key"] = []any{[]any{"isbn"}}
	case "discovery.primary_keys_data_type":
		all[0]["source_defined_primary_key"] = []any{[]any{"author"}}
	case "discovery.streams_has_sync_modes":
		all[1]["supported_sync_modes"] = []any{}
	case "discovery.additional_properties_is_true":
		all[1]["json_schema"].(object)["additionalProperties"] = false //nolint:forcetypeassert // above
	case "discovery.backward_compatibility":
		delete(books, "subtitle")
	case "basic_read.data_points":
		genres["shelf"] = text()
	case "connector_attributes.primary_keys":
		delete(all[1], "source_defined_primary_key")
	case "beyond.column_types":
		books["title"] = object{"type": []any{"string", "integer"}}
	}
	return all
}

func (c *connector) discover(a arguments) error {
	if err := c.configure(a.config); err != nil {
		return err
	}
	c.say("CATALOG", "catalog", object{"streams": c.streams()})
	return nil
}

// configured is a stream of the configured catalog.
type configured struct {
	Mode   string `json:"sync_mode"`
	Stream struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"stream"`
}

// sync is one stream's sync.
type sync struct {
	*connector
	configured

	state map[string]any // where it continues, or nil
	count int            // records since the previous state
}

func (c *connector) read(ctx context.Context, a arguments) error {
	var catalog struct{ Streams []configured }
	var states []struct {
		Stream struct {
			Descriptor struct{ Name string } `json:"stream_descriptor"`
			State      map[string]any        `json:"stream_state"`
		}
	}
	err := c.configure(a.config)
	err = errors.Join(err, decode(a.catalog, &catalog))
	if a.state != "" {
		err = errors.Join(err, decode(a.state, &states))
	}
	if err != nil {
		return err
	}
	c.breakRead(a)
	var failed error
	for _, one := range catalog.Streams {
		s := &sync{connector: c, configured: one}
		for _, state := range states {
			if state.Stream.Descriptor.Name == one.Stream.Name {
				s.state = state.Stream.State
			}
		}
		failed = errors.Join(failed, s.run(ctx))
	}
	return failed
}

// breakRead breaks a read before its streams.
func (c *connector) breakRead(a arguments) {
	switch c.broken {
	case "beyond.platform":
		if strings.HasPrefix(a.config, "/source/") {
			crash()
		}
	case "image.read":
		if strings.HasPrefix(a.config, "/secrets/") {
			crash()
		}
	case "beyond.answers":
		c.say("CONNECTION_STATUS", "connectionStatus", object{"status": "SUCCEEDED"})
	case "beyond.undeclared_streams":
		c.say("RECORD", "record", object{"stream": "authors", "data": object{"id": 1}, "emitted_at": time.Now().UnixMilli()})
	case "beyond.memory":
		ballast := make([]byte, 128<<20)
		for i := range ballast {
			ballast[i] = byte(i)
		}
		c.log(fmt.Sprint("ballast of ", ballast[len(ballast)-1]))
	case "beyond.heartbeat":
		pause(slowness)
	case "beyond.read_only_root":
		if os.WriteFile("/airbyte/cache", nil, 0o600) != nil {
			crash()
		}
	}
}

func (s *sync) run(ctx context.Context) (err error) {
	var read func(context.Context) error
	switch {
	case s.Stream.Name == "books" && (s.Mode == "full_refresh" || s.Mode == "incremental"):
		read = s.books
	case s.Stream.Name == "genres" && s.Mode == "full_refresh":
		read = s.genres
	case s.on("basic_read.trace_message_on_failure"):
		return nil
	default:
		return failure{"config_error", "The catalog has a stream, or a mode, that there is not.", errors.New(s.Stream.Name + " " + s.Mode)}
	}
	if !s.on("beyond.status_order") {
		s.status("STARTED")
	}
	if err = read(ctx); err == nil {
		s.status("COMPLETE")
	} else {
		s.status("INCOMPLETE")
	}
	return errors.Join(err, s.flush())
}

func (s *sync) descriptor() object {
	if s.Stream.Namespace != "" {
		return object{"name": s.Stream.Name, "namespace": s.Stream.Namespace}
	}
	return object{"name": s.Stream.Name}
}

func (s *sync) status(status string) {
	s.trace("STREAM_STATUS", "stream_status", object{"stream_descriptor": s.descriptor(), "status": status})
}

// running says that records come.
func (s *sync) running() {
	if !s.on("basic_read.stream_statuses") {
		s.status("RUNNING")
	}
}

// record sends a record.
func (s *sync) record(data, meta object) {
	record := object{"stream": s.Stream.Name, "data": data, "emitted_at": time.Now().UnixMilli()}
	if s.on("beyond.emitted_at") {
		record["emitted_at"] = time.Now().Unix()
	}
	if s.Stream.Namespace != "" {
		record["namespace"] = s.Stream.Namespace
	}
	if meta != nil {
		record["meta"] = meta
	}
	if s.on("beyond.slow_reader") && s.gaveUp() {
		return
	}
	s.say("RECORD", "record", record)
	s.count++
	if s.on("beyond.resume_after_kill") {
		_ = s.flush()                // the state returns the error again
		pause(20 * time.Millisecond) // the test may kill it a little late
	}
}

// gaveUp reports whether the reader let it wait too long, now or before. It writes much, so that no pipe can hold it all.
func (s *sync) gaveUp() bool {
	began := time.Now()
	s.log(strings.Repeat("x", 16<<10))
	_ = s.flush() // the state returns the error again
	s.unheard = s.unheard || time.Since(began) > 2*time.Second
	return s.unheard
}

// ahead returns a mark after the books of the next page.
func (*sync) ahead(mark any) any {
	text, _ := mark.(string)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return mark
	}
	return at.Add(19 * time.Minute).Format(time.RFC3339)
}

// checkpoint sends a state, which covers everything sent so far.
func (s *sync) checkpoint(state object) error {
	count, kind := s.count, "STREAM"
	if s.on("beyond.source_stats") {
		count++
	}
	message := object{
		"type": kind, "stream": object{"stream_descriptor": s.descriptor(), "stream_state": state}, "sourceStats": object{"recordCount": float64(count)},
	}
	if s.on("beyond.state_types") && s.Stream.Name == "genres" {
		message = object{"type": "LEGACY", "data": state, "sourceStats": object{"recordCount": float64(count)}}
	}
	if s.on("basic_read.state_messages") {
		delete(message, "sourceStats")
	}
	s.say("STATE", "state", message)
	s.count = 0
	if s.on("beyond.distinct_states") {
		message["sourceStats"] = object{"recordCount": 0.0}
		s.say("STATE", "state", message)
	}
	return s.flush()
}

func (s *sync) genres(ctx context.Context) error {
	body, err := s.client.get(ctx, "/genres")
	if err != nil {
		return err
	}
	var page struct{ Genres []object }
	if err := json.Unmarshal(body, &page); err != nil {
		return failure{"system_error", "The API's answer is not as it was.", err}
	}
	s.running()
	for i, genre := range page.Genres {
		switch {
		case s.on("basic_read.records"), s.on("beyond.rows") && i == 4, s.on("basic_read.expected_records") && i == 0:
			continue
		case s.on("beyond.empty_records") && i == 0:
			s.record(object{}, nil)
		case s.on("beyond.keys_in_schema"):
			genre["shelf"] = "A"
		case s.on("basic_read.primary_keys", "beyond.key_values") && i == 0:
			genre["code"] = nil
		}
		s.record(genre, nil)
	}
	return s.checkpoint(object{"complete": true})
}

// books reads the books that changed since the mark, in the order of their changes, page by page.
func (s *sync) books(ctx context.Context) error {
	mark, _ := s.state["changed"].(string)
	if s.Mode == "full_refresh" || s.on("incremental.two_sequential_reads") || s.on("incremental.state_with_abnormally_large_values") && mark > "2100" {
		mark = ""
	}
	skipped := 0
	if s.on("full_refresh.sequential_reads") {
		skipped = s.nth()
	}
	s.running()
	for number, more := 1, true; more; number++ {
		page, err := s.page(ctx, number, mark)
		if err != nil {
			return err
		}
		more = page.Page*page.Size < page.Total
		rows := page.Books
		if s.on("incremental.read_sequential_slices") && mark != "" && number == 1 && len(rows) > 2 {
			rows = rows[2:]
		}
		for _, book := range rows {
			if s.on("full_refresh.sequential_reads") && fmt.Sprint(book["id"]) == fmt.Sprint(skipped) {
				continue
			}
			s.record(s.shape(book))
		}
		if err := s.afterPage(page, more); err != nil {
			return err
		}
	}
	return nil
}

// shelf is a page of books.
type shelf struct {
	Total int      `json:"total"`
	Page  int      `json:"page"`
	Size  int      `json:"size"`
	Books []object `json:"books"`
}

// page requests a page, and requests it again if the answer is another page.
func (s *sync) page(ctx context.Context, number int, mark string) (page shelf, err error) {
	for range 3 {
		body, err := s.client.get(ctx, fmt.Sprintf("/books?page=%d&since=%s", number, url.QueryEscape(mark)))
		if err != nil {
			return page, err
		}
		page = shelf{}
		if err := json.Unmarshal(body, &page); err != nil {
			return page, failure{"system_error", "The API's answer is not as it was.", err}
		}
		if page.Page == number || page.Page == 0 || s.on("faults.repeated_page") {
			page.Page = number
			return page, nil
		}
	}
	return page, failure{"transient_error", "The API gives another page than the one that was asked for.", fmt.Errorf("page %d", page.Page)}
}

// shape converts a book to the types of its columns. If the number of pages is a text, it becomes null.
func (s *sync) shape(book object) (data, meta object) {
	if pages, isText := book["pages"].(string); isText {
		book["pages"] = nil
		meta = object{"changes": []any{object{"field": "pages", "change": "NULLED", "reason": "SOURCE_SERIALIZATION_ERROR"}}}
		if s.on("beyond.meta_changes") {
			book["pages"] = len(pages)
		}
	}
	switch {
	case s.on("basic_read.schema", "beyond.types"):
		book["loaned"] = "maybe"
	case s.on("discovery.backward_compatibility"):
		delete(book, "subtitle")
	}
	return book, meta
}

// afterPage sends the state after a page.
func (s *sync) afterPage(page shelf, more bool) error {
	if s.on("beyond.final_state") && !more {
		return s.flush()
	}
	state := object{"complete": true} // of an empty library
	if n := len(page.Books); n > 0 {
		state = object{"changed": page.Books[n-1]["changed"]}
	} else if s.state != nil {
		state = s.state
	}
	if s.on("beyond.cursor_and_state") && !more {
		state["changed"] = time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339)
	}
	if s.on("beyond.resume_from_states", "beyond.resume_after_kill") && more {
		state["changed"] = s.ahead(state["changed"])
	}
	return s.checkpoint(state)
}
