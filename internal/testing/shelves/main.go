// Command shelves prints the size of each shelf of the repository: packages, files
// and lines of Go without tests, the longest function, and the exported names and
// fields without a comment. It reads the files of the working directory; e2e is a
// separate module and a shelf of its own.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	all := make(map[string]*shelf)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		name := shelfOf(filepath.ToSlash(filepath.Dir(path)))
		if all[name] == nil {
			all[name] = &shelf{packages: make(map[string]bool)}
		}
		return all[name].add(path)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "shelves:", err)
		os.Exit(1)
	}
	print(all)
}

// shelfOf returns the first element of dir, or the second below internal.
func shelfOf(dir string) string {
	parts := strings.Split(dir, "/")
	if parts[0] == "internal" && len(parts) > 1 {
		return "internal/" + parts[1]
	}
	return parts[0]
}

// shelf has the counts of one shelf.
type shelf struct {
	packages     map[string]bool
	files, lines int
	longest      int
	longestName  string
	names, bare  int // exported names, and those without a comment
	fields       int
	bareFields   int
}

func (s *shelf) add(path string) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	if ast.IsGenerated(file) {
		return nil
	}
	s.packages[filepath.Dir(path)] = true
	s.files++
	s.lines += set.File(file.Pos()).LineCount()
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			s.function(set, path, d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				s.spec(d, spec)
			}
		}
	}
	return nil
}

func (s *shelf) function(set *token.FileSet, path string, d *ast.FuncDecl) {
	if n := set.Position(d.End()).Line - set.Position(d.Pos()).Line + 1; n > s.longest {
		s.longest, s.longestName = n, filepath.Base(path)+" "+d.Name.Name
	}
	if d.Recv == nil || receiver(d.Recv.List[0].Type).IsExported() {
		s.name(d.Name, d.Doc != nil)
	}
}

// receiver returns the type of a method's receiver: methods of unexported types do
// not count.
func receiver(t ast.Expr) *ast.Ident {
	switch x := t.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.IndexExpr:
		return receiver(x.X)
	case *ast.IndexListExpr:
		return receiver(x.X)
	}
	return t.(*ast.Ident)
}

func (s *shelf) name(id *ast.Ident, documented bool) {
	if !id.IsExported() {
		return
	}
	s.names++
	if !documented {
		s.bare++
	}
}

// spec counts a type, or the names of a var or const; the comment of a block
// counts for all names in it.
func (s *shelf) spec(d *ast.GenDecl, spec ast.Spec) {
	switch x := spec.(type) {
	case *ast.ValueSpec:
		for _, id := range x.Names {
			s.name(id, d.Doc != nil || x.Doc != nil || x.Comment != nil)
		}
	case *ast.TypeSpec:
		s.name(x.Name, d.Doc != nil || x.Doc != nil || x.Comment != nil)
		if t, ok := x.Type.(*ast.StructType); ok && x.Name.IsExported() {
			s.structFields(t)
		}
	}
}

// structFields counts the exported fields, and those without a comment.
func (s *shelf) structFields(t *ast.StructType) {
	for _, f := range t.Fields.List {
		for _, id := range f.Names {
			if !id.IsExported() {
				continue
			}
			s.fields++
			if f.Doc == nil && f.Comment == nil {
				s.bareFields++
			}
		}
	}
}

func print(all map[string]*shelf) {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	total := &shelf{packages: make(map[string]bool)}
	const row = "%-22s %8d %6d %7d  %4d %-44s %9s %9s\n"
	fmt.Printf("%-22s %8s %6s %7s  %-49s %9s %9s\n", "shelf", "packages", "files", "lines", "longest function", "names", "fields")
	for _, name := range names {
		s := all[name]
		fmt.Printf(row, name, len(s.packages), s.files, s.lines, s.longest, s.longestName, ratio(s.bare, s.names), ratio(s.bareFields, s.fields))
		for p := range s.packages {
			total.packages[p] = true
		}
		total.files, total.lines = total.files+s.files, total.lines+s.lines
		total.names, total.bare = total.names+s.names, total.bare+s.bare
		total.fields, total.bareFields = total.fields+s.fields, total.bareFields+s.bareFields
		if s.longest > total.longest {
			total.longest, total.longestName = s.longest, s.longestName
		}
	}
	fmt.Printf(row, "all", len(total.packages), total.files, total.lines, total.longest, total.longestName, ratio(total.bare, total.names), ratio(total.bareFields, total.fields))
	fmt.Println("\nnames, fields: exported ones without a comment, of all exported ones")
}

func ratio(part, all int) string { return fmt.Sprintf("%d/%d", part, all) }
