package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one change.
type mutant struct {
	id   int
	file string
	line int
	// what describes the change.
	what string
}

// insertion is a text to insert into a file. At the same offset, closing texts
// come first, inner ones before outer ones.
type insertion struct {
	offset, order int
	text          string
}

// source is one file with its mutants.
type source struct {
	path    string
	text    []byte
	fset    *token.FileSet
	file    *ast.File
	inserts []insertion
	// skip has the lines whose mutants do not compile.
	skip map[int]bool
	next func(line int, what string) int
}

// mutate returns the text of a file with all of its mutants.
func mutate(path string, skip map[int]bool, next func(line int, what string) int) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &source{path: path, text: text, fset: token.NewFileSet(), skip: skip, next: next}
	if s.file, err = parser.ParseFile(s.fset, path, text, parser.SkipObjectResolution); err != nil {
		return nil, err
	}
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			s.function(f.Type, f.Body)
		}
	}
	return s.written(), nil
}

// written applies the insertions without adding lines, so that compile errors have
// the line numbers of the original file.
func (s *source) written() []byte {
	slices.SortStableFunc(s.inserts, func(a, b insertion) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.order, b.order))
	})
	var out []byte
	at := 0
	for _, i := range s.inserts {
		out = append(out, s.text[at:i.offset]...)
		out = append(out, i.text...)
		at = i.offset
	}
	return append(out, s.text[at:]...)
}

func (s *source) offset(p token.Pos) int { return s.fset.Position(p).Offset }
func (s *source) line(n ast.Node) int    { return s.fset.Position(n.Pos()).Line }

// raw returns the text of a node on one line; "" if it has a comment or several lines.
func (s *source) raw(n ast.Node) string {
	text := string(s.text[s.offset(n.Pos()):s.offset(n.End())])
	if strings.Contains(text, "\n") || strings.Contains(text, "//") {
		return ""
	}
	return text
}

// around inserts texts before and after a node. before is a format for the number
// of the mutant.
func (s *source) around(n ast.Node, what, before, after string) {
	line := s.line(n)
	if s.skip[line] {
		return
	}
	from, to := s.offset(n.Pos()), s.offset(n.End())
	id := s.next(line, what)
	// An outer node is longer: its text is the first before, and the last after.
	s.inserts = append(s.inserts, insertion{from, 1_000_000_000 - to, fmt.Sprintf(before, id)})
	if after != "" {
		s.inserts = append(s.inserts, insertion{to, -from, after})
	}
}

// function creates the mutants of a body and of the functions in it.
func (s *source) function(t *ast.FuncType, body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			s.function(n.Type, n.Body)
			return false
		case *ast.GenDecl:
			return n.Tok != token.CONST
		case *ast.BlockStmt:
			s.statements(t, n.List)
		case *ast.CaseClause:
			s.statements(t, n.Body)
		case *ast.CommClause:
			s.statements(t, n.Body)
		case *ast.IfStmt:
			s.condition(n.Cond)
		case *ast.ForStmt:
			if n.Cond != nil {
				s.condition(n.Cond)
			}
		case *ast.SwitchStmt:
			if n.Tag == nil {
				s.cases(n)
			}
		case *ast.BinaryExpr:
			s.binary(n)
		}
		return true
	})
}

func (s *source) cases(n *ast.SwitchStmt) {
	for _, c := range n.Body.List {
		for _, e := range c.(*ast.CaseClause).List {
			s.condition(e)
		}
	}
}

func (s *source) condition(e ast.Expr) {
	s.around(e, "negated: "+s.short(e), "plMutantNot(%d, ", ")")
}

// other maps an operator to its replacement.
var other = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.LAND: token.LOR, token.LOR: token.LAND, token.ADD: token.SUB, token.SUB: token.ADD,
	token.EQL: token.NEQ, token.NEQ: token.EQL,
}

