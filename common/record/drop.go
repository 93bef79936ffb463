package record

import (
	"fmt"
	"slices"
	"strings"
)

// Drop removes a member. Field is a path of Record.Get: `a.b` is the member b of the object a. Drop only looks into objects, not into arrays. Below
// the top level the names are those of the source.
type Drop struct{ Field string }

func (Drop) names(*compiler) {}

func (e Drop) values(c *compiler) {
	keys := splitPath(e.Field)
	if len(keys) == 0 {
		panic("record: a Drop without a field")
	}
	name, keys := keys[0], keys[1:]
	for c.flatten != nil && len(keys) > 0 && !slices.Contains(c.flatten.Keep, name) {
		key := keys[0]
		if c.lower {
			key = strings.ToLower(key)
		}
		name, keys = name+c.flatten.Separator+key, keys[1:] // its name in the output, if it were not dropped
	}
	col := c.field(name)
	if len(keys) == 0 {
		c.set(col, e)
		return
	}
	in, ok := col.edit.(inside)
	if !ok {
		in = inside{}
		c.set(col, in)
	}
	in.drop(keys, e.Field)
}

func (Drop) write(*writer, *column, []byte) {}
func (Drop) lacking(*writer, *column)       {}

// inside is the members to drop from an object. A nil value drops the member itself, any other value drops members inside it.
type inside map[string]inside

// drop enters the member at keys for the Drop of field.
func (in inside) drop(keys []string, field string) {
	for i, key := range keys {
		next, met := in[key]
		switch whole := i == len(keys)-1; {
		case met && (whole || next == nil):
			panic(fmt.Sprintf("record: what %q drops is dropped already, in whole or in part", field))
		case whole:
			in[key] = nil
		case !met:
			next = inside{}
			in[key] = next
		}
		in = next
	}
}

func (in inside) write(w *writer, c *column, value []byte) {
	if w.counts(c) {
		w.key(c)
		w.dst = appendWithout(w.dst, value, in)
	}
}

func (inside) lacking(*writer, *column) {}

// appendWithout appends value without the members to drop.
func appendWithout(dst, value []byte, drops inside) []byte {
	if (Value{raw: value}).kind() != '{' {
		return append(dst, value...)
	}
	dst = append(dst, '{')
	start := len(dst)
	var buffer [64]byte
	for c := (Value{raw: value}).open(); c.member(); {
		at, member := c.at, c.i
		key := c.key()
		if c.escaped {
			key = appendUnescaped(buffer[:0], key)
		}
		below, met := drops[string(key)]
		v := c.value().raw
		if met && below == nil {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(dst, value[at:member]...)
		if below == nil {
			dst = append(dst, v...)
		} else {
			dst = appendWithout(dst, v, below)
		}
	}
	return append(dst, '}')
}
