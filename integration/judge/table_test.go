package judge

import (
	"regexp"
	"testing"
)

// TestTable checks that every check has a unique name, which is used outside, and a reason, which is shown to people.
func TestTable(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z_]+\.[a-z0-9_]+$`)
	seen := map[string]bool{}
	for _, c := range Checks() {
		if !name.MatchString(c.Full()) || seen[c.Full()] {
			t.Errorf("%q is no name, or there twice", c.Full())
		}
		seen[c.Full()] = true
		if c.Run == nil {
			t.Errorf("%s does nothing", c.Full())
		}
		if len(c.Why) < 20 {
			t.Errorf("%s has the reason %q", c.Full(), c.Why)
		}
	}
}
