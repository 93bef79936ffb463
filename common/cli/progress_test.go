package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

func TestRender(t *testing.T) {
	named := func(name string) protocol.Descriptor { return protocol.Descriptor{Name: name} }
	now := time.Date(2026, 8, 1, 14, 0, 0, 0, time.UTC)
	stats := []protocol.StreamStats{
		{Descriptor: named("done"), Status: protocol.Complete, Records: 1_000_000, Bytes: 2_500_000},
		{Descriptor: named("failed"), Status: protocol.Incomplete, Records: 1},
		{Descriptor: named("waits"), Status: protocol.Running, Records: 12, Limited: true, LimitedUntil: now.Add(330 * time.Second)},
		{Descriptor: named("waits longer"), Status: protocol.Running, Records: 13, Limited: true},
		{Descriptor: named("estimated"), Status: protocol.Running, Records: 750, Estimate: 1000},
		{Descriptor: named("more"), Status: protocol.Running, Records: 11, Estimate: 10},
		{Descriptor: named("started"), Status: protocol.Started},
		{Descriptor: named("later")},
	}
	rates := map[protocol.Descriptor]float64{named("estimated"): 25, named("more"): 1234}
	const total = "1 of 8 streams, 1,000,787 records, 2.5 MB in 1m5s, 1,259 records/s"
	all := []string{
		total,
		"  waits         12 records, waiting for quota until 14:05:30",
		"  waits longer  13 records, waiting for quota",
		"  estimated     750 of 1,000 (75 %) records, 25/s, 10s left",
		"  more          11 of 10 (100 %) records, 1,234/s",
		"  started       0 records, 0/s",
	}
	for _, test := range []struct {
		name          string
		width, height int
		want          []string
	}{
		{"all", 100, 30, all},
		{"just all", 100, 7, all},
		{"not all", 100, 6, []string{total, all[1], all[2], all[3], "  and 2 more"}},
		{"two lines", 100, 3, []string{total, "  and 5 more"}},
		{"one line", 100, 2, []string{total}},
		{"no line", 100, 0, []string{total}},
		{"narrow", 20, 30, []string{
			"1 of 8 streams, 1,0", "  waits         12 ", "  waits longer  13 ", "  estimated     750", "  more          11 ",
			"  started       0 r",
		}},
		{"nothing", 1, 2, []string{""}},
	} {
		got := render(stats, rates, now, 65*time.Second, test.width, test.height)
		if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
	if got := render(nil, nil, now, 0, 80, 24); len(got) != 1 || got[0] != "0 of 0 streams, 0 records, 0.0 MB in 0s, 0 records/s" {
		t.Errorf("without streams: %q", got)
	}
	if got := summary(stats, 65*time.Second, false); got != "Not complete: 1 of 8 streams, 1,000,787 records, 2.5 MB in 1m5s" {
		t.Errorf("got %q", got)
	}
	if got := fit("éééé", 4); got != "ééé" {
		t.Errorf("got %q", got)
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if number(n) != want {
			t.Errorf("got %q, want %q", number(n), want)
		}
	}
}

// watched returns a progress on a buffer that replaces a terminal.
func watched(out io.Writer, e *protocol.Emitter) *progress {
	return &progress{
		screen: screen{Writer: out, size: func() (int, int) { return 60, 24 }},
		stats:  e.Stats, redactor: redact.New("s3cr3t"),
	}
}

func TestProgressIsRedrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		e := protocol.NewEmitter(io.Discard)
		defer e.Close()
		p := watched(&out, e)
		p.start()
		if err := e.Record(protocol.Descriptor{Name: "s3cr3t"}, record.Record(`{"a":1}`)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2500 * time.Millisecond)
		if err := e.Status(protocol.Descriptor{Name: "s3cr3t"}, protocol.Complete); err != nil {
			t.Fatal(err)
		}
		p.stop(true)
		got := out.String()
		const up = "\x1b[2A\r\x1b[J"
		// Two drawings of two lines, the second over the first, and the summary over the second.
		if strings.Count(got, up) != 2 || strings.Count(got, "\r\n") != 5 {
			t.Errorf("got %q", got)
		}
		if !strings.HasSuffix(got, up+"Complete: 1 of 1 streams, 1 records, 0.0 MB in 3s\r\n") {
			t.Errorf("got %q", got)
		}
		if strings.Contains(got, "s3cr3t") {
			t.Errorf("a secret is in %q", got)
		}
	})
}

// TestProgressCutsNoSecretInTwo checks that a line that is cut at the end of the screen does not end in half a secret.
func TestProgressCutsNoSecretInTwo(t *testing.T) {
	for before := range 60 {
		var out bytes.Buffer
		e := protocol.NewEmitter(io.Discard)
		p := watched(&out, e)
		if err := e.Record(protocol.Descriptor{Name: strings.Repeat("x", before) + "s3cr3t"}, record.Record(`{"a":1}`)); err != nil {
			t.Fatal(err)
		}
		p.draw()
		if strings.Contains(out.String(), "s3") {
			t.Errorf("behind %d letters: %q", before, out.String())
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestProgressOfAWait checks that a read whose streams all wait says so in its first line, and not that nothing comes.
func TestProgressOfAWait(t *testing.T) {
	now := time.Date(2026, 8, 1, 14, 0, 0, 0, time.UTC)
	stats := []protocol.StreamStats{
		{Descriptor: protocol.Descriptor{Name: "a"}, Status: protocol.Running, Records: 5, Limited: true, LimitedUntil: now.Add(time.Hour)},
		{Descriptor: protocol.Descriptor{Name: "b"}, Status: protocol.Running, Limited: true, LimitedUntil: now.Add(time.Minute)},
		{Descriptor: protocol.Descriptor{Name: "c"}, Status: protocol.Complete},
	}
	first := func() string { return render(stats, nil, now, time.Minute, 100, 30)[0] }
	if got, want := first(), "1 of 3 streams, 5 records, 0.0 MB in 1m0s, waiting for quota until 14:01:00"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	stats[1].LimitedUntil = time.Time{}
	if got, want := first(), "1 of 3 streams, 5 records, 0.0 MB in 1m0s, waiting for quota"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	stats[1].Limited = false
	if got := first(); !strings.HasSuffix(got, ", 0 records/s") {
		t.Errorf("one still runs: %q", got)
	}
}

func TestRates(t *testing.T) {
	began := time.Unix(0, 0)
	d := protocol.Descriptor{Name: "deals"}
	p := &progress{past: []sample{{at: began}}}
	at := func(seconds int, records int64) string {
		rates := p.rates(began.Add(time.Duration(seconds)*time.Second), []protocol.StreamStats{{Descriptor: d, Records: records}})
		return fmt.Sprintf("%.1f", rates[d])
	}
	for _, test := range []struct {
		seconds int
		records int64
		want    string
	}{
		{0, 0, "0.0"}, {1, 100, "100.0"}, {5, 100, "20.0"}, {11, 1100, "100.0"}, {16, 1100, "90.9"}, {100, 1100, "0.0"},
	} {
		if got := at(test.seconds, test.records); got != test.want {
			t.Errorf("after %d s: %s, want %s", test.seconds, got, test.want)
		}
	}
	if len(p.past) > 3 {
		t.Errorf("%d samples are kept", len(p.past))
	}
}

func TestProgressNeedsATerminal(t *testing.T) {
	p := watch(&session{program: program{stderr: &bytes.Buffer{}}})
	if p.quit != nil {
		t.Error("progress is shown on what is no terminal")
	}
	p.stop(true) // does nothing
}
