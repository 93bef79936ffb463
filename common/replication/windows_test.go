package replication

import (
	"testing"
	"time"
)

// Windows cover every day once, from the one that is wanted to some time after now, on whatever day that is.
func TestWindows(t *testing.T) {
	zone := time.FixedZone("", -3*60*60)
	day := func(text string) time.Time {
		at, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	w := Windows{Oldest: day("2020-05-10"), Ahead: 40 * 24 * time.Hour}
	for _, now := range []time.Time{
		day("2026-04-30").Add(23 * time.Hour), day("2026-05-01"), day("2026-05-01").Add(time.Second), day("2026-11-26").Add(time.Hour),
	} {
		for _, from := range []time.Time{{}, day("2021-02-28"), day("2026-04-30"), now} {
			all := w.cut(from, now)
			if begin := max(from.Unix(), w.Oldest.Unix()); all[0].First.After(time.Unix(begin, 0)) || all[0].First.Day() != 1 {
				t.Errorf("from %v the first is %v", from, all[0])
			}
			for i := 1; i < len(all); i++ {
				if !all[i-1].Last.AddDate(0, 0, 1).Equal(all[i].First) {
					t.Errorf("%v is followed by %v", all[i-1], all[i])
				}
			}
			if last := all[len(all)-1].Last; !last.Equal(now.Add(w.Ahead)) {
				t.Errorf("at %v the last one ends at %v", now, last)
			}
		}
	}
	if all := w.cut(day("2027-01-02"), day("2026-11-26")); len(all) != 1 || !all[0].First.Equal(day("2027-01-01")) || !all[0].Last.Equal(day("2027-01-05")) {
		t.Errorf("from a day after now that is not behind the end: %v", all)
	}
	if all := w.cut(day("2027-02-01"), day("2026-11-26")); len(all) > 0 {
		t.Errorf("before anything is wanted: %v", all)
	}
}
