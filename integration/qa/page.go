package qa

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// page is a Markdown file.
type page struct {
	file     string
	source   []byte
	headings []heading
	links    []link
	blocks   []block
}

// heading is a heading and the name by which a link can lead to it.
type heading struct {
	level      int
	text, slug string
	line       int
}

// link is where a link or an image leads.
type link struct {
	to   string
	line int
}

// block is a fenced block of code.
type block struct {
	language, code string
	line           int // of its first line of code
}

func (r Repository) page(file string) (page, error) {
	source, err := fs.ReadFile(r.Files, file)
	if err != nil {
		return page{}, err
	}
	p := page{file: file, source: source}
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	slugs := map[string]int{}
	err = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			h := heading{level: n.Level, text: p.text(n), line: p.line(n)}
			h.slug = slugOf(h.text)
			if before := slugs[h.slug]; before > 0 {
				slugs[h.slug]++
				h.slug += "-" + strconv.Itoa(before)
			} else {
				slugs[h.slug] = 1
			}
			p.headings = append(p.headings, h)
		case *ast.Link:
			p.links = append(p.links, link{string(n.Destination), p.line(n)})
		case *ast.Image:
			p.links = append(p.links, link{string(n.Destination), p.line(n)})
		case *ast.AutoLink:
			p.links = append(p.links, link{string(n.URL(source)), p.line(n)})
		case *ast.HTMLBlock, *ast.RawHTML:
			p.html(n)
		case *ast.FencedCodeBlock:
			p.block(n)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return page{}, fmt.Errorf("reading %s: %w", file, err)
	}
	return p, nil
}

// line returns the line on which a node begins, as near as the parser tells.
func (p *page) line(n ast.Node) int {
	for ; n != nil; n = n.Parent() {
		if n.Type() == ast.TypeBlock && n.Lines() != nil && n.Lines().Len() > 0 {
			return p.lineAt(n.Lines().At(0).Start)
		}
	}
	return 1
}

func (p *page) lineAt(offset int) int { return 1 + bytes.Count(p.source[:offset], []byte("\n")) }

// text returns the text of a node without its marks.
func (p *page) text(n ast.Node) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // this walk has no errors
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(n.Segment.Value(p.source))
			}
		case *ast.String:
			if entering {
				b.Write(n.Value)
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// html enters the links of a piece of HTML.
func (p *page) html(n ast.Node) {
	var raw []byte
	switch n := n.(type) {
	case *ast.RawHTML:
		raw = n.Segments.Value(p.source)
	default:
		raw = n.Lines().Value(p.source)
	}
	for _, found := range regexp.MustCompile(`(?:src|srcset|href)="([^"]*)"`).FindAllSubmatch(raw, -1) {
		p.links = append(p.links, link{string(found[1]), p.line(n)})
	}
}

func (p *page) block(n *ast.FencedCodeBlock) {
	line := p.line(n)
	if n.Lines().Len() == 0 && n.Info != nil {
		line = p.lineAt(n.Info.Segment.Start)
	}
	p.blocks = append(p.blocks, block{string(n.Language(p.source)), string(n.Lines().Value(p.source)), line})
}

// slugOf returns the name that GitHub gives to a heading.
func slugOf(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, text)
}

// tables returns the rows of the page's tables whose first heading is one of those given, each with its cells, without the headings.
func (p *page) rows(first ...string) (rows []row) {
	inside := false
	for i, text := range strings.Split(string(p.source), "\n") {
		cells := cellsOf(text)
		switch {
		case len(cells) == 0:
			inside = false
		case !inside:
			for _, name := range first {
				inside = inside || cells[0] == name
			}
		case strings.Trim(cells[0], "-: ") != "":
			rows = append(rows, row{cells, i + 1})
		}
	}
	return rows
}

// row is a row of a table.
type row struct {
	cells []string
	line  int
}

// cellsOf returns the cells of a line of a table, trimmed; none of another line.
func cellsOf(line string) (cells []string) {
	line, ok := strings.CutPrefix(strings.TrimSpace(line), "|")
	if !ok {
		return nil
	}
	const bar = "\x00" // stands for an escaped bar while the cells are cut
	line = strings.TrimSuffix(strings.ReplaceAll(line, `\|`, bar), "|")
	for cell := range strings.SplitSeq(line, "|") {
		cells = append(cells, strings.TrimSpace(strings.ReplaceAll(cell, bar, "|")))
	}
	return cells
}