func (s *source) binary(e *ast.BinaryExpr) {
	to, ok := other[e.Op]
	x, y := s.raw(e.X), s.raw(e.Y)
	if !ok || x == "" || y == "" {
		return
	}
	alternative := fmt.Sprintf("(%s) %v (%s)", x, to, y)
	what := s.short(e) + " made " + alternative
	if e.Op == token.ADD || e.Op == token.SUB {
		if strings.ContainsAny(x+y, "\"`(") && !strings.Contains(x+y, "len(") {
			return // strings, or calls that must not be repeated
		}
		s.around(e, what, "plMutantNumber(%d, "+escape(alternative)+", ", ")")
		return
	}
	s.around(e, what, "plMutantOther(%d, func() bool { return "+escape(alternative)+" }, ", ")")
}

func escape(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// short returns the beginning of a node's text.
func (s *source) short(n ast.Node) string {
	const most = 70
	text, _, cut := strings.Cut(string(s.text[s.offset(n.Pos()):s.offset(n.End())]), "\n")
	if cut || len(text) > most {
		text = text[:min(len(text), most)] + "..."
	}
	return text
}

// statements creates one mutant for each statement, without that statement.
func (s *source) statements(t *ast.FuncType, list []ast.Stmt) {
	for _, n := range list {
		switch n := n.(type) {
		case *ast.ReturnStmt:
			s.result(t, n)
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				s.without(n)
			}
		case *ast.BranchStmt:
			if n.Tok != token.FALLTHROUGH {
				s.without(n)
			}
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt:
			s.without(n)
		}
	}
}

func (s *source) without(n ast.Stmt) {
	text := strings.ToLower(s.short(n))
	for _, words := range []string{"log.", "defer cancel(", "panic("} {
		if strings.Contains(text, words) {
			return
		}
	}
	s.around(n, "left out: "+s.short(n), "if !plMutant(%d) { ", " }")
}

// result makes a mutant that returns zero values.
func (s *source) result(t *ast.FuncType, n *ast.ReturnStmt) {
	if t.Results == nil || s.zero(n) {
		return
	}
	var zeros []string
	for _, f := range t.Results.List {
		kind := s.raw(f.Type)
		if kind == "" {
			return
		}
		for range max(1, len(f.Names)) {
			zeros = append(zeros, "*new("+kind+")")
		}
	}
	if len(zeros) == 1 && zeros[0] == "*new(bool)" && len(n.Results) == 1 {
		s.condition(n.Results[0])
		return
	}
	s.around(n, "zero instead of: "+s.short(n), "if plMutant(%d) { return "+escape(strings.Join(zeros, ", "))+" }; ", "")
}

// zero reports whether all returned values are zero values or named results.
func (s *source) zero(n *ast.ReturnStmt) bool {
	for _, e := range n.Results {
		switch text := s.raw(e); {
		case slices.Contains([]string{"nil", "0", `""`}, text):
		case text == "false" && len(n.Results) > 1: // a single false is handled as a condition
		case strings.HasSuffix(text, "{}") && !strings.Contains(text, "("):
		default:
			return false
		}
	}
	return true
}

// helper is the source file with the function that mutants call.
const helper = `package %s

import (
	plFmt "fmt"
	plOS "os"
	plConv "strconv"
	plSync "sync"
)

var (
	plActive, _ = plConv.Atoi(plOS.Getenv("PLANEC_MUTANT"))
	plRecord    = plOS.Getenv("PLANEC_MUTANTS_MET")
	plMet       plSync.Map
)

func plMutant(id int) bool {
	if plRecord != "" {
		if _, had := plMet.LoadOrStore(id, true); !had {
			f, err := plOS.OpenFile(plRecord, plOS.O_APPEND|plOS.O_CREATE|plOS.O_WRONLY, 0o600)
			if err == nil {
				plFmt.Fprintln(f, id)
				f.Close()
			}
		}
	}
	return id == plActive
}

func plMutantNot(id int, b bool) bool { return b != plMutant(id) }

func plMutantOther(id int, other func() bool, b bool) bool {
	if plMutant(id) {
		return other()
	}
	return b
}

func plMutantNumber[T any](id int, other, n T) T {
	if plMutant(id) {
		return other
	}
	return n
}
`

func helperPath(dir string) string { return filepath.Join(dir, "zz_mutants.go") }
