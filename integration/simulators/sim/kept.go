package sim

import (
	"maps"
	"net/http"
	"sync"
)

// keeper answers a request that came before with the same answer, without asking the simulator again: neither for its credentials, nor for
// what changed meanwhile. Safe for concurrent use.
type keeper struct {
	next    http.Handler
	mu      sync.Mutex // guards what follows
	room    int64      // bytes of bodies that may still be kept
	answers map[string]*answer
}

func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request := r.Method + " " + r.URL.RequestURI() + " " + string(Body(r))
	k.mu.Lock()
	kept := k.answers[request]
	k.mu.Unlock()
	if kept == nil {
		kept = capture(k.next, r)
		k.keep(request, kept)
	}
	maps.Copy(w.Header(), kept.header)
	head(w, nil, kept.status, kept.body.Len())
	_, _ = w.Write(kept.body.Bytes()) // a reader that went away is its own affair
}

// keep keeps a good answer if there is room for it.
func (k *keeper) keep(request string, a *answer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if size := int64(a.body.Len()); a.status == http.StatusOK && size <= k.room && k.answers[request] == nil {
		k.room -= size
		k.answers[request] = a
	}
}
