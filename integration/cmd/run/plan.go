package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// stream is a stream that this run reads.
type stream struct {
	name       string // with its namespace
	mode       string
	configured map[string]json.RawMessage // its part of the configured catalog
	before     *entry                     // the state that it goes on from; nil: it begins anew
	generation int64

	rows     *rows // the file; nil where records go to a destination
	records  int64
	status   string // that the source said last
	complete bool
}

// plan finds out which streams there are, how they are read, and from which states.
func (s *session) plan(ctx context.Context) error {
	configured, err := s.configured(ctx)
	if err != nil {
		return err
	}
	for _, c := range configured {
		raw := gjson.ParseBytes(c["stream"])
		one := &stream{name: called(raw.Get("namespace").Str, raw.Get("name").Str), configured: c, generation: s.started.Unix()}
		one.mode = gjson.ParseBytes(c["sync_mode"]).Str
		if e, ok := s.memory.get(one.name); ok {
			// A state from another sync mode is of no use.
			if e.Mode == "" || e.Mode == one.mode {
				one.before, one.generation = &e, max(e.Generation, 1)
			}
		}
		s.streams = append(s.streams, one)
	}
	if len(s.streams) == 0 {
		return errors.New("the catalog has no streams")
	}
	return nil
}

// configured returns the streams to read: those of the catalog that was given, or those asked for out of the ones that the source has.
func (s *session) configured(ctx context.Context) (all []map[string]json.RawMessage, err error) {
	if s.catalog != "" {
		return givenCatalog(s.catalog)
	}
	s.bar.Step("%s: asking for its streams", s.source.name())
	catalog, err := s.source.ask(ctx, "discover", "CATALOG")
	if err != nil {
		return nil, err
	}
	modes, err := s.targetModes(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]gjson.Result{}
	var order []string
	for _, found := range catalog.Get("streams").Array() {
		name := called(found.Get("namespace").Str, found.Get("name").Str)
		names[name] = found
		order = append(order, name)
	}
	for _, name := range wanted(s.options.streams, order) {
		found, ok := names[name]
		if !ok {
			return nil, fmt.Errorf("%s has no stream %q; it has %s", s.source.name(), name, strings.Join(order, ", "))
		}
		c, err := configure(found, modes)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// givenCatalog returns the streams of a configured catalog in a file.
func givenCatalog(path string) ([]map[string]json.RawMessage, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the catalog: the file %s does not exist", path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the catalog: %w", err)
	}
	var catalog struct {
		Streams []map[string]json.RawMessage `json:"streams"`
	}
	if err := json.Unmarshal(text, &catalog); err != nil {
		return nil, fmt.Errorf("reading the catalog: %w", err)
	}
	for i, c := range catalog.Streams {
		if c["stream"] == nil || c["sync_mode"] == nil {
			return nil, fmt.Errorf("reading the catalog: stream %d has no member stream or no sync_mode, which a configured catalog has", i+1)
		}
	}
	return catalog.Streams, nil
}

// wanted returns the names in a list with commas, each once, or all where it has none.
func wanted(list string, all []string) (names []string) {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if names == nil {
		return all
	}
	return names
}

// targetModes returns the ways to write that the destination has; nil for files.
func (s *session) targetModes(ctx context.Context) (modes []string, err error) {
	if s.target == nil {
		return nil, nil
	}
	spec, err := s.target.ask(ctx, "spec", "SPEC")
	for _, mode := range spec.Get("supported_destination_sync_modes").Array() {
		modes = append(modes, mode.Str)
	}
	return modes, err
}

// configure makes a stream of a configured catalog out of one that was discovered: incremental where it can be, and written with one record for a
// key, or in the place of what was there before, where the destination can do so.
func configure(found gjson.Result, modes []string) (map[string]json.RawMessage, error) {
	mode, wishes := whole, []string{"overwrite", "append"}
	for _, supported := range found.Get("supported_sync_modes").Array() {
		if supported.Str == incremental {
			mode, wishes = incremental, []string{"append"}
			if len(found.Get("source_defined_primary_key").Array()) > 0 {
				wishes = []string{"append_dedup", "append"}
			}
		}
	}
	write := wishes[0]
	if len(modes) > 0 {
		i := slices.IndexFunc(wishes, func(wish string) bool { return slices.Contains(modes, wish) })
		if write = modes[0]; i >= 0 {
			write = wishes[i]
		}
	}
	c := map[string]json.RawMessage{"stream": json.RawMessage(found.Raw)}
	for member, value := range map[string]string{
		"cursor_field": found.Get("default_cursor_field").Raw, "primary_key": found.Get("source_defined_primary_key").Raw,
	} {
		if value != "" && value != "null" {
			c[member] = json.RawMessage(value)
		}
	}
	for member, value := range map[string]string{"sync_mode": mode, "destination_sync_mode": write} {
		text, err := marshal(value, nil)
		if err != nil {
			return nil, err
		}
		c[member] = text
	}
	return c, nil
}

// catalogText returns the configured catalog. A destination keeps apart what different generations of a stream brought: each reading of a whole
// stream is one, and replaces those before it where it is written in the mode overwrite.
func (s *session) catalogText() ([]byte, error) {
	var streams []map[string]json.RawMessage
	for _, one := range s.streams {
		c := one.configured
		least := int64(0)
		if gjson.ParseBytes(c["destination_sync_mode"]).Str == "overwrite" {
			least = one.generation
		}
		for member, value := range map[string]int64{"generation_id": one.generation, "minimum_generation_id": least, "sync_id": s.started.Unix()} {
			c[member] = json.RawMessage(fmt.Sprint(value))
		}
		streams = append(streams, c)
	}
	text, err := marshal(map[string]any{"streams": streams}, nil)
	if err != nil {
		return nil, fmt.Errorf("writing the catalog: %w", err)
	}
	if err := s.disk.replace(filepath.Join(s.out, catalogFile), append(text, '\n')); err != nil {
		return nil, fmt.Errorf("writing the catalog: %w", err)
	}
	return text, nil
}

// states returns what is handed to the source to go on from; nil where there is nothing. States of streams that are not read stay where they are.
func (s *session) states() []byte {
	var entries []entry
	for _, one := range s.streams {
		if one.before != nil && !slices.ContainsFunc(entries, func(e entry) bool { return e.stream == one.before.stream }) {
			entries = append(entries, *one.before)
		}
	}
	return given(entries)
}
