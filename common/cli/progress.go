package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

const (
	redrawEvery = time.Second
	rateOver    = 10 * time.Second // the period over which the records per second are shown
)

// screen is a terminal that somebody watches.
type screen struct {
	io.Writer
	size func() (width, height int)
}

// progress shows how far a read is, on its own goroutine. The zero value shows nothing.
type progress struct {
	screen   screen
	stats    func() []protocol.StreamStats
	redactor *redact.Redactor
	started  time.Time
	past     []sample // oldest first, as far back as rateOver
	drawn    int      // number of lines on the screen that the next drawing replaces

	quit chan struct{}
	done sync.WaitGroup
}

// sample is the number of records of every stream at one time.
type sample struct {
	at      time.Time
	records map[protocol.Descriptor]int64
}

// watch shows the progress of s if its stderr is a terminal and its stdout is not. If both are one terminal, as with docker run -t, nothing may come
// between the messages.
func watch(s *session) *progress {
	file, ok := terminal(s.stderr)
	if !ok {
		return &progress{}
	}
	if _, shared := terminal(s.stdout); shared {
		return &progress{}
	}
	p := &progress{
		screen: screen{
			Writer: file,
			size: func() (int, int) {
				width, height, err := term.GetSize(int(file.Fd()))
				if err != nil || width <= 0 || height <= 0 {
					return 80, 24
				}
				return width, height
			},
		},
		stats:    s.out.Stats,
		redactor: s.redactor,
	}
	p.start()
	return p
}

// terminal returns w as a file, if it is a terminal.
func terminal(w io.Writer) (*os.File, bool) {
	file, ok := w.(*os.File)
	return file, ok && term.IsTerminal(int(file.Fd()))
}

func (p *progress) start() {
	p.started = time.Now()
	p.past = []sample{{at: p.started}}
	p.quit = make(chan struct{})
	p.done.Go(func() {
		tick := time.NewTicker(redrawEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.draw()
			case <-p.quit:
				return
			}
		}
	})
}

// stop stops drawing and leaves one line that says how the read ended.
func (p *progress) stop(complete bool) {
	if p.quit == nil {
		return
	}
	close(p.quit)
	p.done.Wait()
	width, _ := p.screen.size()
	p.show([]string{fit(summary(p.current(), time.Since(p.started), complete), width)})
}

// current returns the progress of the streams. Secrets in their names are blanked here, because lines are cut later and half a secret would not be
// recognised.
func (p *progress) current() []protocol.StreamStats {
	stats := p.stats()
	for i := range stats {
		stats[i].Descriptor.Name = p.redactor.String(stats[i].Descriptor.Name)
	}
	return stats
}

func (p *progress) draw() {
	now, stats := time.Now(), p.current()
	width, height := p.screen.size()
	lines := render(stats, p.rates(now, stats), now, now.Sub(p.started), width, height)
	p.show(lines)
	p.drawn = len(lines)
}

// show replaces the lines drawn before, in one write so that nothing flickers.
func (p *progress) show(lines []string) {
	var text strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA\r\x1b[J", p.drawn) // move up, and clear from there to the end of the screen
	}
	for _, line := range lines {
		text.WriteString(line + "\r\n")
	}
	_, _ = io.WriteString(p.screen, text.String()) // a terminal that has gone is no reason to stop
	p.drawn = 0
}

// rates returns the records per second of every stream over the last rateOver.
func (p *progress) rates(now time.Time, stats []protocol.StreamStats) map[protocol.Descriptor]float64 {
	current := sample{now, make(map[protocol.Descriptor]int64, len(stats))}
	for _, s := range stats {
		current.records[s.Descriptor] = s.Records
	}
	p.past = append(p.past, current)
	for len(p.past) > 1 && now.Sub(p.past[1].at) >= rateOver {
		p.past = slices.Delete(p.past, 0, 1)
	}
	first := p.past[0]
	rates := make(map[protocol.Descriptor]float64, len(stats))
	for d, records := range current.records {
		if elapsed := now.Sub(first.at).Seconds(); elapsed > 0 {
			rates[d] = float64(records-first.records[d]) / elapsed
		}
	}
	return rates
}

// render returns the lines for a screen of that size: a line for all streams, and one for every running stream, as far as there is room.
func render(
	stats []protocol.StreamStats, rates map[protocol.Descriptor]float64, now time.Time, elapsed time.Duration, width, height int,
) []string {
	var total float64
	var running, waiting []protocol.StreamStats
	for _, s := range stats {
		total += rates[s.Descriptor]
		if s.Status == protocol.Started || s.Status == protocol.Running {
			running = append(running, s)
			if s.Limited {
				waiting = append(waiting, s)
			}
		}
	}
	pace := number(int64(total)) + " records/s"
	if len(waiting) > 0 && len(waiting) == len(running) {
		first := slices.MinFunc(waiting, func(a, b protocol.StreamStats) int { return a.LimitedUntil.Compare(b.LimitedUntil) })
		pace = wait(first, now)
	}
	lines := []string{tally(stats, elapsed) + ", " + pace}
	shown := running
	if room := max(0, height-2); len(running) > room { // two lines are taken: the one for all, and the one with the cursor
		shown = running[:max(0, room-1)]
	}
	name := 0
	for _, s := range shown {
		name = max(name, utf8.RuneCountInString(s.Descriptor.Name))
	}
	for _, s := range shown {
		lines = append(lines, fmt.Sprintf("  %-*s  %s", name, s.Descriptor.Name, describe(s, rates[s.Descriptor], now)))
	}
	if hidden := len(running) - len(shown); hidden > 0 && height > 2 {
		lines = append(lines, fmt.Sprintf("  and %d more", hidden))
	}
	for i, line := range lines {
		lines[i] = fit(line, width)
	}
	return lines
}

// describe returns the progress of one stream.
func describe(s protocol.StreamStats, rate float64, now time.Time) string {
	text := number(s.Records)
	if s.Estimate > 0 {
		text += fmt.Sprintf(" of %s (%d %%)", number(s.Estimate), min(100, 100*s.Records/s.Estimate))
	}
	text += " records, "
	if s.Limited {
		return text + wait(s, now)
	}
	text += number(int64(rate)) + "/s"
	if left := s.Estimate - s.Records; left > 0 && rate >= 1 {
		text += fmt.Sprintf(", %s left", time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second))
	}
	return text
}

// wait says what a stream waits for, and until when if that is known.
func wait(s protocol.StreamStats, now time.Time) string {
	if s.LimitedUntil.IsZero() {
		return "waiting for quota"
	}
	return "waiting for quota until " + s.LimitedUntil.In(now.Location()).Format(time.TimeOnly)
}

// summary returns how a read ended.
func summary(stats []protocol.StreamStats, elapsed time.Duration, complete bool) string {
	how := "Complete"
	if !complete {
		how = "Not complete"
	}
	return how + ": " + tally(stats, elapsed)
}

// tally returns the totals of all streams.
func tally(stats []protocol.StreamStats, elapsed time.Duration) string {
	var complete int
	var records, bytes int64
	for _, s := range stats {
		records += s.Records
		bytes += s.Bytes
		if s.Status == protocol.Complete {
			complete++
		}
	}
	return fmt.Sprintf("%d of %d streams, %s records, %.1f MB in %s",
		complete, len(stats), number(records), float64(bytes)/1e6, elapsed.Round(time.Second))
}

// fit cuts a line so that the terminal does not wrap it.
func fit(line string, width int) string {
	if utf8.RuneCountInString(line) < width {
		return line
	}
	return string([]rune(line)[:max(0, width-1)])
}

// number returns n with thousands separators.
func number(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
