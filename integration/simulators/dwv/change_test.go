package dwv

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

func keys(ids ...int) map[string]bool {
	set := sim.Set()
	for _, id := range ids {
		set[strconv.Itoa(id)] = true
	}
	return set
}

func TestChange(t *testing.T) {
	s := New(Options{Size: 500, Now: simtest.At("2025-11-10T12:00:00Z")})
	before := all(t, s)
	s.Change(10, 3)
	after := all(t, s)
	changed, deleted := map[int]bool{}, map[int]bool{}
	for i, was := range before {
		is := after[i]
		if !was.Deleted && is.Deleted {
			deleted[is.ID] = true
			if was.LastUpdatedAt != is.LastUpdatedAt {
				t.Errorf("%d: deleting moved its time from %s to %s", is.ID, was.LastUpdatedAt, is.LastUpdatedAt)
			}
		}
		if was.LastUpdatedAt != is.LastUpdatedAt {
			changed[is.ID] = true
			wasHome, _ := was.parts()
			isHome, _ := is.parts()
			if wasHome.Price == isHome.Price {
				t.Errorf("%d: the price stayed %s", is.ID, isHome.Price)
			}
			if is.LastUpdatedAt != "2025-11-10 09:00:00" && is.LastUpdatedAt != "2025-11-10T09:00:00-03:00" {
				t.Errorf("%d: time %s", is.ID, is.LastUpdatedAt)
			}
		}
	}
	if len(changed) != 10 || len(deleted) != 3 {
		t.Errorf("%d changed, %d deleted", len(changed), len(deleted))
	}
	for _, stream := range []string{"properties", "property_details"} {
		e := s.Expect()[stream]
		must := keys(slices.Collect(maps.Keys(changed))...)
		maps.Copy(must, keys(slices.Collect(maps.Keys(deleted))...))
		if !maps.Equal(e.Next.Must, must) {
			t.Errorf("%s: expected are %v, want %v", stream, e.Next.Must, must)
		}
		if err := e.Full.Compare(came(after)); err != nil {
			t.Errorf("%s: %v", stream, err)
		}
		for _, p := range before {
			atMark := p.LastUpdatedAt == "" || p.LastUpdatedAt == "2025-11-03 18:30:00" || p.LastUpdatedAt == "2025-11-03T18:30:00-03:00"
			if key := strconv.Itoa(p.ID); e.Next.May[key] != (atMark && !must[key]) {
				t.Errorf("%s: %d of %s: may come %v", stream, p.ID, p.LastUpdatedAt, e.Next.May[key])
			}
		}
	}
	s.Change(1, 0)
	if e := s.Expect()["properties"]; len(e.Next.Must) != 1 || len(e.Next.May) < 10 {
		t.Errorf("after a second change %d must and %d may come", len(e.Next.Must), len(e.Next.May))
	}
}

func TestChangeBeforeTheClock(t *testing.T) {
	s := New(Options{Size: 50, Now: simtest.At("2001-01-01T00:00:00Z")})
	for _, id := range s.Touch(5) {
		if body, _ := s.Property(id, false); !bytes.Contains(body, []byte("2025-11-03")) {
			t.Errorf("%d changed before the data: %s", id, body)
		}
	}
}

func TestDetail(t *testing.T) {
	s := New(Options{Size: 60})
	for _, p := range all(t, s) {
		status, body := get(t, s, root+"/"+strconv.Itoa(p.ID))
		want, _ := s.Property(p.ID, true)
		if status != http.StatusOK || string(body) != `{"data":`+string(want)+`}` {
			t.Fatalf("%d: status %d: %s", p.ID, status, body)
		}
	}
}

func TestDrift(t *testing.T) {
	const size = 400
	read := func(d Drift) (s *Simulator, rows []property) {
		s = New(Options{Size: size, Drift: d, Now: simtest.At("2025-11-10T12:00:00Z")})
		return s, all(t, s)
	}
	repeats := func(rows []property) (n int) {
		for _, times := range came(rows) {
			n += times - 1
		}
		return n
	}

	s, rows := read(Drift{Move: 2}) // rows move to the end: seen twice, and as many slip onto pages already read
	if full := s.Expect()["properties"].Full; repeats(rows) == 0 || len(full.Must) != size || full.Compare(came(rows)) == nil {
		t.Errorf("move: %d rows, %d repeats", len(rows), repeats(rows))
	}
	if total := list(t, s).Total; total != size {
		t.Errorf("move: the total became %d", total)
	}

	s, rows = read(Drift{Move: 2, Touch: true})
	touched := 0
	for _, p := range rows {
		if p.LastUpdatedAt == "2025-11-10 09:00:00" {
			touched++
		}
	}
	if e := s.Expect()["properties"]; touched == 0 || len(e.Next.Must) != 0 || len(e.Next.May) < touched {
		t.Errorf("touch: %d seen, %d must and %d may come", touched, len(e.Next.Must), len(e.Next.May))
	}

	s, rows = read(Drift{Prepend: 3, Pages: 3}) // rows move to later pages: seen twice, none is lost
	if repeats(rows) == 0 || s.Expect()["properties"].Full.Compare(came(rows)) != nil {
		t.Errorf("prepend: %d repeats, %v", repeats(rows), s.Expect()["properties"].Full.Compare(came(rows)))
	}

	s, rows = read(Drift{Append: 3, Pages: 3})
	full := s.Expect()["properties"].Full
	if repeats(rows) != 0 || full.Compare(came(rows)) != nil || len(came(rows)) != size+9 || len(full.Must) != size {
		t.Errorf("append: %d rows, %v", len(rows), full.Compare(came(rows)))
	}

	s, _ = read(Drift{Vanish: 5, Pages: 2})
	if e := s.Expect()["properties"]; len(e.Full.Must) != size-10 || len(e.Full.May) != 10 || list(t, s).Total != size-10 {
		t.Errorf("vanish: %d must, %d may come", len(e.Full.Must), len(e.Full.May))
	}

	s = New(Options{Size: size, Drift: Drift{Delete: 5, Pages: 2}})
	before := list(t, s, "deleted", "true").Total
	rows = append(all(t, s, "deleted", "false"), all(t, s, "deleted", "true")...)
	if after := list(t, s, "deleted", "true").Total; after <= before || len(s.Expect()["properties"].Full.Must) != size {
		t.Errorf("delete: %d, then %d of %d rows", before, after, len(rows))
	}
	s.Settle()
	if e := s.Expect()["properties"]; len(e.Next.Must) != 0 {
		t.Errorf("settled, but %d must come", len(e.Next.Must))
	}
}

func TestOpen(t *testing.T) {
	set := map[string]string{"version": "1.0.1", "token": "abc", "max-limit": "5", "move": "1", "touch": "true"}
	opened, err := Open(sim.Options{Size: 7, Set: set})
	if err != nil {
		t.Fatal(err)
	}
	s, ok := opened.(*Simulator)
	if !ok || s.with.Version != Version101 || s.with.MaxLimit != 5 || s.with.Drift != (Drift{Move: 1, Touch: true}) ||
		s.with.Auth != BearerOnly {
		t.Errorf("%+v", s.with)
	}
	if s.Config("http://x", sim.Quota{})["token"] != "abc" || s.Secrets()[0] != "abc" {
		t.Errorf("%v", s.Config("http://x", sim.Quota{}))
	}
	for _, set := range []map[string]string{{"version": "2"}, {"auth": "none"}, {"move": "x"}, {"speed": "1"}} {
		if _, err := Open(sim.Options{Set: set}); err == nil {
			t.Errorf("%v is taken", set)
		}
	}
}
