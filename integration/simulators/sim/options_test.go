package sim

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// choice is a text with a type of its own.
type choice string

// fakeOptions are options of every type.
type fakeOptions struct {
	Size      int
	Seed      uint64
	Now       func() time.Time
	Newest    time.Time
	Way       choice
	HTML401   bool
	UTCDays   bool `sim:"utc-days"`
	NoIdOrder bool
	Number    int
	Share     float64
	Idle      time.Duration
	List      []choice
	Caps      map[string]int
	Drift     struct {
		Move  int
		Pages int `sim:"drift-pages"`
		Limit int `sim:"-"`
	}
}

func TestBuild(t *testing.T) {
	var got fakeOptions
	open := func(o fakeOptions) (fake, error) {
		got = o
		return fake{}, nil
	}
	set := map[string]string{
		"way": "west", "html-401": "true", "utc-days": "1", "no-id-order": "true", "number": "3", "share": "0.5", "idle": "2s", "list": "a,b c,",
		"caps": "/x=5,y=20", "move": "4", "drift-pages": "6",
	}
	if _, err := Build("fake", Options{Size: 7, Seed: 8, Set: set}, open); err != nil {
		t.Fatal(err)
	}
	want := fakeOptions{
		Size: 7, Seed: 8, Way: "west", HTML401: true, UTCDays: true, NoIdOrder: true, Number: 3, Share: 0.5, Idle: 2 * time.Second,
		List: []choice{"a", "b c", ""}, Caps: map[string]int{"/x": 5, "y": 20},
	}
	want.Drift.Move, want.Drift.Pages = 4, 6
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	const known = "which knows [caps drift-pages html-401 idle list move no-id-order number share utc-days way]: "
	for option, want := range map[string]string{
		"speed=3": "setting speed of fake, " + known, "size=3": "setting size of fake", "limit=1": "setting limit", "number=x": "setting number of fake",
		"caps=/x": `"/x" is not NAME=NUMBER`, "caps=/x=0": `"/x=0" is not`, "caps=/x=5,/y=many": `"/y=many" is not`, "idle=3": "setting idle",
	} {
		name, value, _ := strings.Cut(option, "=")
		if _, err := Build("fake", Options{Set: map[string]string{name: value}}, open); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", option, err, want)
		}
	}
}
