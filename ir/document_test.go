package ir_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/planec/planec/ir"
)

var update = flag.Bool("update", false, "write docs/reference/ir.md")

const document = "../docs/reference/ir.md"

// TestDocument keeps docs/reference/ir.md equal to the types that Program is made of.
func TestDocument(t *testing.T) {
	types := declared(t)
	var b strings.Builder
	b.WriteString("# The intermediate form\n\nMade from the types of package `ir` by its test (`go test ./ir -run TestDocument -update`). `planec ir -o json` prints a\n" +
		"[Program](#program) in this form, `-o yaml` the same as YAML. [embedding.md](../embedding.md#compatibility) says what stays.\n")
	order, seen := []string{"Program"}, map[string]bool{"Program": true}
	for len(order) > 0 {
		name := order[0]
		order = order[1:]
		for _, next := range writeType(&b, name, types) {
			if !seen[next] {
				seen[next] = true
				order = append(order, next)
			}
		}
	}
	if *update {
		if err := os.WriteFile(document, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Error("docs/reference/ir.md is stale: go test ./ir -run TestDocument -update")
	}
}

// declaredType is a type of the package, and the texts of its enumeration's values.
type declaredType struct {
	doc    string
	form   ast.Expr
	values []string
}

// jsonForm ends the names of types with what is written of another type beside its fields.
const jsonForm = "JSON"

// declared reads the package's types.
func declared(t *testing.T) map[string]*declaredType {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]*declaredType)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				if s, ok := s.(*ast.TypeSpec); ok && (s.Name.IsExported() || strings.HasSuffix(s.Name.Name, jsonForm)) {
					doc := s.Doc.Text()
					if doc == "" {
						doc = g.Doc.Text()
					}
					out[s.Name.Name] = &declaredType{doc: doc, form: s.Type}
				}
			}
		}
	}
	for name, texts := range enumerations() {
		out[name].values = texts
	}
	return out
}

// enumerations are the texts of the types that are written as words.
func enumerations() map[string][]string {
	return map[string][]string{
		"FrontendKind": texts(ir.FrontendKinds()), "MasqueradeRule": texts(ir.MasqueradeRules()), "Refusal": texts(ir.Refusals()),
		"DetectMode": texts(ir.DetectModes()), "TierKind": texts(ir.TierKinds()), "Action": texts(ir.Actions()),
		"Protocol": texts(ir.Protocols()), "Family": texts(ir.Families()),
	}
}

func texts[T fmt.Stringer](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, v.String())
	}
	return out
}

// writeType writes one type, and returns the types of its fields.
func writeType(b *strings.Builder, name string, types map[string]*declaredType) []string {
	d := types[name]
	fmt.Fprintf(b, "\n## %s\n\n%s\n", name, oneLine(d.doc))
	if len(d.values) > 0 {
		fmt.Fprintf(b, "\nOne of %s.\n", "`"+strings.Join(d.values, "`, `")+"`")
	}
	form, ok := d.form.(*ast.StructType)
	if !ok {
		return nil
	}
	var uses []string
	b.WriteString("\n| JSON | type | |\n|---|---|---|\n")
	fields := form.Fields.List
	if written := types[strings.ToLower(name)+jsonForm]; written != nil {
		fields = append(fields, written.form.(*ast.StructType).Fields.List...)
	}
	for _, f := range fields {
		tag := ""
		if f.Tag != nil {
			text, _ := strconv.Unquote(f.Tag.Value)
			tag, _, _ = strings.Cut(reflect.StructTag(text).Get("json"), ",")
		}
		if len(f.Names) == 0 || !f.Names[0].IsExported() || tag == "-" {
			continue
		}
		text, used := typeText(f.Type, types)
		uses = append(uses, used...)
		comment := strings.TrimSpace(f.Doc.Text() + " " + f.Comment.Text())
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", tag, text, oneLine(comment))
	}
	return uses
}

// typeText names the type of a field in words, with a link to a type of the package.
func typeText(e ast.Expr, types map[string]*declaredType) (string, []string) {
	switch e := e.(type) {
	case *ast.ArrayType:
		text, uses := typeText(e.Elt, types)
		return "list of " + text, uses
	case *ast.StarExpr:
		return typeText(e.X, types)
	case *ast.Ident:
		if e.Name == "SharedOrigin" {
			return typeText(ast.NewIdent("Origin"), types)
		}
		if types[e.Name] != nil {
			return fmt.Sprintf("[%s](#%s)", e.Name, strings.ToLower(e.Name)), []string{e.Name}
		}
		return e.Name, nil
	case *ast.SelectorExpr:
		words := map[string]string{"Addr": "address", "AddrPort": "address and port", "Prefix": "CIDR"}
		return words[e.Sel.Name], nil
	}
	return fmt.Sprintf("%T", e), nil
}

var reference = regexp.MustCompile(`\[([A-Za-z.]+)\]`)

// oneLine is a comment as a cell of a table.
func oneLine(comment string) string {
	text := strings.ReplaceAll(strings.Join(strings.Fields(comment), " "), "|", "\\|")
	return reference.ReplaceAllString(text, "`$1`")
}
