package destination

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// call is a checked record, ready to be sent.
type call struct {
	operation *Operation
	fields    map[string]any // by the API's names
	body      map[string]any // holds the fields; nil if something is wrong with them
	about     string         // what the call is about, for messages: "id_externo 42244"; "" if the record does not say
	kind      string         // the operation and which Key fields are given; calls of different kinds never run at the same time
	thing     string         // the values of these fields; calls of one kind for the same thing run one after the other
	identity  string         // equal for two calls that ask for the same
	room      int            // the most bytes that its fields take in a receipt in the journal
}

// call checks a record. An error is a sentence for the user, without the period. The call has its about and the fields that could be read even if
// there is an error.
func (o *Operation) call(g given) (*call, error) {
	c := &call{operation: o, fields: map[string]any{}, kind: o.Name}
	named := map[string]bool{}
	var wrong, about []string
	for i, f := range o.Fields {
		value, err := g.text(i, f)
		switch {
		case err != nil:
			wrong = append(wrong, f.Name+" "+err.Error())
			named[f.Name] = true // it was given, if wrongly
		case value == "" && f.Required:
			wrong = append(wrong, f.Name+" is missing")
		case value == "" && f.Blank:
			c.fields[f.As] = ""
		case value != "":
			c.fields[f.As], named[f.Name] = value, true
			if f.Key {
				about = append(about, f.Name+" "+short(value))
				if !o.Serial {
					c.kind += "\n" + f.As
					if f.Kind.Same != nil {
						value = f.Kind.Same(value)
					}
					c.thing += "\n" + value
				}
			}
		}
	}
	if g.odd != "" {
		wrong = append(wrong, g.odd)
	}
	has := func(name string) bool { return named[name] }
	if n := count(o.One, has); len(o.One) > 0 && n != 1 {
		problem := " is missing"
		if n > 1 {
			problem = ": only one may be given"
		}
		wrong = append(wrong, strings.Join(o.One, " or ")+problem)
	}
	if len(o.Some) > 0 && count(o.Some, has) == 0 {
		wrong = append(wrong, "at least one of "+strings.Join(o.Some, ", ")+" is needed")
	}
	c.about = strings.Join(about, ", ")
	if len(wrong) > 0 {
		return c, errors.New(strings.Join(wrong, "; "))
	}
	c.body = map[string]any{o.Wrap: c.fields}
	return c, c.identify()
}

// identify sets c.identity and c.room.
func (c *call) identify() error {
	fields := maps.Clone(c.fields)
	for _, f := range c.operation.Fields {
		if _, ok := fields[f.As]; !ok && f.SameAsBlank {
			fields[f.As] = ""
		}
	}
	canonical, err := json.Marshal(map[string]any{c.operation.Wrap: fields}) // sorted by name
	if err != nil {
		return fmt.Errorf("it cannot be written as JSON: %w", err)
	}
	c.room = 2 * len(canonical) // JSON within JSON adds a backslash to each quote
	sum := sha256.Sum256(canonical)
	c.identity = c.operation.Name + " " + base64.RawStdEncoding.EncodeToString(sum[:])
	return nil
}

// What is wrong with a text that a reader could take for something other than what was written.
const (
	lost     = "is not valid text (UTF-8): characters of it were lost, and U+FFFD stands in their place"
	holdsNUL = "is not valid text: it holds the control character U+0000"
	// For a Blank field: if it were sent empty, it might ask for more than the user meant.
	onlyBlanks = "holds nothing but white space, and would go out empty"
)

// text returns the text of field number i, or "" if the record lacks it. A text that lost characters, here or before it arrived, is an error, because
// it could be the code of something else. So is a text with U+0000, because some readers end a text there.
func (g *given) text(i int, f Field) (string, error) {
	v := g.values[i]
	switch {
	case g.wrong[i] != "":
		return "", errors.New(g.wrong[i])
	case blank(v):
		return "", nil
	case v.Raw()[0] == '"' && strings.Contains(v.Text(), "\ufffd"): // record.Clean writes U+FFFD too
		return "", errors.New(lost)
	case v.Raw()[0] == '"' && strings.Contains(v.Text(), "\x00"):
		return "", errors.New(holdsNUL)
	}
	return f.Kind.Read(v)
}

// holdsOnlyBlanks reports whether v is a text that is not empty but has no visible character.
func holdsOnlyBlanks(v record.Value) bool {
	text := v.Text()
	return !v.IsNull() && v.Raw()[0] == '"' && text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.IsSpace(r)
	})
}

func blank(v record.Value) bool {
	return v.IsNull() || v.Raw()[0] == '"' && strings.TrimSpace(v.Text()) == ""
}

func count(names []string, has func(string) bool) (n int) {
	for _, name := range names {
		if has(name) {
			n++
		}
	}
	return n
}

// short makes a text of a record or of the API readable: on one line, and not too long.
func short(s string) string {
	const limit = 300
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return s
}

// schema returns the JSON Schema of the operation's records, with the fields' friendly names. It allows other members, as the platform wants of all
// schemas; records that have any are detected when they arrive.
func (o *Operation) schema() (json.RawMessage, error) {
	properties, required := map[string]any{}, []string{}
	for _, f := range o.Fields {
		p := map[string]any{}
		maps.Copy(p, f.Kind.Schema)
		p["description"] = f.Description
		if f.As != f.Name {
			p["description"] = f.Description + " The record may call it " + f.As + " instead."
		}
		properties[f.Name] = p
		if f.Required {
			required = append(required, f.Name)
		}
	}
	schema := map[string]any{
		"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "description": o.Description,
		"properties": properties, "required": required, "additionalProperties": true,
	}
	alternatives := func(names []string) (each []any) {
		for _, name := range names {
			each = append(each, map[string]any{"required": []string{name}})
		}
		return each
	}
	if len(o.One) > 0 {
		schema["oneOf"] = alternatives(o.One)
	}
	if len(o.Some) > 0 {
		schema["anyOf"] = alternatives(o.Some)
	}
	document, err := json.Marshal(schema)
	if err != nil {
		return nil, fmt.Errorf("describing %s: %w", o.Name, err)
	}
	return document, nil
}
