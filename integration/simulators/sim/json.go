package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
)

// Object is a JSON object whose members vary from row to row. What always has the same members is a struct.
type Object map[string]any

// Raw is verbatim JSON, for spellings that the encoder would not choose: 70.0, \u00e1, \/. It must be valid.
type Raw = json.RawMessage

// Add adds the members of another object to o.
func (o Object) Add(other Object) { maps.Copy(o, other) }

// Put sets several members to one value.
func (o Object) Put(value any, names ...string) {
	for _, name := range names {
		o[name] = value
	}
}

// Absent is the value of a member that Present removes.
const Absent absence = 0

type absence uint8

// Present removes the members of o whose value is Absent, and returns o.
func (o Object) Present() Object {
	for name, value := range o {
		if value == Absent {
			delete(o, name)
		}
	}
	return o
}

// Members are the members of an object, in order.
type Members []member

type member struct {
	name  string
	value any
}

// Ordered returns members of an object, given as name, value, name, value.
func Ordered(pairs ...any) (all Members) {
	for i := 0; i < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		all = append(all, member{name, pairs[i+1]})
	}
	return all
}

// JSON is JSON that Encode wrote, so that nobody need parse it again.
type JSON json.RawMessage

// MarshalJSON returns the JSON itself.
func (w JSON) MarshalJSON() ([]byte, error) { return w, nil }

// Encode returns v as encoding/json writes it, but without escaping <, > and &. Members must not be inside any value but Members. It panics on a
// value that cannot be encoded, which is a mistake of the simulator.
func Encode(v any) []byte {
	if written, ok := v.(JSON); ok {
		return written
	}
	var b bytes.Buffer
	encode(&b, v)
	return b.Bytes()
}

// encode writes v to b.
func encode(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case JSON:
		b.Write(v)
	case []JSON:
		size := 2 + len(v)
		for _, part := range v {
			size += len(part)
		}
		b.Grow(size)
		b.WriteByte('[')
		for i, part := range v {
			comma(b, i)
			b.Write(part)
		}
		b.WriteByte(']')
	case Members:
		b.WriteByte('{')
		for i, m := range v {
			comma(b, i)
			encode(b, m.name)
			b.WriteByte(':')
			encode(b, m.value)
		}
		b.WriteByte('}')
	default:
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			panic(fmt.Sprintf("a simulator cannot write its answer: %v", err))
		}
		b.Truncate(b.Len() - len("\n"))
	}
}

// comma writes the comma before part i, unless i is 0.
func comma(b *bytes.Buffer, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
}

// Send answers with v as JSON and the headers that w already has.
func Send(w http.ResponseWriter, status int, contentType string, v any) {
	sendBytes(w, status, contentType, Encode(v))
}
