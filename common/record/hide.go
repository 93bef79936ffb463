package record

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Hide removes members wherever they are, in nested objects and in a Whole too. Names must be ASCII letters and digits. They match in any case and
// with any U+0000 between characters: `senha` also matches SENHA. It is for secrets that an API puts into its rows.
type Hide struct{ Names []string }

func (Hide) names(*compiler) {}

func (e Hide) values(c *compiler) {
	for _, name := range e.Names {
		if strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789") != "" || name == "" {
			panic(fmt.Sprintf("record: %q cannot be hidden", name))
		}
		c.hidden = append(c.hidden, strings.ToLower(name))
	}
}

// hides reports whether r may have a hidden member, because r contains its name, or escapes that may spell it.
func (s *Shape) hides(r []byte) bool {
	for _, name := range s.hidden {
		for i := 0; i+len(name) <= len(r); i++ {
			if r[i]|0x20 == name[0] && bytes.EqualFold(r[i:i+len(name)], []byte(name)) {
				return true
			}
		}
	}
	return len(s.hidden) > 0 && bytes.Contains(r, []byte(`\u`))
}

// appendShown appends v without the hidden members.
func (s *Shape) appendShown(dst []byte, v Value) []byte {
	first := true
	next := func() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
	}
	switch v.kind() {
	case '{':
		dst = append(dst, '{')
		for c := v.open(); c.member(); {
			if name := strings.ToLower(strings.ReplaceAll(string(c.appendKey(nil)), "\x00", "")); slices.Contains(s.hidden, name) {
				c.skip()
				continue
			}
			next()
			dst = append(append(append(dst, '"'), c.key()...), '"', ':')
			dst = s.appendShown(dst, c.value())
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for element := range v.Elements() {
			next()
			dst = s.appendShown(dst, element)
		}
		return append(dst, ']')
	}
	return append(dst, v.raw...)
}
