package proxy

import (
	"cmp"
	"io"
	"slices"
	"strings"
)

// substitution replaces parts of a text, and of a stream, by others.
type substitution struct {
	// find are the parts of a text that are to be replaced, in any order; they may overlap.
	find func(text []byte) []stretch
	put  func(found []byte) []byte
	most int // no part is longer, in bytes
}

// text returns a text after the replacement.
func (s *substitution) text(text string) string {
	done, _ := s.apply(nil, []byte(text), true)
	return string(done)
}

// body returns a body after the replacement. It holds back no more than a part may have.
func (s *substitution) body(body io.ReadCloser) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{s.reader(body), body}
}

// reader returns r after the replacement.
func (s *substitution) reader(r io.Reader) io.Reader {
	return &substituting{substitution: s, source: r, buffer: make([]byte, 32<<10)}
}

// apply appends to out what comes of in, and tells what of in is to come again with more behind it; at the end nothing is.
func (s *substitution) apply(out, in []byte, end bool) (done, rest []byte) {
	until := len(in) // what begins before has its end in in
	if !end {
		until = max(0, until-s.most)
	}
	if until == 0 {
		return out, in
	}
	found := s.find(in)
	slices.SortFunc(found, func(a, b stretch) int { return cmp.Or(a.from-b.from, b.to-a.to) })
	from := 0 // what is before is in out
	for i := 0; i < len(found) && found[i].from < until; {
		one := found[i]
		for i++; i < len(found) && found[i].from < one.to; i++ { // together one
			one.to = max(one.to, found[i].to)
		}
		out = append(append(out, in[from:one.from]...), s.put(in[one.from:one.to])...)
		from = one.to
	}
	until = max(until, from)
	return append(out, in[from:until]...), in[until:]
}

// substituting is a substitution at work.
type substituting struct {
	*substitution
	source io.Reader
	buffer []byte
	in     []byte // not looked into yet
	out    []byte // not read yet
	err    error  // of source
}

func (s *substituting) Read(p []byte) (int, error) {
	for len(s.out) == 0 && s.err == nil {
		var n int
		n, s.err = s.source.Read(s.buffer)
		s.in = append(s.in, s.buffer[:n]...)
		if s.err == nil && len(s.in) < 2*s.most {
			continue
		}
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

// links replaces a base URL by another one, as it is and as JSON may have it.
func links(from, to string) *substitution {
	slashed := func(text string) string { return strings.ReplaceAll(text, "/", `\/`) }
	return &substitution{
		most: len(slashed(from)),
		find: func(text []byte) []stretch {
			plain := view{text: text, from: places(len(text))}
			return append(plain.find([]byte(from)), plain.find([]byte(slashed(from)))...)
		},
		put: func(found []byte) []byte {
			if string(found) == from {
				return []byte(to)
			}
			return []byte(slashed(to))
		},
	}
}

// places returns the numbers from 0 to n.
func places(n int) []int {
	all := make([]int, n+1)
	for i := range all {
		all[i] = i
	}
	return all
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
