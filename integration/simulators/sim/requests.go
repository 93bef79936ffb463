package sim

import (
	"bytes"
	"crypto/subtle"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
)

// Body returns a request's body, which can be read once more afterwards. If the body is incomplete, the next reader gets the same part.
func Body(r *http.Request) []byte {
	if r.Body == nil {
		return nil
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body
}

// WithBody returns the same request with another body.
func WithBody(r *http.Request, body []byte) *http.Request {
	other := r.Clone(r.Context())
	other.Body, other.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return other
}

// Turn returns the same request with another page number in a query parameter, or r itself if its query cannot be parsed.
func Turn(r *http.Request, parameter string, page int) *http.Request {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return r
	}
	values.Set(parameter, strconv.Itoa(page))
	other := r.Clone(r.Context())
	other.URL.RawQuery = values.Encode()
	return other
}

// Same compares a received credential with the right one in constant time.
func Same(sent, right string) bool {
	return subtle.ConstantTimeCompare([]byte(sent), []byte(right)) == 1
}

// Copied returns a copy of a list that mu guards.
func Copied[T any](mu sync.Locker, list *[]T) []T {
	mu.Lock()
	defer mu.Unlock()
	return slices.Clone(*list)
}

// Bounds returns the positions of a page's rows among total ones. Pages count from 1. A page past the end has none.
func Bounds(page, size, total int) (from, to int) {
	from = min((min(page, total+1)-1)*size, total)
	return from, min(from+size, total)
}
