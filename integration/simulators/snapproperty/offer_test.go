package snapproperty

import (
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// What is offered are orders of every method, and it is known whether they were carried out.
func TestOffer(t *testing.T) {
	t.Parallel()
	s := New(Options{Size: 600})
	var taker sim.Taker = s
	streams := map[string]int{}
	for _, o := range taker.Offer(24) {
		streams[o.Stream]++
		if taker.Took(o) != 0 || len(o.Data) == 0 {
			t.Errorf("%s %v: carried out %d times", o.Stream, o.Data, taker.Took(o))
		}
	}
	if len(streams) != len(s.methods()) {
		t.Errorf("offered are %v", streams)
	}
	first := taker.Offer(1)[0]
	order := s.Orders(first.Stream, 1)[0]
	if w := call(t, s, first.Stream, envelope(s, order)); w.Code != 200 || taker.Took(first) != 1 {
		t.Errorf("%d %s, carried out %d times", w.Code, w.Body, taker.Took(first))
	}
}
