package record

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// Get is the value at a dotted path, absent where there is none. The keys of a path are literal: nothing but the dot and the backslash
// has a meaning. A dot or a backslash in a key has a backslash before it (`a\.b`). A number indexes an array (`photos.0.url`). The empty
// path is the record itself. Of a key that is repeated, the first member counts, and keys written with JSON escapes are found too.
//
// Get reads no further than it must. A path of plain keys costs no allocation.
func (r Record) Get(path string) Value {
	i := find(r, skipSpace(r), path, path != "")
	if i < 0 {
		return Value{}
	}
	return valueAt(r, i)
}

// find is where the value at path begins in the value that begins at b[i]; -1 if there is none. Without more the path is over.
func find(b []byte, i int, path string, more bool) int {
	if i >= len(b) {
		return -1
	}
	for more {
		var key string
		key, path, more = cutPath(path)
		if i = child(b, i, key); i < 0 {
			return -1
		}
	}
	return i
}

// child is where the member or element called key begins in the value that begins at b[i]; -1 if there is none.
func child(b []byte, i int, key string) int {
	switch b[i] {
	case '{':
		c := open(b, i)
		for c.member() {
			if c.is(key) {
				return c.i
			}
			c.i = skipValue(b, c.i)
		}
	case '[':
		n, err := strconv.ParseUint(key, 10, 32)
		if err != nil || len(key) > 1 && key[0] == '0' {
			return -1
		}
		for c := open(b, i); c.element(); n-- {
			if n == 0 {
				return c.i
			}
			c.i = skipValue(b, c.i)
		}
	}
	return -1
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

// splitPath is all keys of a path.
func splitPath(path string) (keys []string) {
	for more := path != ""; more; {
		var key string
		key, path, more = cutPath(path)
		keys = append(keys, key)
	}
	return keys
}

// Picker reads several paths in one pass over a record. The zero value reads none. It is safe for concurrent use.
type Picker struct {
	paths   []pick
	lengths uint64 // a bit for the length of each first key, modulo 64
	marks   bool   // the last path is Marks
}

// Marks is, as the last path of a Picker, none. What Cut picks for it says where the values of the record begin and end, so that Fit need not
// look for them once more; it is no JSON. Pick finds nothing.
const Marks = "\x00marks"

type pick struct {
	path string // as it was given
	key  string // its first key
	rest string // what follows it
	more bool   // something follows it
}

// NewPicker is a Picker of paths, which are those of Record.Get. They may repeat and may lie inside each other.
func NewPicker(paths ...string) Picker {
	var p Picker
	for _, path := range paths {
		one := pick{path: path}
		p.marks = path == Marks
		one.key, one.rest, one.more = cutPath(path)
		p.lengths |= 1 << (len(one.key) % 64)
		p.paths = append(p.paths, one)
	}
	return p
}

// Pick is what Get would say for each path, in the order of the paths. It uses the memory of out, whose content it overwrites; nil is
// allowed. It costs no allocation where out has the capacity, and reads no further than the last member it looks for.
func (p Picker) Pick(r Record, out []Value) []Value {
	out = slices.Grow(out[:0], len(p.paths))[:len(p.paths)]
	clear(out)
	start := skipSpace(r)
	if start >= len(r) {
		return out
	}
	for from := 0; from < len(p.paths); from += 64 { // as many as there are bits in a set
		p.pick(r, start, p.paths[from:min(from+64, len(p.paths))], out[from:], nil)
	}
	return out
}

// pick is one pass, for at most 64 paths, over the value that begins at r[start]. With marks, to which it appends where values begin and end, it
// goes on to the end of the value, which must be an object then, and returns that end.
func (p Picker) pick(r Record, start int, paths []pick, out []Value, marks *[]byte) (end int) {
	var wanted uint64
	for i, one := range paths {
		switch {
		case one.path == "":
			out[i] = valueAt(r, start)
		case r[start] == '{':
			wanted |= 1 << i
		default:
			out[i] = r.Get(one.path)
		}
	}
	c := open(r, start)
	for (wanted != 0 || marks != nil) && c.member() {
		value := c.i
		if wanted != 0 && (c.escaped || p.lengths&(1<<(len(c.key)%64)) != 0) {
			for i := range paths {
				if wanted&(1<<i) == 0 || !c.is(paths[i].key) {
					continue
				}
				wanted &^= 1 << i // found or not: the first member of a name is the one that counts
				if at := find(r, value, paths[i].rest, paths[i].more); at >= 0 {
					out[i] = valueAt(r, at)
				}
			}
		}
		c.i = skipValue(r, value)
		if p.marks && marks != nil {
			*marks = binary.LittleEndian.AppendUint64(*marks, uint64(value-start)<<32|uint64(c.i-start))
		}
	}
	for c.i < len(r) && r[c.i] != '}' {
		c.i++
	}
	return min(c.i+1, len(r))
}
