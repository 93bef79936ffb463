package replication

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// TestWindows checks that windows cover every day from the first one wanted to the last one, on any date, and that each is a day longer at both ends.
func TestWindows(t *testing.T) {
	zone := time.FixedZone("", -3*60*60)
	day := func(text string) time.Time {
		at, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	w := Windows{Oldest: day("2020-05-10")}
	for _, now := range []time.Time{
		day("2026-04-30").Add(23 * time.Hour), day("2026-05-01"), day("2026-05-01").Add(time.Second), day("2026-11-26").Add(time.Hour),
	} {
		for _, from := range []time.Time{{}, day("2021-02-28"), day("2026-04-30"), now} {
			all := w.cut(from, now)
			if begin := max(from.Unix(), w.Oldest.Unix()); all[0].First.After(time.Unix(begin, 0)) || all[0].First.AddDate(0, 0, 1).Day() != 1 {
				t.Errorf("from %v the first is %v", from, all[0])
			}
			for i := 1; i < len(all); i++ {
				if !all[i-1].Last.AddDate(0, 0, -1).Equal(all[i].First) {
					t.Errorf("%v is followed by %v", all[i-1], all[i])
				}
			}
			if last := all[len(all)-1].Last; !last.Equal(now.AddDate(0, 0, 1)) {
				t.Errorf("at %v the last one ends at %v", now, last)
			}
		}
	}
	if all := w.cut(day("2027-02-01"), day("2026-11-26")); len(all) > 0 {
		t.Errorf("before anything is wanted: %v", all)
	}
	w.First, w.Last = day("1900-01-01"), day("2099-12-31")
	if all := w.cut(time.Time{}, day("2021-11-26")); fmt.Sprint(all) != fmt.Sprint([]Window{
		{w.First, day("2021-05-01")}, {day("2021-04-30"), w.Last},
	}) {
		t.Errorf("where both ends are open: %v", all)
	}
	for _, now := range []string{"2026-11-26", "2029-03-01"} {
		if all := w.cut(day("2027-01-02"), day(now)); all[0].First != day("2026-12-31") || all[len(all)-1].Last != w.Last {
			t.Errorf("from a day on, at %s: %v", now, all)
		}
	}
}

// TestRowsOfTwoWindows checks that a row that comes in two windows is kept from the first one, as often as it came there. If rows have keys of their
// own, the listing takes care of that.
func TestRowsOfTwoWindows(t *testing.T) {
	now := time.Date(2026, 5, 1, 1, 0, 0, 0, time.UTC)
	w := &Windows{Oldest: time.Date(2020, 1, 1, 0, 0, 0, 0, time.FixedZone("", -3*60*60))} // in this zone it is still April
	var s spans
	read := func(set int, repeats bool, rows ...string) string {
		l := listing.Listing{Repeats: repeats}
		s.begin(&l, set)
		if repeats == (l.Seen != nil) {
			t.Errorf("the listing has %v", l.Seen)
		}
		var all []listing.Row
		for _, row := range rows {
			r := listing.Row{Data: record.Record(row).Get(""), Key: record.Record(row).Get("k").Text()}
			r.Time, _ = record.ParseTime(r.Data.Get("at").Text(), nil, w.Oldest.Location())
			all = append(all, r)
		}
		var kept []string
		for _, r := range slices.Concat(s.drop(w, all[:1], now), s.drop(w, all[1:], now)) { // on two pages
			kept = append(kept, r.Data.String())
		}
		return strings.Join(kept, " ")
	}
	for i, tt := range []struct {
		set  int
		rows []string
		want string
	}{
		{0, []string{`{"v":1}`, `{"v":1}`, `{"v":2}`}, `{"v":1} {"v":1} {"v":2}`},
		{0, []string{`{"v":1}`, `{"v":1}`, `{"v":1}`, `{"v":3}`}, `{"v":1} {"v":3}`},
		{0, []string{`{"v":2}`, `{"v":3}`}, `{"v":2}`}, // it was not in the window directly before
		{0, []string{`{"k":1,"at":"2026-04-01","v":1}`, `{"k":1,"at":"2026-03-01"}`}, `{"k":1,"at":"2026-04-01","v":1} {"k":1,"at":"2026-03-01"}`},
		{0, []string{`{"k":1,"at":"2026-04-01","v":2}`, `{"k":1,"at":"2026-04-02"}`}, `{"k":1,"at":"2026-04-02"}`}, // the first changed in between
		{1, []string{`{"v":2}`, `{"at":"2026-04-30"}`, `{"at":"2026-05-01"}`}, `{"v":2} {"at":"2026-04-30"}`},
	} {
		if got := read(tt.set, true, tt.rows...); got != tt.want {
			t.Errorf("window %d gives %s, want %s", i, got, tt.want)
		}
	}
	for range 2 {
		if got := read(2, false, `{"v":1}`, `{"at":"2026-05-01"}`); got != `{"v":1}` {
			t.Errorf("with keys: %s", got)
		}
	}
	if w.Last = now; read(2, false, `{"v":1}`, `{"at":"2026-05-02"}`) != `{"v":1} {"at":"2026-05-02"}` {
		t.Error("the last window leaves out what is later")
	}
}
