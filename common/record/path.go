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
	if path != "" { // in that case the end of the record does not matter
		return Value{raw: r[start:]}.Get(path)
	}
	end := skipValue(r, start)
	return Value{raw: r[start:end:end]}
}

// Get returns the value at a dotted path, or an absent Value if there is none. The keys of a path are literal, except for the dot and the backslash.
// A dot or a backslash in a key needs a backslash before it (`a\.b`). A number is an index into an array (`photos.0.url`). The empty path is the
// value itself. If a key is repeated, the first member is used. Keys written with JSON escapes are found too.
//
// Get reads no further than it must. A path of plain keys costs no allocation.
func (v Value) Get(path string) Value { return v.find(path, path != "") }

// Nearest returns the last value that exists on the way to path: what Get returns, or the value without the next member or element.
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

// find returns Get for the rest of a path. If more is false, nothing is left of the path.
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

// cutPath takes the first key off a path. more is false after the last one.
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
	lengths uint64 // one bit for the length of each first key, modulo 64
}

type pick struct {
	path string // as given to NewPicker
	key  string // its first key
	rest string // what follows it
	more bool   // something follows it
}

// NewPicker returns a Picker for paths, as in Value.Get. Paths may repeat and may be prefixes of each other.
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

// Pick returns what Get would return for each path, in the order of the paths. It overwrites out, which may be nil, and does not allocate if out has
// the capacity. It reads no further than the last member it looks for.
func (p Picker) Pick(v Value, out []Value) []Value { return p.appendPicked(out[:0], v) }

// appendPicked appends what Pick returns to out.
func (p Picker) appendPicked(out []Value, v Value) []Value {
	from := len(out)
	for range p.paths {
		out = append(out, Value{})
	}
	for first := 0; first < len(p.paths); first += 64 { // the number of bits in a set
		p.pick(v, p.paths[first:min(first+64, len(p.paths))], out[from+first:])
	}
	return out
}

// pick makes one pass for at most 64 paths.
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
			if wanted &^= 1 << i; !value.Exists() { // the first member of a name is used
				value = c.value()
			}
			out[i] = value.find(paths[i].rest, paths[i].more)
		}
		if !value.Exists() {
			c.skip()
		}
	}
}
