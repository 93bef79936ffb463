package sim

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
)

// keeper answers a repeated request with the same answer, without asking the simulator again. So it ignores credentials and changes in the meantime.
// Requests that continue a listing are distinguished by how many came since it began (see Placed). Safe for concurrent use.
type keeper struct {
	next    http.Handler
	mu      sync.Mutex // guards what follows
	room    int64      // bytes of bodies that may still be kept
	answers map[string]*answer
	places  map[string]int
}

func newKeeper(next http.Handler, room int64) *keeper {
	return &keeper{next: next, room: room, answers: map[string]*answer{}, places: map[string]int{}}
}

// place returns how many requests have continued the listing that r continues, including r.
func (k *keeper) place(r *http.Request) string {
	placed, ok := k.next.(Placed)
	if !ok {
		return ""
	}
	listing, further := placed.Place(r)
	if listing == "" {
		return ""
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !further {
		k.places[listing] = 0
		return ""
	}
	k.places[listing]++
	return " " + strconv.Itoa(k.places[listing])
}

func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request := r.Method + " " + r.URL.RequestURI() + " " + string(Body(r)) + k.place(r)
	k.mu.Lock()
	kept := k.answers[request]
	k.mu.Unlock()
	if kept == nil {
		kept = capture(k.next, r)
		k.keep(request, kept)
	}
	maps.Copy(w.Header(), kept.header)
	head(w, nil, kept.status, kept.body.Len())
	_, _ = w.Write(kept.body.Bytes()) // it does not matter if the reader has gone
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
