package salesforce

import "testing"

func TestSameID(t *testing.T) {
	for _, same := range [][]string{
		{"001D000000IRt53", "001D000000IRt53IAD", "001d000000irt53iad"}, {"a0B1x00000AbCdE", "a0B1x00000AbCdEEAV"}, {"000000000000000", "000000000000000AAA"},
	} {
		for _, id := range same {
			if got, want := SameID(id), SameID(same[0]); got != want || len(got) != 18 {
				t.Errorf("%s is the same as %s, and %s as %s", id, got, same[0], want)
			}
		}
	}
	if SameID("001D000000IRt53") == SameID("001d000000IRt53") {
		t.Error("capitals count among 15 characters")
	}
}
