package live

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/testkit"
)

// rig is a network namespace with nft in it.
type rig struct {
	*testkit.Rig
	t testing.TB
}

func newRig(t testing.TB) *rig {
	t.Helper()
	testkit.Require(t, "nft")
	return &rig{testkit.New(t, testkit.Spec{}), t}
}

func (r *rig) do(f func() error) {
	r.t.Helper()
	if err := r.Do(f); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) nft(text string) {
	r.t.Helper()
	if err := r.LoadNFT(text); err != nil {
		r.t.Fatalf("%v\n%s", err, text)
	}
}

func (r *rig) observe() *State {
	r.t.Helper()
	var s *State
	r.do(func() (err error) { s, err = Observe(r.t.Context()); return err })
	return s
}

func (r *rig) apply(p *Plan) {
	r.t.Helper()
	r.do(func() error { return Apply(r.t.Context(), p) })
}

func (r *rig) clean() {
	r.t.Helper()
	r.do(func() error { _, err := Clean(r.t.Context()); return err })
}

// verify fails where the kernel does not have exactly what is wanted.
func (r *rig) verify(want *Model) {
	r.t.Helper()
	if p := Diff(r.observe(), want); !p.Empty() {
		r.t.Fatalf("the kernel has something else:\n%s", strings.Join(p.Steps(), "\n"))
	}
}

// objects are the tables, chains and sets as another library lists them.
func (r *rig) objects() []string {
	r.t.Helper()
	var lines []string
	r.do(func() (err error) { lines, err = testkit.NFTObjects(); return err })
	return lines
}

// objectsOf are the lines that [testkit.NFTObjects] has for a model.
func objectsOf(m *Model) []string {
	var lines []string
	for _, t := range m.Tables {
		place := t.Family.String() + " " + tableNamed
		lines = append(lines, "table "+place)
		for _, c := range t.Chains {
			line := "chain " + place + " " + c.Name
			if c.Base() {
				line += fmt.Sprintf(" type %s hook %d priority %d policy %s", c.Type, c.Hook, c.Priority, []string{"drop", "accept"}[c.Policy])
			}
			lines = append(lines, line)
		}
		for _, s := range t.Sets {
			lines = append(lines, "set "+place+" "+s.Name+objectFlags(s))
		}
	}
	slices.Sort(lines)
	return lines
}

func objectFlags(s *Set) string {
	words := ""
	for _, flag := range []struct {
		bit  uint32
		word string
	}{{setMap, " map"}, {setConstant, " constant"}, {setInterval, " interval"}, {setConcat, " concatenation"}, {setEval, " dynamic"}, {setTimeouts, " timeout"}} {
		if s.Flags&flag.bit != 0 {
			words += flag.word
		}
	}
	if s.Size > 0 {
		words += fmt.Sprintf(" size %d", s.Size)
	}
	return words
}

// list is "nft list ruleset" without the order of elements, sets and chains.
func (r *rig) list() string {
	r.t.Helper()
	out, err := r.Run("", "nft", "list", "ruleset")
	if err != nil {
		r.t.Fatal(err)
	}
	return canonical(out)
}

// canonical sorts what nft lists: elements within their set, sets and chains within
// their table, and tables; rules keep their order.
func canonical(text string) string {
	var tables []string
	for _, t := range strings.SplitAfter(text, "\n}\n") {
		head, body, _ := strings.Cut(t, "{\n")
		blocks := strings.SplitAfter(body, "\n\t}\n")
		for i, b := range blocks {
			blocks[i] = sortElements(strings.TrimLeft(b, "\n"))
		}
		slices.Sort(blocks)
		tables = append(tables, head+"{\n"+strings.Join(blocks, ""))
	}
	slices.Sort(tables)
	return strings.Join(tables, "")
}

func sortElements(block string) string {
	before, rest, ok := strings.Cut(block, "elements = {")
	if !ok {
		return block
	}
	body, after, _ := strings.Cut(rest, "}")
	var list []string
	for _, e := range strings.Split(body, ",") {
		list = append(list, strings.Join(strings.Fields(e), " "))
	}
	slices.Sort(list)
	return before + "elements = {\n" + strings.Join(list, "\n") + "\n}" + after
}

// artifacts are all texts that are kept as goldens, by name.
func artifacts(t testing.TB) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, pattern := range []string{"../../../golden/cases/*/nftables/rules.nft", "../testdata/*.nft"} {
		list, err := filepath.Glob(pattern)
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(list), err)
		}
		for _, path := range list {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[path] = string(b)
		}
	}
	return all
}
