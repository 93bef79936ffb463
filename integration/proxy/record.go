package proxy

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode/utf8"
)

// Recording is a line of a recording: one request and the answer to it, in the order in which the requests came. A line that the package
// writes ends with a member "text" or "base64", the answer's body in a list of parts: as they are where all of it is UTF-8, else in base64.
type Recording struct {
	// Method, URL and Body are the request's, with the mark *** in the place of credentials and secrets. The URL is that of the target. A
	// body of JSON or a form has its members in the order of their names. Headers of requests are not recorded.
	Method string `json:"method"`
	URL    string `json:"url"`
	Type   string `json:"type,omitempty"` // of Body, without parameters
	Body   string `json:"body,omitempty"`

	// Status and Header are the answer's, without what belongs to the one connection.
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`

	// Cut says that the answer's connection ended before the body did.
	Cut bool `json:"cut,omitempty"`
}

// part is how many bytes of a body are in one part of a line, at most.
const part = 48 << 10 // a multiple of 3, for base64

// teaches is how much of an answer is looked into for credentials: a login is short.
const teaches = 64 << 10

// recorder hands requests on to the network and keeps the answers in a file without a name.
type recorder struct {
	network   http.RoundTripper
	secrets   *secrets
	mu        sync.Mutex
	spool     *os.File
	size      int64
	exchanges []*exchange
}

// exchange is one request and its answer.
type exchange struct {
	call   *call
	status int
	header http.Header
	ended  bool // the whole answer was read, or all that came
	cut    bool
	spans  []span
	first  []byte // of the body, as long as it may teach
}

// span is a part of the spool.
type span struct{ from, size int64 }

func newRecorder(network http.RoundTripper, s *secrets) (*recorder, error) {
	spool, err := os.CreateTemp("", "recording-")
	if err != nil {
		return nil, err
	}
	return &recorder{network: network, secrets: s, spool: spool}, os.Remove(spool.Name())
}

// RoundTrip sends a request and writes down the answer while it is read. An answer that its reader leaves is not kept.
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	e := &exchange{call: callOf(request.Context())}
	r.secrets.learn(e.call)
	r.mu.Lock()
	r.exchanges = append(r.exchanges, e)
	r.mu.Unlock()
	answer, err := r.network.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	e.status, e.header = answer.StatusCode, answer.Header.Clone()
	answer.Body = &recorded{ReadCloser: answer.Body, recorder: r, exchange: e, request: request}
	return answer, nil
}

// recorded is a body that is written down as it is read.
type recorded struct {
	io.ReadCloser
	recorder *recorder
	exchange *exchange
	request  *http.Request
}

func (b *recorded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if kept := b.recorder.keep(b.exchange, p[:n]); kept != nil {
		return n, kept
	}
	if err != nil && b.request.Context().Err() == nil {
		b.recorder.end(b.exchange, !errors.Is(err, io.EOF))
	}
	return n, err
}

func (r *recorder) keep(e *exchange, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.spool.WriteAt(p, r.size); err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	if n := len(e.spans); n > 0 && e.spans[n-1].from+e.spans[n-1].size == r.size {
		e.spans[n-1].size += int64(len(p))
	} else {
		e.spans = append(e.spans, span{r.size, int64(len(p))})
	}
	r.size += int64(len(p))
	if len(e.first) <= teaches {
		e.first = append(e.first, p[:min(len(p), teaches+1-len(e.first))]...)
	}
	return nil
}

func (r *recorder) end(e *exchange, cut bool) {
	if len(e.first) <= teaches {
		r.secrets.learnAnswer(e.header, e.first)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e.ended, e.cut, e.first = true, cut, nil
}

// write writes the recording to a file, with all secrets that are known now blanked, and forgets what it was made of.
func (r *recorder) write(name string) (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() {
		if err = errors.Join(err, r.spool.Close()); err != nil {
			err = fmt.Errorf("writing the recording: %w", err)
		}
	}()
	file, err := os.CreateTemp(filepath.Dir(name), ".recording-")
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 64<<10)
	inRequests, inAnswers := r.secrets.substitution(inText), r.secrets.substitution(inAnswer)
	for _, e := range r.exchanges {
		if e.ended && err == nil {
			err = r.line(out, e, inRequests, inAnswers)
		}
	}
	if err = errors.Join(err, out.Flush(), file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// line writes one exchange.
func (r *recorder) line(out *bufio.Writer, e *exchange, inRequests, inAnswers *substitution) error {
	head, body, _ := strings.Cut(e.call.key, "\n")
	_, path, _ := strings.Cut(head, " ")
	recording := Recording{
		Method: e.call.method, URL: inRequests.text(origin(e.call.goes) + path), Type: e.call.kind(), Body: inRequests.text(body),
		Status: e.status, Header: http.Header{}, Cut: e.cut,
	}
	for name, values := range e.header {
		switch name {
		case "Content-Length", "Date", "Connection", "Keep-Alive", "Transfer-Encoding", "Alt-Svc", "Strict-Transport-Security":
			continue
		}
		for _, value := range values {
			recording.Header.Add(name, inAnswers.text(value))
		}
	}
	text, err := isText(inAnswers.reader(r.body(e)))
	if err != nil {
		return err
	}
	var line strings.Builder
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(recording); err != nil {
		return err
	}
	member := `"base64"`
	if text {
		member = `"text"`
	}
	_, _ = fmt.Fprintf(out, "%s,%s:[", strings.TrimSuffix(line.String(), "}\n"), member) // an error comes again with Flush
	if err := parts(out, inAnswers.reader(r.body(e)), text); err != nil {
		return err
	}
	_, err = out.WriteString("]}\n")
	return err
}

// body returns an exchange's body as it came.
func (r *recorder) body(e *exchange) io.Reader {
	var all []io.Reader
	for _, s := range e.spans {
		all = append(all, io.NewSectionReader(r.spool, s.from, s.size))
	}
	return io.MultiReader(all...)
}

// isText reports whether all of r is UTF-8.
func isText(r io.Reader) (bool, error) {
	for runes := bufio.NewReaderSize(r, part); ; {
		character, size, err := runes.ReadRune()
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, err
		case character == utf8.RuneError && size == 1:
			return false, nil
		}
	}
}

// parts writes a body as the elements of a list.
func parts(out *bufio.Writer, body io.Reader, text bool) error {
	buffer := make([]byte, part)
	rest := 0 // bytes of a character whose end is to come
	comma := ""
	for {
		n, err := io.ReadFull(body, buffer[rest:])
		filled := buffer[:rest+n]
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return err
		}
		whole := len(filled)
		if text && !ended { // the last character may be cut
			for whole--; whole > 0 && !utf8.RuneStart(filled[whole]); {
				whole--
			}
		}
		if whole > 0 {
			element := base64.StdEncoding.EncodeToString(filled[:whole])
			if text {
				element = quoted(string(filled[:whole]))
			}
			_, _ = fmt.Fprintf(out, `%s"%s"`, comma, element) // an error comes again with Flush
			comma = ","
		}
		if ended {
			return nil
		}
		rest = copy(buffer, filled[whole:])
	}
}

// key returns what the request of a recording is looked for by.
func (r Recording) key(varying []string) (key string, u *url.URL, err error) {
	if u, err = url.Parse(r.URL); err != nil {
		return "", nil, err
	}
	return keyOf(r.Method, u, canonical([]byte(r.Body), r.Type, varying), varying), u, nil
}
