package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"
)

// report is a table, and a chart of it where there are bars.
type report struct {
	name, title, note string
	head              []string
	rows              [][]string
	bars              []bar
}

// bar is what a connector takes of the relay's time and CPU.
type bar struct {
	name      string
	wall, cpu float64
}

// row adds a row. Fractions have two digits after the point, or one where they are large.
func (r *report) row(cells ...any) {
	var row []string
	for _, cell := range cells {
		switch value := cell.(type) {
		case float64:
			if value >= 100 {
				row = append(row, fmt.Sprintf("%.1f", value))
			} else {
				row = append(row, fmt.Sprintf("%.2f", value))
			}
		default:
			row = append(row, fmt.Sprint(value))
		}
	}
	r.rows = append(r.rows, row)
}

// markdown returns the table with its title, and when and where it was measured.
func (r *report) markdown() string {
	var b strings.Builder
	b.WriteString("# " + r.title + "\n\n" + r.note + "\n\n")
	if len(r.bars) > 0 {
		b.WriteString("![What a connector takes of the relay's time and CPU](" + r.name + ".svg)\n\n")
	}
	widths := make([]int, len(r.head))
	lines := append([][]string{r.head, nil}, r.rows...)
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n := range widths {
		lines[1] = append(lines[1], strings.Repeat("-", max(2, widths[n]-1))+":")
	}
	for _, line := range lines {
		for i, cell := range line {
			_, _ = fmt.Fprintf(&b, "| %*s ", widths[i], cell) // a builder takes all
		}
		b.WriteString("|\n")
	}
	_, _ = fmt.Fprintf(&b, "\nMeasured on %s by `make bench` on %s.\n", time.Now().Format(time.DateOnly), machine())
	return b.String()
}

// machine returns what the figures were measured on.
func machine() string {
	name := "an unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`model name\s*: *(.*)`).FindSubmatch(info); m != nil {
			name = string(m[1])
		}
	}
	return fmt.Sprintf("%d × %s, %s/%s, %s", runtime.NumCPU(), name, runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// write puts the table, and the chart, into a folder.
func (r *report) write(folder string) error {
	files := map[string]string{r.name + ".md": r.markdown()}
	if len(r.bars) > 0 {
		files[r.name+".svg"] = r.chart()
	}
	err := os.MkdirAll(folder, 0o750)
	for name, body := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), []byte(body), 0o600)
		}
	}
	if err != nil {
		return fmt.Errorf("writing the tables: %w", err)
	}
	return nil
}

// chart returns an SVG of the bars: two for each name, and a line where the relay is.
func (r *report) chart() string {
	const left, height, width = 220, 52, 420
	most := 1.0
	for _, bar := range r.bars {
		most = max(most, bar.wall, bar.cpu)
	}
	var b strings.Builder
	draw := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) } // a builder takes all
	bottom := 40 + height*len(r.bars)
	draw(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`, left+width+80, bottom+10)
	draw(`<rect width="100%%" height="100%%" fill="white"/>`)
	draw(`<text x="%d" y="22" fill="#1f6feb">time</text><text x="%d" y="22" fill="#d29922">CPU</text>`, left, left+44)
	draw(`<text x="%d" y="22" fill="#555">as multiples of the relay's</text>`, left+84)
	for i, bar := range r.bars {
		y := 40 + height*i
		draw(`<text x="%d" y="%d" text-anchor="end">%s</text>`, left-10, y+24, bar.name)
		for k, value := range []float64{bar.wall, bar.cpu} {
			length := value / most * width
			draw(`<rect x="%d" y="%d" width="%.1f" height="16" fill="%s"/>`, left, y+k*20, length, []string{"#1f6feb", "#d29922"}[k])
			draw(`<text x="%.1f" y="%d">%.2f</text>`, left+length+6, y+k*20+13, value)
		}
	}
	at := left + width/most
	draw(`<line x1="%.1f" y1="32" x2="%.1f" y2="%d" stroke="#555" stroke-dasharray="4 3"/>`, at, at, bottom)
	draw(`</svg>`)
	return b.String()
}
