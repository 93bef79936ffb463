package proxy

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

var errUnknown = errors.New("the recording has no answer to this request")

// player answers from a recording, whose bodies stay in the file.
type player struct {
	file     *os.File
	mu       sync.Mutex
	answers  map[string]*answers // by host and key, and by the key alone
	patterns []string            // the keys with a mark
	unknown  []string
}

// answers are those to one request, in order; after the last one comes the last one again.
type answers struct {
	all  []answer
	next int
}

// answer is a line of a recording.
type answer struct {
	Recording
	base   string // scheme and host of the recorded URL
	text   bool
	offset int64 // in the file, of the first part of the body
	size   int64 // of the body
}

// openPlayer reads a recording but for the bodies.
func openPlayer(name string, varying []string) (_ *player, err error) {
	p := &player{answers: map[string]*answers{}}
	if p.file, err = os.Open(name); err != nil {
		return nil, err
	}
	if err := p.index(varying); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the recording %s: %w", name, err), p.file.Close())
	}
	return p, nil
}

func (p *player) index(varying []string) error {
	for lines := json.NewDecoder(p.file); ; {
		a, err := line(lines)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("at byte %d: %w", lines.InputOffset(), err)
		}
		key, u, err := a.key(varying)
		if err != nil {
			return err
		}
		a.base = origin(u)
		p.add(u.Host+" "+key, a)
		if p.add(key, a) && strings.Contains(key, mark) {
			p.patterns = append(p.patterns, key)
		}
	}
}

// add adds an answer and tells whether it is the key's first.
func (p *player) add(key string, a answer) bool {
	known, ok := p.answers[key]
	if !ok {
		known = &answers{}
		p.answers[key] = known
	}
	known.all = append(known.all, a)
	return !ok
}

// line reads a line and passes over its body, part by part. The error is io.EOF behind the last line.
func line(lines *json.Decoder) (a answer, err error) {
	if _, err := expect(lines, json.Delim('{')); err != nil {
		return a, err
	}
	head := map[string]json.RawMessage{}
	for lines.More() {
		name, err := expect(lines, "")
		if err != nil {
			return a, err
		}
		if name != "text" && name != "base64" {
			var value json.RawMessage
			if err := lines.Decode(&value); err != nil {
				return a, err
			}
			head[name] = value
			continue
		}
		if _, err := expect(lines, json.Delim('[')); err != nil {
			return a, err
		}
		a.text, a.offset = name == "text", lines.InputOffset()
		for b := (&played{parts: lines, text: a.text}); lines.More(); {
			element, err := b.element()
			if err != nil {
				return a, err
			}
			a.size += int64(len(element))
		}
		if _, err := expect(lines, json.Delim(']')); err != nil {
			return a, err
		}
	}
	if _, err := expect(lines, json.Delim('}')); err != nil {
		return a, err
	}
	body, err := json.Marshal(head)
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(body, &a.Recording)
}

// expect reads a token that is a delimiter, or any text where want is one.
func expect(lines *json.Decoder, want json.Token) (string, error) {
	token, err := lines.Token()
	if err != nil {
		return "", err
	}
	text, isText := token.(string)
	if _, wantsText := want.(string); token != want && (!wantsText || !isText) {
		return "", fmt.Errorf("%v is not %v", token, want)
	}
	return text, nil
}

// RoundTrip answers from the recording.
func (p *player) RoundTrip(request *http.Request) (*http.Response, error) {
	c := callOf(request.Context())
	a, ok := p.find(c)
	if !ok {
		return nil, errUnknown
	}
	c.base = a.base + c.prefix
	answer := &http.Response{
		StatusCode: a.Status, Status: strconv.Itoa(a.Status) + " " + http.StatusText(a.Status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, ContentLength: a.size, Request: request,
	}
	for name, values := range a.Header {
		answer.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	if a.Cut {
		answer.ContentLength = -1
	} else if request.Method != http.MethodHead && a.Status != http.StatusNoContent && a.Status != http.StatusNotModified {
		answer.Header.Set("Content-Length", strconv.FormatInt(a.size, 10))
	}
	parts := json.NewDecoder(io.MultiReader(strings.NewReader("["), io.NewSectionReader(p.file, a.offset, 1<<62)))
	if _, err := expect(parts, json.Delim('[')); err != nil {
		return nil, err
	}
	answer.Body = &played{parts: parts, text: a.text, cut: a.Cut}
	return answer, nil
}

// find returns the next answer to a call. One that was recorded from the same host comes before others.
func (p *player) find(c *call) (answer, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.answers[c.host+" "+c.key]
	if known == nil {
		known = p.answers[c.key]
	}
	if known == nil {
		if i := slices.IndexFunc(p.patterns, func(pattern string) bool { return matches(pattern, c.key) }); i >= 0 {
			known = p.answers[p.patterns[i]]
		}
	}
	if known == nil {
		if name := c.String(); !slices.Contains(p.unknown, name) {
			p.unknown = append(p.unknown, name)
		}
		return answer{}, false
	}
	a := known.all[known.next]
	known.next = min(known.next+1, len(known.all)-1)
	return a, true
}

func (p *player) missed() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.unknown)
}

func (p *player) rewind() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.answers {
		a.next = 0
	}
}

func (p *player) close() error { return p.file.Close() }

// played is a body that comes out of a recording part by part.
type played struct {
	parts *json.Decoder
	text  bool
	cut   bool
	rest  []byte
}

// element returns the next part.
func (b *played) element() ([]byte, error) {
	var element string
	if err := b.parts.Decode(&element); err != nil {
		return nil, err
	}
	if b.text {
		return []byte(element), nil
	}
	return base64.StdEncoding.DecodeString(element)
}

func (b *played) Read(p []byte) (n int, err error) {
	for len(b.rest) == 0 {
		if !b.parts.More() {
			if b.cut {
				return 0, io.ErrUnexpectedEOF
			}
			return 0, io.EOF
		}
		if b.rest, err = b.element(); err != nil {
			return 0, fmt.Errorf("reading the recording: %w", err)
		}
	}
	n = copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close does nothing: the file is closed with the proxy.
func (*played) Close() error { return nil }
