package common_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strings"
	"testing"
)

const (
	longest    = 60 // lines of a function: it fits on a screen
	mostShared = 2  // closures of one function that share a variable of it: more of them are a type that is not written down
)

func TestFunctionsFitOnAScreen(t *testing.T) {
	files := token.NewFileSet()
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			at := files.Position(f.Pos())
			if lines := files.Position(f.End()).Line - at.Line + 1; lines > longest {
				t.Errorf("%v: %s has %d lines, and %d fit on a screen", at, f.Name.Name, lines, longest)
			}
			if name, closures := shared(f); closures > mostShared {
				t.Errorf("%v: %d closures of %s share %s: make it a type with methods", at, closures, f.Name.Name, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// shared is the variable of f's body that most closures in f use, and how many do. A closure inside another one counts as that other one.
func shared(f *ast.FuncDecl) (name string, most int) {
	users := map[*ast.Object]int{}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		closure, ok := n.(*ast.FuncLit)
		if !ok {
			return true
		}
		used := map[*ast.Object]bool{}
		ast.Inspect(closure, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if ok && id.Obj != nil && id.Obj.Kind == ast.Var && within(f.Body, id.Obj.Pos()) && !within(closure, id.Obj.Pos()) {
				used[id.Obj] = true
			}
			return true
		})
		for variable := range used {
			users[variable]++
		}
		return false
	})
	for variable, closures := range users {
		if closures > most {
			name, most = variable.Name, closures
		}
	}
	return name, most
}

func within(n ast.Node, at token.Pos) bool { return n.Pos() <= at && at < n.End() }
