package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
)

// Object is a JSON object whose members are not the same in every row. What always has the same members is a struct.
type Object map[string]any

// Raw is JSON as it is, for spellings that the encoder would not choose: 70.0, \u00e1, \/. It must be valid.
type Raw = json.RawMessage

// Add puts the members of another object into o.
func (o Object) Add(other Object) { maps.Copy(o, other) }

// Put sets several members to one value.
func (o Object) Put(value any, names ...string) {
	for _, name := range names {
		o[name] = value
	}
}

// Absent is the value of a member that Present leaves out.
const Absent absence = 0

type absence uint8

// Present takes the members out of o whose value is Absent, and returns o.
func (o Object) Present() Object {
	for name, value := range o {
		if value == Absent {
			delete(o, name)
		}
	}
	return o
}

// Members are those of an object, in an order.
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

// JSON is JSON as Encode wrote it, which nobody need read again.
type JSON json.RawMessage

// MarshalJSON returns the JSON itself.
func (w JSON) MarshalJSON() ([]byte, error) { return w, nil }

// Encode returns v as encoding/json writes it, with <, > and & as they are; Members must not lie in any other value. It panics on what cannot be
// written: the simulator's own fault.
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

// comma writes the comma before part i.
func comma(b *bytes.Buffer, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
}

// Send answers with v in JSON, and with the headers that w has already.
func Send(w http.ResponseWriter, status int, contentType string, v any) {
	sendBytes(w, status, contentType, Encode(v))
}
