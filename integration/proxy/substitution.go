package proxy

import (
	"bytes"
	"io"
	"strings"
)

// substitution replaces texts by others, in a stream too: from the beginning on, and the longest of those that stand somewhere.
type substitution struct {
	needles [256][]needle // by the byte that they may begin with
	longest int
}

// needle is a text that is looked for.
type needle struct {
	text  []rune
	exact bool // as it is, not in some encoding
	put   func(found []byte) []byte
}

// newSubstitution replaces texts as they are.
func newSubstitution(puts map[string]string) *substitution {
	s := &substitution{}
	for find, put := range puts {
		s.add(needle{text: []rune(find), exact: true, put: func([]byte) []byte { return []byte(put) }})
	}
	return s
}

func (s *substitution) add(n needle) {
	if len(n.text) == 0 {
		return
	}
	begins := map[byte]bool{string(n.text[0])[0]: true}
	size := len(string(n.text))
	if !n.exact {
		size = len(n.text) * widest
		for _, other := range "\\%&+" {
			begins[byte(other)] = true
		}
		if n.text[0] <= 0xff {
			begins[byte(n.text[0])] = true
		}
	}
	for b := range begins {
		s.needles[b] = append(s.needles[b], n)
	}
	s.longest = max(s.longest, size)
}

// at is how many bytes at the beginning of b are the needle, or 0.
func (n needle) at(b []byte) int {
	if n.exact {
		if text := []byte(string(n.text)); bytes.HasPrefix(b, text) {
			return len(text)
		}
		return 0
	}
	return max(0, written(b, n.text))
}

// text is a text after the replacement.
func (s *substitution) text(text string) string {
	done, _ := s.apply(nil, []byte(text), true)
	return string(done)
}

// body is a body after the replacement. It holds back no more than the longest text to be found.
func (s *substitution) body(body io.ReadCloser) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{s.reader(body), body}
}

// reader is r after the replacement.
func (s *substitution) reader(r io.Reader) io.Reader {
	return &substituting{substitution: s, from: r, buffer: make([]byte, 32<<10)}
}

// apply appends to out what comes of in, and tells what of in is to come again with more behind it; at the end nothing is.
func (s *substitution) apply(out, in []byte, end bool) (done, rest []byte) {
	from, i := 0, 0 // what is before from is in out
	for i < len(in) && (end || len(in)-i >= s.longest) {
		size, put := 0, func([]byte) []byte { return nil }
		for _, n := range s.needles[in[i]] {
			if found := n.at(in[i:]); found > size {
				size, put = found, n.put
			}
		}
		if size == 0 {
			i++
			continue
		}
		out = append(append(out, in[from:i]...), put(in[i:i+size])...)
		i += size
		from = i
	}
	return append(out, in[from:i]...), in[i:]
}

// substituting is a substitution at work.
type substituting struct {
	*substitution
	from   io.Reader
	buffer []byte
	in     []byte // not looked into yet
	out    []byte // not read yet
	err    error  // of from
}

func (s *substituting) Read(p []byte) (int, error) {
	for len(s.out) == 0 && s.err == nil {
		var n int
		n, s.err = s.from.Read(s.buffer)
		s.in = append(s.in, s.buffer[:n]...)
		var rest []byte
		s.out, rest = s.apply(s.out[:0], s.in, s.err != nil)
		s.in = append(s.in[:0], rest...)
	}
	if len(s.out) == 0 {
		return 0, s.err
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	return n, nil
}

// matches tells whether a text is what a pattern says, in which the mark stands for any text.
func matches(pattern, text string) bool {
	parts := strings.Split(pattern, mark)
	if len(parts) == 1 {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}
