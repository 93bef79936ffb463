package sim

import (
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	size, now, newest := 0, (func() time.Time)(nil), time.Time{}
	Defaults(&size, &now, &newest)
	if size != 1000 || now == nil || newest.UTC().Format(time.RFC3339) != "2025-11-03T21:30:00Z" {
		t.Errorf("%d, %v", size, newest)
	}
	size, newest = 7, time.Unix(5, 0)
	if Defaults(&size, &now, &newest); size != 7 || newest.Unix() != 5 {
		t.Errorf("what was said became %d, %v", size, newest)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for _, err := range []error{NonNegative("x", 0, 3, -1), OneOf("x", "way", "c", "a", "b")} {
		if err == nil {
			t.Error("it is taken")
		}
		func() {
			defer func() {
				if recover() != err { //nolint:errorlint // the very same
					t.Errorf("no panic with %v", err)
				}
			}()
			Sure(1, err)
		}()
	}
	if err := NonNegative("x", 0); err != nil || OneOf("x", "way", "a", "a") != nil || Sure(5, nil) != 5 {
		t.Errorf("what can be is refused: %v", err)
	}
}
