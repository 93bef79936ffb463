package sim

import (
	"strconv"
	"strings"
	"testing"
)

// TestRendered checks that a row is made once for a key, and once more if it was dropped because many other rows came in the meantime.
func TestRendered(t *testing.T) {
	made, kept := 0, &Rendered{}
	row := func(key any, size int) string {
		return string(kept.Row(key, func() any { made++; return strings.Repeat("x", size) }))
	}
	type version struct{ index, version int }
	row(version{1, 0}, 3)
	row(version{1, 1}, 4)
	if again := row(version{1, 0}, 5); again != `"xxx"` || made != 2 {
		t.Errorf("%d rows were made, the first is %s", made, again)
	}
	for i := range 70 {
		row("large"+strconv.Itoa(i), 1<<20)
		row(version{1, 1}, 4)
	}
	if row(version{1, 1}, 4); made != 72 {
		t.Errorf("%d rows were made, though one was asked for again and again", made)
	}
	if row(version{1, 0}, 5); made != 73 || kept.bytes > 34<<20 {
		t.Errorf("%d rows were made, %d bytes are young", made, kept.bytes)
	}
	kept = nil
	if row(version{1, 0}, 5); made != 74 {
		t.Error("nothing keeps nothing")
	}
}

// TestPart checks that a part is made once for a key and a type, and again if nothing is kept.
func TestPart(t *testing.T) {
	made, kept := 0, &Rendered{}
	part := func() *int { made++; return &made }
	if a, b := Part(kept, 1, part), Part(kept, 1, part); a != b || made != 1 {
		t.Errorf("it was made %d times", made)
	}
	if Part(kept, 2, part); made != 2 {
		t.Error("two keys have one part")
	}
	if got := Part(kept, 1, func() string { return "text" }); got != "text" {
		t.Errorf("two types have one part: %q", got)
	}
	if Part(nil, 1, part); made != 3 {
		t.Error("nothing keeps nothing")
	}
}

// TestSharing checks that simulators that share rows are opened with one place for them.
func TestSharing(t *testing.T) {
	kept := &Rendered{}
	var places []*Rendered
	open := Sharing(func(o Options) (Simulator, error) {
		places = append(places, o.Rendered)
		return fake{}, nil
	}, kept)
	for range 2 {
		if _, err := open(Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if places[0] != kept || places[1] != kept {
		t.Errorf("the places are %p and %p, not %p", places[0], places[1], kept)
	}
}
