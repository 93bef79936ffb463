package record

import (
	"strconv"
	"strings"
)

// Get returns Value.Get of the record as a whole.
func (r Record) Get(path string) Value {
	start := skipSpace(r)
	if start >= len(r) {
		return Value{}
	}
	if path != "" { // where the record ends does not matter then
		return Value{raw: r[start:]}.Get(path)
	}
	end := skipValue(r, start)
	return Value{raw: r[start:end:end]}
}

// Get returns the value at a dotted path, absent where there is none. The keys of a path are literal: nothing but the dot and the backslash
// has a meaning. A dot or a backslash in a key has a backslash before it (`a\.b`). A number indexes an array (`photos.0.url`). The empty
// path is the value itself. Of a key that is repeated, the first member counts, and keys written with JSON escapes are found too.
//
// Get reads no further than it must. A path of plain keys costs no allocation.
func (v Value) Get(path string) Value { return v.find(path, path != "") }

// Nearest returns the last value there is on the way to path: the one that Get gives, or what has no such member or element.
func (v Value) Nearest(path string) Value {
	for more := path != ""; more; {
		var key string
		key, path, more = cutPath(path)
		next := v.child(key)
		if !next.Exists() {
			return v
		}
		v = next
	}
	return v
}

// find returns Get for what is left of a path; without more it is over.
func (v Value) find(path string, more bool) Value {
	for more && len(v.raw) > 0 {
		var key string
		key, path, more = cutPath(path)
		v = v.child(key)
	}
	return v
}

// child returns the member or element called key.
func (v Value) child(key string) Value {
	switch v.kind() {
	case '{':
		if c := v.open(); c.reach(key) {
			return c.value()
		}
	case '[':
		n, err := strconv.ParseUint(key, 10, 32)
		if err != nil || len(key) > 1 && key[0] == '0' {
			return Value{}
		}
		for c := v.open(); c.element(); c.skip() {
			if n == 0 {
				return c.value()
			}
			n--
		}
	}
	return Value{}
}

// cutPath takes the first key off a path. more is false behind the last one.
func cutPath(path string) (key, rest string, more bool) {
	i := strings.IndexAny(path, `.\`)
	if i < 0 {
		return path, "", false
	}
	if path[i] == '.' {
		return path[:i], path[i+1:], true
	}
	var unescaped strings.Builder
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '.':
			return unescaped.String(), path[i+1:], true
		case c == '\\' && i+1 < len(path):
			i++
			unescaped.WriteByte(path[i])
		default:
			unescaped.WriteByte(c)
		}
	}
	return unescaped.String(), "", false
}

// splitPath returns all keys of a path.
func splitPath(path string) (keys []string) {
	for more := path != ""; more; {
		var key string
		key, path, more = cutPath(path)
		keys = append(keys, key)
	}
	return keys
}

// Picker reads several paths in one pass over a value. The zero value reads none. It is safe for concurrent use.
type Picker struct {
	paths   []pick
	lengths uint64 // a bit for the length of each first key, modulo 64
}

type pick struct {
	path string // as it was given
	key  string // its first key
	rest string // what follows it
	more bool   // something follows it
}

// NewPicker returns a Picker of paths, which are those of Value.Get. They may repeat and may lie inside each other.
func NewPicker(paths ...string) Picker {
	var p Picker
	for _, path := range paths {
		one := pick{path: path}
		one.key, one.rest, one.more = cutPath(path)
		p.lengths |= 1 << (len(one.key) % 64)
		p.paths = append(p.paths, one)
	}
	return p
}

// Pick returns what Get would say for each path, in the order of the paths. It uses the memory of out, whose content it overwrites; nil is
// allowed. It costs no allocation where out has the capacity, and reads no further than the last member it looks for.
func (p Picker) Pick(v Value, out []Value) []Value { return p.appendPicked(out[:0], v) }

// appendPicked returns Pick, behind what out has already.
func (p Picker) appendPicked(out []Value, v Value) []Value {
	from := len(out)
	for range p.paths {
		out = append(out, Value{})
	}
	for first := 0; first < len(p.paths); first += 64 { // as many as there are bits in a set
		p.pick(v, p.paths[first:min(first+64, len(p.paths))], out[from+first:])
	}
	return out
}

// pick is one pass, for at most 64 paths.
func (p Picker) pick(v Value, paths []pick, out []Value) {
	var wanted uint64
	for i, one := range paths {
		if v.kind() == '{' && one.path != "" {
			wanted |= 1 << i
		} else {
			out[i] = v.Get(one.path)
		}
	}
	if wanted == 0 {
		return
	}
	for c := v.open(); wanted != 0 && c.member(); {
		if !c.escaped && p.lengths&(1<<((c.end-c.at-1)%64)) == 0 {
			c.skip()
			continue
		}
		var value Value
		for i := range paths {
			if wanted&(1<<i) == 0 || !c.is(paths[i].key) {
				continue
			}
			if wanted &^= 1 << i; !value.Exists() { // of members of one name the first counts
				value = c.value()
			}
			out[i] = value.find(paths[i].rest, paths[i].more)
		}
		if !value.Exists() {
			c.skip()
		}
	}
}
