// Command new writes a new source connector with one stream of an API that does not exist, and the simulator of that API: folders of
// connectors/, specs/ and integration/simulators/ whose tests pass, those of the acceptance suite included. `make new NAME=source-foo` calls it.
package main

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
	"time"
)

// The files of a connector: NAME in a path is the connector's name, PACKAGE its Package, and every file is a text/template of the connector.
//
//go:embed template
var files embed.FS

// connector is what the templates know.
type connector struct {
	Name    string // source-foo-bar
	Package string // foobar, the Go package of its specs, and that of its simulator
	Title   string // Foo Bar, for people
	ID      string // a UUID of its own
	Today   string // for the changelog
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "Say which connector: make new NAME=source-foo")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2], time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("connectors/%[1]s, specs/%[1]s and its simulator are there. CONTRIBUTING.md says how to go on.\n", os.Args[2])
}

// write writes a connector's files into the repository at root. It changes no file that exists.
func write(root, name string, now time.Time) error {
	if !regexp.MustCompile(`^source(-[a-z][a-z0-9]*)+$`).MatchString(name) {
		return fmt.Errorf("%q is no name for a connector: it begins with source- and goes on in lower case, as source-foo-bar", name)
	}
	words := strings.Split(name, "-")[1:]
	c := connector{Name: name, Package: strings.Join(words, ""), ID: uuid(), Today: now.Format(time.DateOnly)}
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	c.Title = strings.Join(words, " ")
	for _, dir := range []string{"connectors/" + name, "specs/" + name, "integration/simulators/" + c.Package} {
		dir = filepath.Join(root, filepath.FromSlash(dir))
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already", dir)
		}
	}
	return fs.WalkDir(files, "template", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		t, err := template.ParseFS(files, path)
		if err != nil {
			return fmt.Errorf("reading the template %s: %w", path, err)
		}
		var text bytes.Buffer
		if err := t.Option("missingkey=error").Execute(&text, c); err != nil {
			return fmt.Errorf("filling in the template %s: %w", path, err)
		}
		target := strings.TrimSuffix(strings.TrimPrefix(path, "template/"), ".tmpl")
		target = filepath.Join(root, strings.NewReplacer("NAME", name, "PACKAGE", c.Package).Replace(target))
		content := text.Bytes()
		if filepath.Ext(target) == ".go" {
			if content, err = format.Source(content); err != nil {
				return fmt.Errorf("formatting %s: %w", target, err)
			}
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return fmt.Errorf("writing %s: %w", target, err)
		}
		if err := os.WriteFile(target, content, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", target, err)
		}
		return nil
	})
}

// uuid returns a random UUID (RFC 9562, version 4).
func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
