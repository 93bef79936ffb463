package judge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// The files of a folder that stands for a version. They hold the answers to spec and discover, without the enclosing messages.
const (
	savedSpec    = "spec.json"
	savedCatalog = "catalog.json"
)

// generated is how many configurations are generated that the previous version accepts.
const generated = 100

// before says where the previous version is: an image, or a folder of saved files; or why there is none.
type before struct {
	image, folder string
	none          string
}

// previous finds the previous version: the one in the options, or else a folder testdata/previous beside the configuration, or else the image that
// the configuration names.
func (t *Trial) previous(ctx context.Context, c Compatibility) before {
	said := t.options.Previous
	if said == "" {
		if folder := filepath.Join(filepath.Dir(t.options.Config), "testdata", "previous"); exists(filepath.Join(folder, savedSpec)) {
			said = folder
		}
	}
	if said != "" {
		if info, err := os.Stat(said); err == nil && info.IsDir() {
			return before{folder: said}
		}
		return before{image: said}
	}
	if t.image == "" {
		return before{none: "no version before is given (--previous)"}
	}
	version := cmp.Or(c.Previous, "latest")
	if c.Disable != "" && (version == c.Disable || t.Metadata != nil && t.Metadata.Tag == c.Disable) {
		return before{none: "disabled for version " + c.Disable}
	}
	name := t.image
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	ref := name + ":" + version
	if ref == t.image {
		return before{none: ref + " is the image itself"}
	}
	if err := (harness.Image{Ref: ref}).Pull(ctx); err != nil {
		return before{none: "the image " + ref + " is not to be had"}
	}
	return before{image: ref}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// ask returns the previous version's answer to a command.
func (t *Trial) ask(ctx context.Context, image string, c harness.Command) (*Run, error) {
	return t.run(ctx, order{label: image + " " + c.Args[0], command: c, runner: harness.Image{Ref: image}, apart: true})
}

func specCompatible(ctx context.Context, t *Trial) error {
	spec, ok, err := t.spec(ctx)
	if !ok {
		return err
	}
	for _, test := range t.Config.Tests.Spec.Tests {
		b := t.previous(ctx, test.Compatibility)
		if b.none != "" {
			t.skip("%s", b.none)
			continue
		}
		var old struct {
			Schema map[string]any `json:"connectionSpecification"`
		}
		if b.folder != "" {
			err = readFile(filepath.Join(b.folder, savedSpec), &old)
		} else {
			err = t.oldSpec(ctx, b.image, &old)
		}
		if err != nil {
			return fmt.Errorf("asking the version before: %w", err)
		}
		for _, change := range narrowed("", old.Schema, spec.schema, true) {
			t.fail("configurations of "+cmp.Or(b.image, b.folder)+" go on working", change, "")
		}
		return t.takes(old.Schema, spec.schema)
	}
	return nil
}

func (t *Trial) oldSpec(ctx context.Context, image string, into any) error {
	r, err := t.ask(ctx, image, harness.Spec())
	if err != nil {
		return err
	}
	if len(r.Specs) == 0 {
		return errors.New(r.String())
	}
	return json.Unmarshal(r.Specs[0], into)
}

// takes checks generated configurations that the old schema accepts against the new one.
func (t *Trial) takes(old, current map[string]any) error {
	oldSchema, err := compile("old", old)
	if err != nil {
		return fmt.Errorf("reading the version before: %w", err)
	}
	newSchema, err := compile("new", current)
	if err != nil {
		t.fail("a JSON Schema of draft-07", err.Error(), "")
		return nil
	}
	g := newGenerator(t.options.Seed)
	valid := 0
	for range 10 * generated {
		if valid == generated {
			break
		}
		config := g.value(old)
		if oldSchema.Validate(config) != nil {
			continue // the generator only knows the usual keywords
		}
		valid++
		if err := newSchema.Validate(config); err != nil {
			t.failf("a configuration that the version before takes is taken", "%s, in %s", harness.Mismatch(err), short(config))
			return nil // others would show the same
		}
	}
	if valid == 0 {
		t.warn("no configuration could be generated that the version before takes")
	}
	return nil
}

func catalogCompatible(ctx context.Context, t *Trial) error {
	for _, test := range t.Config.Tests.Discovery.Tests {
		now, ok, err := t.catalog(ctx, test.Common)
		if !ok {
			return err
		}
		b := t.previous(ctx, test.Compatibility)
		if b.none != "" {
			t.skip("%s", b.none)
			continue
		}
		var old harness.Catalog
		if b.folder != "" {
			file := filepath.Join(b.folder, savedCatalog)
			if !exists(file) {
				t.skip("there is no %s", file)
				continue
			}
			err = readFile(file, &old)
		} else {
			old, err = t.oldCatalog(ctx, b.image, test.Common)
		}
		if err != nil {
			return fmt.Errorf("asking the version before: %w", err)
		}
		t.compareCatalogs(old, now)
	}
	return nil
}

func (t *Trial) oldCatalog(ctx context.Context, image string, test Common) (harness.Catalog, error) {
	config, err := t.config(test.ConfigPath, true)
	if err != nil {
		return harness.Catalog{}, err
	}
	r, err := t.ask(ctx, image, harness.Discover(config))
	if err != nil {
		return harness.Catalog{}, err
	}
	if len(r.Catalogs) == 0 {
		return harness.Catalog{}, errors.New(r.String())
	}
	return r.Catalogs[0], nil
}

// compareCatalogs reports what a table that was made from the old catalog, or a connection, would lose.
func (t *Trial) compareCatalogs(old, current harness.Catalog) {
	for _, was := range old.Streams {
		i := slices.IndexFunc(current.Streams, func(s harness.Stream) bool { return s.Called() == was.Called() })
		if i < 0 {
			t.failf("the streams of the version before", "%s is gone", was.Called())
			continue
		}
		is := current.Streams[i]
		if len(was.DefaultCursorField) > 0 && !slices.Equal(was.DefaultCursorField, is.DefaultCursorField) {
			t.failf("the cursors of the version before", "that of %s was %v and is %v", was.Called(), was.DefaultCursorField, is.DefaultCursorField)
		}
		if len(was.SourceDefinedPrimaryKey) > 0 && !equal(was.SourceDefinedPrimaryKey, is.SourceDefinedPrimaryKey) {
			t.failf("the primary keys of the version before", "that of %s was %v and is %v", was.Called(), was.SourceDefinedPrimaryKey,
				is.SourceDefinedPrimaryKey)
		}
		var before, now map[string]any
		if json.Unmarshal(was.JSONSchema, &before) != nil || json.Unmarshal(is.JSONSchema, &now) != nil {
			continue // discovery.discover reports it
		}
		for _, change := range narrowed(was.Called(), before, now, false) {
			t.fail("the fields of the version before", change, "")
		}
	}
}

// narrowed returns the changes from one schema to another that make valid data invalid. For a configuration, these are values that it may no longer
// have. For records, these are changes of their columns.
func narrowed(at string, old, current map[string]any, config bool) (all []string) {
	say := func(format string, args ...any) {
		all = append(all, fmt.Sprintf("%q ", at)+fmt.Sprintf(format, args...))
	}
	was, wasNull := typesOf(old)
	is, isNull := typesOf(current)
	if len(is) > 0 {
		for _, one := range was {
			wider := one == "integer" && slices.Contains(is, "number")
			if !slices.Contains(is, one) && !wider {
				say("was of the type %v and is of %v", was, is)
				break
			}
		}
		if len(was) == 0 {
			say("had no type and is of %v", is)
		}
	}
	if wasNull && !isNull && len(is) > 0 {
		say("could be null and cannot any more")
	}
	for _, keyword := range []string{"format", "airbyte_type"} {
		if !equal(old[keyword], current[keyword]) {
			say("had the %s %s and has %s", keyword, short(old[keyword]), short(current[keyword]))
		}
	}
	if config {
		all = append(all, narrowedValues(at, old, current)...)
	}
	properties, now := mapOf(old["properties"]), mapOf(current["properties"])
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		below, ok := now[name].(map[string]any)
		switch {
		case ok:
			all = append(all, narrowed(join(at, name), mapOf(properties[name]), below, config)...)
		case !config:
			all = append(all, fmt.Sprintf("%q is gone", join(at, name)))
		}
	}
	if items, ok := old["items"].(map[string]any); ok {
		if below, ok := current["items"].(map[string]any); ok {
			all = append(all, narrowed(join(at, "(items)"), items, below, config)...)
		}
	}
	return all
}

// narrowedValues returns the changes of the values that a field of a configuration may have, and of the fields that it must have.
func narrowedValues(at string, old, current map[string]any) (all []string) {
	say := func(format string, args ...any) {
		all = append(all, fmt.Sprintf("%q ", at)+fmt.Sprintf(format, args...))
	}
	for _, name := range listOf(current["required"]) {
		if !slices.Contains(listOf(old["required"]), name) {
			say("requires %s, and did not", short(name))
		}
	}
	was, enumerated := old["enum"].([]any)
	is, enumerates := current["enum"].([]any)
	switch {
	case enumerates && !enumerated && len(old) > 0:
		say("takes the values %s alone, and took any", short(is))
	case enumerates:
		for _, value := range was {
			if !slices.ContainsFunc(is, func(v any) bool { return equal(v, value) }) {
				say("does not take %s any more", short(value))
			}
		}
	}
	return all
}
