package sim

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := NewGate(fake{}, Behaviour{Latency: time.Second})
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() { ask(t, gate, fmt.Sprintf("/a?page=%d", i%4)) })
		}
		all.Wait()
		ask(t, gate, "/b")
		s := gate.Stats()
		if s.Requests != 6 || s.MaxConcurrent != 5 || s.Paths["/a"] != 5 || s.Paths["/b"] != 1 || s.Bytes == 0 {
			t.Errorf("%+v", s)
		}
		if len(s.Repeats) != 1 || s.Repeats["/a?page=0"] != 2 {
			t.Errorf("repeats: %v", s.Repeats)
		}
	})
}

func TestLogIsBounded(t *testing.T) {
	gate := NewGate(fake{}, Behaviour{LogSize: 10})
	for i := range 95 {
		ask(t, gate, fmt.Sprintf("/?page=%d", i))
	}
	log := gate.Log()
	if len(log) != 10 || log[0].URI != "/?page=85" || log[9].URI != "/?page=94" || log[9].Status != http.StatusOK || log[9].Attempt != 1 {
		t.Errorf("%d lines, from %+v to %+v", len(log), log[0], log[len(log)-1])
	}
}
