package httpclient

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// How many bytes are allocated for a body.
const (
	firstRead   = 32 << 10 // if its length is unknown
	chunk       = 1 << 20  // at most, for each further part
	trustedSize = 8 << 20  // at most, for a Content-Length, if no Budget counts the answer
)

// ErrTooLarge is wrapped by the failure of a request whose answer is longer than Options.MaxBody. Asking for less may help.
var ErrTooLarge = errors.New("the answer is too large")

var errIdle = errors.New("no byte came for a minute")

// read reads the body of resp up to the size limit, as UTF-8, and takes it from the budget. It cancels ctx if no bytes arrive for a while. A body
// declared as Latin-1 is read as UTF-8 if it is valid. replaced counts the bytes or characters that were invalid in another charset and became
// U+FFFD.
func (c *Client) read(ctx context.Context, cancel context.CancelCauseFunc, call *call, resp *http.Response) (
	body []byte, replaced int, err error,
) {
	length := resp.ContentLength
	if length > c.o.MaxBody {
		return nil, 0, ErrTooLarge
	}
	idle := time.AfterFunc(idleTimeout, func() { cancel(errIdle) })
	defer idle.Stop()
	source := io.Reader(watched{resp.Body, idle})
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "x-gzip") {
		length = -1
		if source, err = unpacked(source); err != nil {
			return nil, 0, err
		}
	}
	var head [3]byte                     // as long as the longest byte order mark
	n, _ := io.ReadFull(source, head[:]) // the next read returns the error again
	charset := c.charset(resp.Header)
	latin := charset == charmap.Windows1252
	if latin { // UTF-8 is sometimes called that too
		charset = nil
	}
	text, encoded := decoded(source, charset, head[:n])
	if encoded {
		length, n = -1, 0
	}
	room := func(size int64) error {
		return call.room(ctx, size, idle, resp.StatusCode)
	}
	body, err = c.readAll(text, head[:n], length, call.r.Share != nil, room)
	if latin && err == nil && !encoded && !utf8.Valid(body) {
		raw := body
		encoded = true
		body, err = c.readAll(charmap.Windows1252.NewDecoder().Reader(bytes.NewReader(raw)), nil, -1, false, room)
		c.cleaner.Free(raw)
	}
	if err != nil {
		return nil, 0, err
	}
	call.keep(int64(len(body)))
	if encoded {
		replaced = bytes.Count(body, []byte("\ufffd"))
	}
	return body, replaced, nil
}

// unpacked decompresses body with gzip. net/http does so for "gzip", but not for its other name (RFC 9110, 8.4.1.3).
func unpacked(body io.Reader) (io.Reader, error) {
	text, err := gzip.NewReader(body)
	if errors.Is(err, io.EOF) { // there is no body
		return http.NoBody, nil
	}
	return text, err
}

// watched is a body that is being read. It resets the timer whenever bytes arrive.
type watched struct {
	body io.Reader
	idle *time.Timer
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if n > 0 {
		w.idle.Reset(idleTimeout)
	}
	return n, err
}

// readAll reads text to its end; head has been read already. length is the expected length, or -1. If it is trusted, that much is allocated at once.
// If there is no length, the body is joined from chunks at the end, so that no more is allocated than arrived. room is asked for both before they are
// allocated.
func (c *Client) readAll(text io.Reader, head []byte, length int64, trusted bool, room func(size int64) error) ([]byte, error) {
	size := int64(firstRead)
	if length >= 0 {
		size = length
		if !trusted {
			size = min(size, trustedSize)
		}
	}
	if err := room(size); err != nil {
		return nil, err
	}
	var full [][]byte
	part := append(c.cleaner.Room(int(max(size, int64(len(head))))+1), head...) // one byte more, so that the end is seen without a further chunk
	for total := int64(len(part)); ; {
		n, err := text.Read(part[len(part):cap(part)])
		part = part[:len(part)+n]
		total += int64(n)
		switch {
		case total > c.o.MaxBody:
			return nil, ErrTooLarge
		case errors.Is(err, io.EOF) && full == nil:
			return part, nil
		case errors.Is(err, io.EOF):
			return c.join(append(full, part), total), nil
		case err != nil:
			return nil, err
		case len(part) == cap(part):
			size := min(total, chunk)
			twice := 2 * size
			if full == nil {
				twice += total
			}
			if err := room(twice); err != nil {
				return nil, err
			}
			full, part = append(full, part), c.cleaner.Room(int(size))
		}
	}
}

// join returns parts, total bytes in all, as one slice.
func (c *Client) join(parts [][]byte, total int64) []byte {
	body := c.cleaner.Room(int(total))
	for _, part := range parts {
		body = append(body, part...)
		c.cleaner.Free(part)
	}
	return body
}

// Free returns the memory of the Body of a Response, for later answers: neither it nor anything in it may be used afterwards. If a caller does not
// know that, it leaves the memory to the garbage collector.
func (c *Client) Free(body record.Value) { c.cleaner.FreeValue(body) }

// decoded returns body as UTF-8, if it is in another charset: that of its byte order mark, or else charset (nil for UTF-8). head has been read
// already. If body is UTF-8, encoded is false and body continues after head.
func decoded(body io.Reader, charset encoding.Encoding, head []byte) (text io.Reader, encoded bool) {
	marked := bytes.HasPrefix(head, []byte{0xfe, 0xff}) || bytes.HasPrefix(head, []byte{0xff, 0xfe})
	if !marked && charset == nil {
		return body, false
	}
	decoder := transform.Transformer(transform.Nop)
	if charset != nil {
		decoder = charset.NewDecoder()
	}
	return transform.NewReader(io.MultiReader(bytes.NewReader(slices.Clone(head)), body), unicode.BOMOverride(decoder)), true
}

// charset returns the charset that the Content-Type names, as browsers read it (ISO-8859-1 is Windows-1252). It is nil if that is UTF-8, is missing,
// or does not exist.
func (c *Client) charset(header http.Header) encoding.Encoding {
	_, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	name := params["charset"]
	if err != nil || name == "" {
		return nil
	}
	charset, err := htmlindex.Get(name)
	if err != nil {
		c.unknownCharset.Do(func() {
			c.o.Log.Debug("The API names a charset that does not exist; its answers are read as UTF-8.", "charset", c.excerpt([]byte(name)))
		})
		return nil
	}
	if charset == unicode.UTF8 {
		return nil
	}
	return charset
}
