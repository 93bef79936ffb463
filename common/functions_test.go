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

func TestShared(t *testing.T) {
	for body, want := range map[string]int{
		"n := 0; a(func() { n++ }); a(func() { b(n) }); a(func() { n = 2 })":          3,
		"n := 0; a(func() { n++ }, func() { a(func() { n-- }) })":                     2,
		"n := 0; a(func() { n := 1; b(n) }); a(func() { b.n() }); a(func() { b(p) })": 0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package a; func f(p int) { "+body+" }", 0)
		if err != nil {
			t.Fatal(err)
		}
		if name, closures := shared(file.Decls[0].(*ast.FuncDecl)); closures != want {
			t.Errorf("%s: %d closures share %q, want %d", body, closures, name, want)
		}
	}
}

// shared returns the variable of f's body that most closures in f use, and how many do. A closure inside another one counts as that other one, and
// variables are told apart by their names.
func shared(f *ast.FuncDecl) (name string, most int) {
	var closures []*ast.FuncLit
	own := map[string]bool{}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if closure, ok := n.(*ast.FuncLit); ok {
			closures = append(closures, closure)
			return false
		}
		for _, variable := range declared(n) {
			own[variable] = true
		}
		return true
	})
	users := map[string]int{}
	for _, closure := range closures {
		for variable := range used(closure) {
			if users[variable]++; own[variable] && users[variable] > most {
				name, most = variable, users[variable]
			}
		}
	}
	return name, most
}

// used returns the variables that a closure uses and does not declare.
func used(closure *ast.FuncLit) map[string]bool {
	names, inner := map[string]bool{}, map[string]bool{}
	ast.Inspect(closure, func(n ast.Node) bool {
		for _, variable := range declared(n) {
			inner[variable] = true
		}
		switch n := n.(type) {
		case *ast.SelectorExpr: // its second part is no variable
			ast.Inspect(n.X, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					names[id.Name] = true
				}
				return true
			})
			return false
		case *ast.Ident:
			names[n.Name] = true
		}
		return true
	})
	for variable := range inner {
		delete(names, variable)
	}
	return names
}

// declared returns the variables that a node declares.
func declared(n ast.Node) (names []string) {
	var left []ast.Expr
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			left = n.Lhs
		}
	case *ast.RangeStmt:
		if n.Tok == token.DEFINE {
			left = []ast.Expr{n.Key, n.Value}
		}
	case *ast.Field:
		for _, name := range n.Names {
			left = append(left, name)
		}
	case *ast.ValueSpec:
		for _, name := range n.Names {
			left = append(left, name)
		}
	}
	for _, expression := range left {
		if id, ok := expression.(*ast.Ident); ok {
			names = append(names, id.Name)
		}
	}
	return names
}
