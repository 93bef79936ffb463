package qa

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"go.yaml.in/yaml/v3"
	"mvdan.cc/sh/v3/syntax"
)

// codeBlocks finds fenced blocks that do not say their language, or that are not what they say they are; those that are parts of files are left to
// excerpts.
func codeBlocks(r Repository) (found []Finding, err error) {
	pages, err := r.pages()
	if err != nil {
		return nil, err
	}
	for _, p := range pages {
		parts := map[int]bool{} // lines at which parts of files begin, which need not be whole
		for _, at := range partOf().FindAllIndex(p.source, -1) {
			parts[p.lineAt(at[1])] = true
		}
		for _, b := range p.blocks {
			if parts[b.line] {
				continue
			}
			if err := parses(b.language, b.code); err != nil {
				found = append(found, Finding{p.file, b.line, fmt.Sprintf("the block of code: %v", err)})
			}
		}
	}
	return found, nil
}

// parses tells whether code is what its language says.
func parses(language, code string) error {
	switch language {
	case "":
		return errors.New("it does not say its language; text is one")
	case "sh", "bash":
		_, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(code), "")
		return err
	case "json":
		var v any
		return json.Unmarshal([]byte(code), &v)
	case "jsonl":
		for line := range strings.Lines(code) {
			if !json.Valid([]byte(line)) {
				return fmt.Errorf("this is no JSON: %s", line)
			}
		}
		return nil
	case "yaml":
		decoder := yaml.NewDecoder(strings.NewReader(code))
		for {
			var v any
			if err := decoder.Decode(&v); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	case "go":
		_, err := format.Source([]byte(code)) // a file, declarations or statements
		return err
	case "hcl":
		_, diagnostics := hclsyntax.ParseConfig([]byte(code), "", hcl.InitialPos)
		if diagnostics.HasErrors() {
			return diagnostics
		}
		return nil
	case "text", "python", "sql", "mermaid":
		return nil
	default:
		return fmt.Errorf("the language %q is not one that is read here", language)
	}
}

// partOf returns the beginning of a block of code that is said to be part of a file.
func partOf() *regexp.Regexp {
	return regexp.MustCompile(`<!-- From (\S+) -->\n+` + "```" + `[a-z]*\n`)
}

// excerpts finds blocks of code that are said to be part of a file, by a comment before them (<!-- From examples/run.sh -->), and are not.
func excerpts(r Repository) (found []Finding, err error) {
	pages, err := r.pages()
	if err != nil {
		return nil, err
	}
	for _, p := range pages {
		for _, at := range partOf().FindAllSubmatchIndex(p.source, -1) {
			file, line := string(p.source[at[2]:at[3]]), p.lineAt(at[1])
			code, _, _ := strings.Cut(string(p.source[at[1]:]), "```")
			data, err := fs.ReadFile(r.Files, file)
			if errors.Is(err, fs.ErrNotExist) {
				found = append(found, Finding{p.file, line, "there is no " + file})
				continue
			}
			if err != nil {
				return nil, err
			}
			if !contains(strings.Split(string(data), "\n"), strings.Split(strings.TrimSuffix(code, "\n"), "\n")) {
				found = append(found, Finding{p.file, line, "the block of code is not part of " + file})
			}
		}
	}
	return found, nil
}

// contains tells whether some lines are all in others, in their order. A line that is only … stands for those that are left out; without one
// they follow each other.
func contains(all, some []string) bool {
	for part := range slices.Values(parts(some)) {
		at := -1
		for i := 0; i+len(part) <= len(all) && at < 0; i++ {
			if slices.Equal(all[i:i+len(part)], part) {
				at = i
			}
		}
		if at < 0 {
			return false
		}
		all = all[at+len(part):]
	}
	return true
}

// parts cuts lines at those that are only …, with or without a mark of a comment before it.
func parts(lines []string) (all [][]string) {
	var part []string
	for _, line := range lines {
		if strings.TrimLeft(line, "# /") == "…" {
			all, part = append(all, part), nil
			continue
		}
		part = append(part, line)
	}
	return append(all, part)
}
