package record

import (
	"fmt"
	"strings"
	"testing"
)

func TestMembers(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1,"b\u0063":{"x":[2]}, "a" : null}`: `a=1 bc={"x":[2]} a=null`,
		` {} `: "", `[{"a":1}]`: "", `"a"`: "", ``: "",
	} {
		var got []string
		for name, v := range Record(in).Members() {
			got = append(got, fmt.Sprintf("%s=%s", name, v.Raw()))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %s", in, got, want)
		}
	}
	for name := range Record(`{"a":1,"b":2}`).Members() {
		if name != "a" {
			t.Errorf("went on to %s", name)
		}
		break
	}
}

func TestTwice(t *testing.T) {
	for in, want := range map[string][2]string{
		`{"a":1,"b":{"a":2},"c":[{"a":3}]}`:    {"", ""},
		`{"a":1,"b":2,"\u0061":3}`:             {"a", "a"},
		`{"a":{"b":1,"b":1}}`:                  {"", "b"},
		`[{"a":1},{"a":2,"c":{"d":1,"d":2}}]`:  {"", "d"},
		`{"x":[[],[[{"y":0,"y":1}]]],"z":"z"}`: {"", "y"},
		`null`:                                 {"", ""},
		``:                                     {"", ""},
	} {
		outside, _ := Record(in).Get("").Twice()
		anywhere, found := Record(in).Get("").TwiceAnywhere()
		if outside != want[0] || anywhere != want[1] || found != (want[1] != "") {
			t.Errorf("%s: got %q and %q, want %q", in, outside, anywhere, want)
		}
	}
}
