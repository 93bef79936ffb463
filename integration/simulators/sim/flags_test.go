package sim

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestApply(t *testing.T) {
	type name string
	for _, test := range []struct {
		set  map[string]string
		err  string // part of it; empty for none
		want int
		list []name
		caps map[string]int
	}{
		{nil, "", 7, nil, nil},
		{map[string]string{"number": "3", "list": "a", "caps": "/x=5"}, "", 3, []name{"a"}, map[string]int{"/x": 5}},
		{map[string]string{"list": "a,b c,", "caps": "/x=5,y=20"}, "", 7, []name{"a", "b c", ""}, map[string]int{"/x": 5, "y": 20}},
		{map[string]string{"speed": "3"}, "setting speed of fake, which knows [caps list number]: ", 0, nil, nil},
		{map[string]string{"number": "x"}, "setting number of fake", 0, nil, nil},
		{map[string]string{"caps": "/x"}, `"/x" is not PATH=ROWS`, 0, nil, nil},
		{map[string]string{"caps": "/x=0"}, `"/x=0" is not PATH=ROWS`, 0, nil, nil},
		{map[string]string{"caps": "/x=5,/y=many"}, `"/y=many" is not PATH=ROWS`, 0, nil, nil},
	} {
		var list []name
		caps := map[string]int{}
		flags := flag.NewFlagSet("fake", flag.ContinueOnError)
		number := flags.Int("number", 7, "")
		flags.Func("list", "", List(&list))
		flags.Func("caps", "", Caps(caps))
		err := Options{Set: test.set}.Apply(flags)
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%v: %v, want %q", test.set, err, test.err)
		}
		if err == nil && (*number != test.want || !slices.Equal(list, test.list) || !maps.Equal(caps, test.caps)) {
			t.Errorf("%v: %d, %q, %v", test.set, *number, list, caps)
		}
	}
}
