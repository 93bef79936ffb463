package sim

import (
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	keys := Keys{Must: Set("1", "2"), May: Set("3")}
	for _, test := range []struct {
		came map[string]int
		want string // part of the error; empty for none
	}{
		{map[string]int{"1": 1, "2": 1}, ""},
		{map[string]int{"1": 2, "2": 1, "3": 1}, ""},
		{map[string]int{"1": 1, "3": 1}, "missing 1 [2]; not expected 0 []"},
		{map[string]int{"1": 1, "2": 1, "9": 1, "8": 1}, "missing 0 []; not expected 2 [8 9]"},
	} {
		err := keys.Compare(test.came)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%v: %v, want %q", test.came, err, test.want)
		}
	}
}
