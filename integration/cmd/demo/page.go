package main

import (
	"bufio"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// shownRows is how many rows of a stream the page has.
const shownRows = 25

// page is index.html: what the demo found, for people. It holds all that it needs, and asks for nothing from outside.
type page struct {
	When       time.Time
	Took       time.Duration
	Out        string
	Failed     string
	Connectors []*pageConnector
}

// longest is how many characters of a value the page has.
const longest = 100

// pageConnector is a connector on the page.
type pageConnector struct {
	Name     string
	Version  string
	Writes   bool
	Warnings []string
	Streams  []*pageStream
}

// pageStream is a stream on the page, or an operation of a destination.
type pageStream struct {
	row

	Columns []pageColumn
	Rows    [][]pageCell // the first ones, in the columns' order
}

// pageColumn is a column of a stream: what its schema says, and in how many of the rows it has a value.
type pageColumn struct {
	Name, Type string
	Filled     int
}

// pageCell is a value.
type pageCell struct {
	Text         string
	Null, Number bool
}

// Records returns the records of all streams.
func (c *pageConnector) Records() (n int) {
	for _, s := range c.Streams {
		n += s.records
	}
	return n
}

// The methods below are what the template asks of a row.

func (r row) Name() string      { return r.stream }
func (r row) Count() int        { return r.records }
func (r row) Bytes() int64      { return r.bytes }
func (r row) Size() string      { return size(r.bytes) }
func (r row) Second() int       { return r.second }
func (r row) Incremental() bool { return r.incremental }

// Rate returns the records per second; "-" where that is not known.
func (r row) Rate() string {
	if r.took <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", float64(r.records)/r.took.Seconds())
}

// size returns a number of bytes for people.
func size(n int64) string {
	units := []string{"B", "kB", "MB", "GB"}
	value := float64(n)
	for len(units) > 1 && value >= 1000 {
		value, units = value/1000, units[1:]
	}
	return fmt.Sprintf("%.3g %s", value, units[0])
}

// Share returns the column's share of filled values in percent, rounded down to below 100 and up from 0, so that neither is said of what is not so.
func (p pageColumn) Share(of int) int {
	if of == 0 || p.Filled == 0 {
		return 0
	}
	if p.Filled == of {
		return 100
	}
	return min(99, max(1, int(math.Round(100*float64(p.Filled)/float64(of)))))
}

// show puts a connector on the page, whose rows are the table's last ones.
func (d *demo) show(c harness.Connector, catalog harness.Catalog, rows []row, runs ...*harness.Result) error {
	shown := &pageConnector{Name: c.Name, Version: c.Tag, Writes: c.Writes()}
	d.page.Connectors = append(d.page.Connectors, shown)
	for _, run := range runs {
		for _, l := range run.Logs {
			if l.Level == "WARN" && !slices.Contains(shown.Warnings, l.Message) {
				shown.Warnings = append(shown.Warnings, l.Message)
			}
		}
	}
	for _, r := range rows {
		s := &pageStream{row: r}
		if stream, ok := catalog.Stream(r.stream); ok {
			s.Columns = columns(stream)
		}
		shown.Streams = append(shown.Streams, s)
	}
	if c.Writes() {
		return nil
	}
	return shown.fill(filepath.Join(d.out, c.Name, "read.jsonl"))
}

// columns returns the columns of a stream, in the order of its schema.
func columns(stream harness.Stream) (all []pageColumn) {
	gjson.GetBytes(stream.JSONSchema, "properties").ForEach(func(name, schema gjson.Result) bool {
		var kinds []string
		for _, kind := range schema.Get("type").Array() {
			if kind.Str != "null" {
				kinds = append(kinds, kind.Str)
			}
		}
		kind := strings.Join(kinds, ", ")
		if kind == "number" && schema.Get("airbyte_type").Str == "integer" {
			kind = "integer"
		}
		if format := schema.Get("format").Str; format != "" {
			kind = format
		}
		all = append(all, pageColumn{Name: name.Str, Type: kind})
		return true
	})
	return all
}

// fill counts the values in the messages of a read, and keeps the first rows.
func (c *pageConnector) fill(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("making the page: %w", err)
	}
	defer file.Close()
	streams := map[string]*pageStream{}
	for _, s := range c.Streams {
		streams[s.stream] = s
	}
	for lines := bufio.NewReaderSize(file, 1<<20); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("making the page: %w", err)
		}
		if s := streams[gjson.GetBytes(line, "record.stream").Str]; s != nil {
			s.add(gjson.GetBytes(line, "record.data"))
		}
	}
}

// add takes a record.
func (s *pageStream) add(data gjson.Result) {
	values := data.Map()
	var cells []pageCell
	for i, column := range s.Columns {
		value := values[column.Name]
		if value.Type != gjson.Null {
			s.Columns[i].Filled++
		}
		if len(s.Rows) < shownRows {
			cells = append(cells, cell(value))
		}
	}
	if cells != nil {
		s.Rows = append(s.Rows, cells)
	}
}

// cell returns a value as the page shows it.
func cell(value gjson.Result) pageCell {
	c := pageCell{Text: value.String(), Null: value.Type == gjson.Null, Number: value.Type == gjson.Number}
	if c.Number {
		c.Text = value.Raw // with all its digits
	}
	if runes := []rune(c.Text); len(runes) > longest {
		c.Text = string(runes[:longest-1]) + "…"
	}
	return c
}

//go:embed page.html
var pageFile embed.FS

// write writes the page.
func (p *page) write(path string) (err error) {
	text, err := template.New("page.html").ParseFS(pageFile, "page.html")
	if err != nil {
		return fmt.Errorf("making the page: %w", err)
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("making the page: %w", err)
	}
	out := bufio.NewWriter(file)
	if err = errors.Join(text.Execute(out, p), out.Flush(), file.Close()); err != nil {
		return fmt.Errorf("making the page: %w", err)
	}
	return nil
}
