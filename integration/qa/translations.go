package qa

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// translations finds where a page in Portuguese (README.pt-BR.md and so on) is no translation of the one for users beside it: they have the same
// headings, blocks of code, streams, options, messages and versions in the same order, and those in docs/ the same columns. The list of fields,
// whose descriptions are English, is left out of it.
func translations(r Repository) (found []Finding, err error) {
	files, err := r.find(func(file string) bool {
		return file == "README.md" || file == personalPage || file == troublePage ||
			strings.HasPrefix(file, "connectors/") && strings.HasSuffix(file, "/README.md")
	})
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		other := strings.TrimSuffix(file, ".md") + ".pt-BR.md"
		if _, err := fs.Stat(r.Files, other); errors.Is(err, fs.ErrNotExist) {
			found = append(found, Finding{file, 0, "there is no " + path.Base(other) + " beside it"})
			continue
		}
		english, err := r.page(file)
		if err != nil {
			return nil, err
		}
		portuguese, err := r.page(other)
		if err != nil {
			return nil, err
		}
		found = append(found, differences(english, portuguese)...)
	}
	return found, nil
}

// entry is something of a page that a translation has too.
type entry struct {
	text string
	line int
}

// differences finds the first entry of each kind in which a translation differs.
func differences(english, portuguese page) (found []Finding) {
	for _, kind := range []struct {
		name string
		of   func(page) []entry
	}{{"heading", levels}, {"block of code", codes}, {"row of a table", keys}, {"version", history}} {
		want, got := kind.of(english), kind.of(portuguese)
		for i := range max(len(want), len(got)) {
			switch {
			case i >= len(got):
				found = append(found, Finding{portuguese.file, 0, fmt.Sprintf("there is no %s for %s of %s:%d", kind.name, want[i].text,
					english.file, want[i].line)})
			case i >= len(want):
				found = append(found, Finding{portuguese.file, got[i].line, fmt.Sprintf("%s has no %s for %s", english.file, kind.name, got[i].text)})
			case got[i].text != want[i].text:
				found = append(found, Finding{portuguese.file, got[i].line, fmt.Sprintf("the %s is %s, and %s in %s:%d", kind.name, got[i].text, want[i].text,
					english.file, want[i].line)})
			default:
				continue
			}
			break
		}
	}
	return found
}

// levels returns the headings, as their marks; that they say the same is for people to judge.
func levels(p page) (all []entry) {
	for _, h := range p.headings {
		if h.text != "Fields" && h.text != "Campos" {
			all = append(all, entry{strings.Repeat("#", h.level), h.line})
		}
	}
	return all
}

func codes(p page) (all []entry) {
	for _, b := range p.blocks {
		all = append(all, entry{b.code, b.line})
	}
	return all
}

// keys returns the code in the first cells of the rows that begin with it, and of a page in docs/ in all cells of them: streams, options,
// operations, types, columns; and the messages whole.
func keys(p page) (all []entry) {
	outside, inside := true, regexp.MustCompile(`^<!-- (Written by make generate|The end of what make generate)`)
	code := regexp.MustCompile("`[^`]+`")
	messages := map[int]bool{}
	for _, row := range p.rows("Message", "Mensagem") {
		messages[row.line] = true
	}
	for i, line := range strings.Split(string(p.source), "\n") {
		if inside.MatchString(line) {
			outside = strings.Contains(line, "The end")
		}
		cells := cellsOf(line)
		switch {
		case !outside || len(cells) == 0:
		case messages[i+1]:
			all = append(all, entry{cells[0], i + 1})
		case strings.HasPrefix(cells[0], "`") && strings.HasPrefix(p.file, "docs/"):
			all = append(all, entry{strings.Join(code.FindAllString(line, -1), ", "), i + 1})
		case strings.HasPrefix(cells[0], "`"):
			all = append(all, entry{strings.Join(code.FindAllString(cells[0], -1), ", "), i + 1})
		}
	}
	return all
}

// history returns the versions of the changelog.
func history(p page) (all []entry) {
	for _, row := range p.rows("Version", "Versão") {
		all = append(all, entry{row.cells[0], row.line})
	}
	return slices.Clip(all)
}
