package sim

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// answer is a whole response held back, so that it can be changed, cut or delayed before it is sent.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// capture returns next's answer to r.
func capture(next http.Handler, r *http.Request) *answer {
	a := &answer{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(a, r)
	a.header.Del("Content-Length")
	return a
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

func (a *answer) WriteHeader(status int) {
	a.status = status
	if length, err := strconv.Atoi(a.header.Get("Content-Length")); err == nil {
		a.body.Grow(length)
	}
}

// send writes the headers, which declare the length of the whole body, and then the parts. It flushes after each and waits for pause between them.
func (a *answer) send(ctx context.Context, w http.ResponseWriter, pause time.Duration, parts ...[]byte) {
	head(w, a.header, a.status, a.body.Len())
	for i, part := range parts {
		if i > 0 && !wait(ctx, pause) {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(part) // it does not matter if the reader has gone
		flush(w)
	}
}

// halves returns the two halves of the body.
func (a *answer) halves() (first, second []byte) {
	body := a.body.Bytes()
	return body[:len(body)/2], body[len(body)/2:]
}

// sendBytes answers with a whole body and the headers that w already has.
func sendBytes(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	head(w, nil, status, len(body))
	_, _ = w.Write(body) // it does not matter if the reader has gone
}

// zipped compresses next's answers to requests that accept it.
func zipped(next http.Handler) http.Handler {
	var zippers sync.Pool // each takes a megabyte
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			next.ServeHTTP(w, r)
			return
		}
		a := capture(next, r)
		var small bytes.Buffer
		z, ok := zippers.Get().(*gzip.Writer)
		if !ok {
			z = gzip.NewWriter(nil)
		}
		z.Reset(&small)
		_, _ = z.Write(a.body.Bytes()) // a bytes.Buffer never fails
		_ = z.Close()
		zippers.Put(z)
		a.header.Set("Content-Encoding", "gzip")
		head(w, a.header, a.status, small.Len())
		_, _ = w.Write(small.Bytes())
	})
}

// recorder records what is sent.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
