package proxy

import (
	"bytes"
	"maps"
	"net/http"
	"strconv"
)

// room is how much of an answer is held back or kept. A longer one is cut there, or not kept.
const room = 1 << 20

// held is an answer in memory: of an answer that is passed on a copy, of another one all there is of it.
type held struct {
	w      http.ResponseWriter
	pass   bool
	header http.Header
	status int
	body   bytes.Buffer
	over   bool  // the body has no room
	call   *call // what was answered
}

// hold returns a ResponseWriter that holds an answer back, or keeps what it passes on.
func hold(w http.ResponseWriter, pass bool) *held {
	h := &held{w: w, pass: pass, header: http.Header{}}
	if pass {
		h.header = w.Header()
	}
	return h
}

// Header returns the answer's.
func (h *held) Header() http.Header { return h.header }

// WriteHeader keeps the status.
func (h *held) WriteHeader(status int) {
	if status < http.StatusOK { // there is another one to come
		return
	}
	h.status = status
	if h.pass {
		h.w.WriteHeader(status)
		h.header = h.header.Clone()
	}
}

// Write keeps a part of the body. An answer that is held back ends where there is no room.
func (h *held) Write(p []byte) (int, error) {
	if h.status == 0 {
		h.WriteHeader(http.StatusOK)
	}
	if h.body.Len()+len(p) > room {
		h.over = true
		if !h.pass {
			h.send(-1, h.body.Bytes())
			panic(http.ErrAbortHandler)
		}
		h.body.Reset()
	}
	if !h.over {
		h.body.Write(p)
	}
	if h.pass {
		return h.w.Write(p)
	}
	return len(p), nil
}

// Flush passes on what was written.
func (h *held) Flush() {
	if h.pass {
		_ = http.NewResponseController(h.w).Flush() // a recorder in a test cannot, and need not
	}
}

// send writes the header and a body of which length bytes are announced, or none where length is less than 0.
func (h *held) send(length int, body []byte) {
	maps.Copy(h.w.Header(), h.header)
	h.w.Header().Del("Content-Length")
	if length >= 0 {
		h.w.Header().Set("Content-Length", strconv.Itoa(length))
	}
	h.w.WriteHeader(max(h.status, http.StatusOK))
	_, _ = h.w.Write(body)                      // a reader that went away is its own affair
	_ = http.NewResponseController(h.w).Flush() // a recorder in a test cannot, and need not
}
