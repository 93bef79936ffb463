package qa

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// troublePage is where what any connector may say is listed.
const troublePage = "docs/troubleshooting.md"

// messages finds messages in the tables under "Message" of a connector's pages that neither the connector nor the engine can say, and those of
// docs/troubleshooting.md that the engine cannot. A … in such a message stands for what varies; what is between backticks are words of the API,
// which are not looked for.
func messages(r Repository) (found []Finding, err error) {
	engine, err := r.sayings("common/")
	if err != nil {
		return nil, err
	}
	found, err = r.unsaid(troublePage, engine)
	if err != nil {
		return nil, err
	}
	connectors, err := r.connectors()
	if err != nil {
		return nil, err
	}
	for _, connector := range connectors {
		own, err := r.sayings("connectors/" + connector + "/")
		if err != nil {
			return nil, err
		}
		for _, name := range []string{"README.md", "README.pt-BR.md"} {
			more, err := r.unsaid("connectors/"+connector+"/"+name, append(own, engine...))
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		}
	}
	return found, nil
}

// unsaid finds the messages of a page that none of the sayings can become. A page that is not there has none.
func (r Repository) unsaid(file string, says []saying) (found []Finding, err error) {
	p, err := r.page(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, row := range p.rows("Message", "Mensagem") {
		for _, part := range quoted(row.cells[0]) {
			if !said(part, says) {
				found = append(found, Finding{file, row.line, fmt.Sprintf("nothing in the code says %q", part)})
			}
		}
	}
	return found, nil
}

// quoted returns the parts of a cell that are the connector's words.
func quoted(cell string) (parts []string) {
	cell = regexp.MustCompile("`[^`]*`").ReplaceAllString(cell, "…")
	for part := range strings.SplitSeq(cell, "…") {
		if part = strings.Trim(part, " ,;:*\"'()"); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// hole stands in a saying for what is only known when it is said.
const hole = -1

// saying is a text that a program may print.
type saying []rune

// sayings returns the texts of the Go files under a folder, without tests.
func (r Repository) sayings(dir string) (all []saying, err error) {
	files, err := r.find(func(file string) bool {
		return strings.HasPrefix(file, dir) && path.Ext(file) == ".go" && !strings.HasSuffix(file, "_test.go")
	})
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		source, err := fs.ReadFile(r.Files, file)
		if err != nil {
			return nil, err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if s := joined(n); len(s) > 0 {
					all = append(all, s)
				}
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					all = append(all, joined(n))
				}
			}
			return true
		})
	}
	return all, nil
}

// joined returns what an expression of texts with + between them says; what is no text in it is a hole.
func joined(e ast.Expr) saying {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return append(joined(e.X), joined(e.Y)...)
		}
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if e.Kind != token.STRING || err != nil {
			break
		}
		var s saying
		verb := regexp.MustCompile(`%[-+# 0]*[0-9]*(\.[0-9]+)?(\[[0-9]+\])?[a-zA-Z]`)
		for i, part := range verb.Split(text, -1) {
			if i > 0 {
				s = append(s, hole)
			}
			s = append(s, []rune(part)...)
		}
		return s
	}
	return saying{hole}
}

// said tells whether a text is part of what one of the sayings may become. At least two thirds of it, and not less than six letters or all of
// it, must be the saying's own.
func said(text string, says []saying) bool {
	letters := []rune(text)
	least := max(len(letters)*2/3, min(len(letters), 6))
	for _, s := range says {
		if own(letters, s) >= least {
			return true
		}
	}
	return false
}

// own returns how many letters of a text are the saying's own where the text is part of it, the most that can be; -1 where it is not.
func own(text []rune, s saying) int {
	if !slices.Contains(s, hole) {
		if strings.Contains(string(s), string(text)) {
			return len(text)
		}
		return -1
	}
	best := make([]int, len(s)+1) // by place in s, when the letters so far end before it; it may begin anywhere
	for _, letter := range text {
		next := make([]int, len(s)+1)
		for i := range next {
			next[i] = -1
		}
		for i, n := range best {
			if n < 0 || i == len(s) {
				continue
			}
			switch s[i] {
			case hole:
				next[i] = max(next[i], n)
				best[i+1] = max(best[i+1], n) // the hole may end here
			case letter:
				next[i+1] = max(next[i+1], n+1)
			}
		}
		best = next
	}
	most := -1
	for _, n := range best {
		most = max(most, n)
	}
	return most
}
