package snapproperty

import (
	"testing"
	"time"
)

// since returns the keys of the streams as a reader gets them by a filter.
func since(t *testing.T, s *Simulator, from time.Time) (properties, photos map[string]int) {
	t.Helper()
	all := every(t, s, 500, "AND LastModifiedDate >= "+from.UTC().Format(time.RFC3339))
	var list []record
	for _, r := range all {
		list = append(list, r.photos()...)
	}
	return counts(all), counts(list)
}

func TestChange(t *testing.T) {
	c := newClock()
	s := New(Options{Size: 1000, Now: c.now})
	before := map[string]record{}
	for _, r := range every(t, s, 500) {
		before[r.text("Id")] = r
	}
	for round := range 4 {
		start := c.t.Add(time.Hour)
		c.t = c.t.Add(2 * time.Hour)
		s.Change(20, 3)
		properties, photos := since(t, s, start)
		expect := s.Expect()
		if n := len(expect["imoveis"].Next.Must); n != 20 || len(properties) != 20 {
			t.Errorf("round %d: %d properties must come, %d came", round, n, len(properties))
		}
		for stream, came := range map[string]map[string]int{"imoveis": properties, "fotos": photos} {
			if err := expect[stream].Next.Compare(came); err != nil {
				t.Errorf("round %d, %s: %v", round, stream, err)
			}
		}
		if stamped := every(t, s, 500, "AND SystemModstamp >= "+start.UTC().Format(time.RFC3339)); len(stamped) != len(properties) {
			t.Errorf("round %d: %d by LastModifiedDate and %d by SystemModstamp", round, len(properties), len(stamped))
		}
		all := every(t, s, 500)
		if err := expect["imoveis"].Full.Compare(counts(all)); err != nil || len(all) != 1000-3*(round+1) {
			t.Errorf("round %d: %d properties: %v", round, len(all), err)
		}
		for _, r := range all {
			const name = "snap_brok__valor_venda__c"
			id := r.text("Id")
			old, ok := before[id][name].(float64)
			if ok && properties[id] == 0 != (old == r[name]) {
				t.Errorf("round %d: of %s the price was %v and is %v", round, id, old, r[name])
			}
			before[id] = r
		}
	}
	s.Change(0, 0)
	if n := len(s.Expect()["imoveis"].Next.Must); n != 0 {
		t.Errorf("%d properties must come though none changed", n)
	}
}

// Rows changed shortly before a sync began may come again with the next one.
func TestMargin(t *testing.T) {
	c := newClock()
	s := New(Options{Size: 500, Now: c.now})
	s.Change(5, 0)
	c.t = c.t.Add(10 * time.Minute)
	since(t, s, c.t)
	s.Change(7, 0)
	if next := s.Expect()["imoveis"].Next; len(next.Must) != 7 || len(next.May) < 1 || len(next.May) > 5 {
		t.Errorf("%d must come and %d may", len(next.Must), len(next.May))
	}
	c.t = c.t.Add(3 * time.Hour)
	since(t, s, c.t)
	s.Change(0, 0)
	if next := s.Expect()["imoveis"].Next; len(next.Must)+len(next.May) != 0 {
		t.Errorf("%d must come and %d may", len(next.Must), len(next.May))
	}
}

func TestNoIncremental(t *testing.T) {
	s := New(Options{Size: 100, NoModified: true})
	s.Change(5, 0)
	for stream, e := range s.Expect() {
		if e.Incremental || len(e.Next.Must) != len(e.Full.Must) || len(e.Next.May) > 0 {
			t.Errorf("%s: %v, %d and %d", stream, e.Incremental, len(e.Next.Must), len(e.Full.Must))
		}
	}
}
