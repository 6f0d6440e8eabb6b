package filesource

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/planec/planec/ir/diag"
)

// wrongService is a Service with a field of another type.
func wrongService(name string) string {
	return "---\napiVersion: v1\nkind: Service\nmetadata: {namespace: shop, name: " + name + "}\nspec: {clusterIP: [x]}\n"
}

// TestLastGoodVersion makes files wrong as a whole and in parts, and wants what they
// said before to stay until they are right again, and that to be said.
func TestLastGoodVersion(t *testing.T) {
	dir := t.TempDir()
	both := serviceText("a", "10.96.0.1") + "---\n" + serviceText("b", "10.96.0.2")
	file := write(t, dir, "a.yaml", both)
	f := follow(t, dir, nil)
	f.waitServes("a=10.96.0.1 b=10.96.0.2")
	for _, c := range []struct {
		name, text, serves string
		kept               bool
	}{
		{"cut off", "a: {", "a=10.96.0.1 b=10.96.0.2", true},
		{"not text", "a: \xff", "a=10.96.0.1 b=10.96.0.2", true},
		{"one object is wrong", serviceText("a", "10.96.0.9") + wrongService("b"), "a=10.96.0.9 b=10.96.0.2", true},
		{"it is right again", serviceText("a", "10.96.0.9"), "a=10.96.0.9", false},
		{"a new object is wrong", serviceText("a", "10.96.0.8") + wrongService("c"), "a=10.96.0.8", false},
		{"an object of another kind is wrong", serviceText("b", "10.96.0.7") + "---\napiVersion: v1\nkind: Node\nmetadata: {name: n}\nstatus: 1\n", "b=10.96.0.7", false},
		{"no bytes any more", "", "b=10.96.0.7", true},
		{"a comment", "# nothing\n", "", false},
	} {
		write(t, dir, "a.yaml", c.text)
		f.wait(c.name, func() bool {
			all, _ := f.serves()
			return all == c.serves && has(f.said(), diag.KeptVersion, file) == c.kept
		})
	}
}

// TestUnknownFields misspells fields of objects that were right, and of new ones: of the
// former the last good version stays however often the file is written, of the latter
// what can be read is used, and a policy accepts nothing.
func TestUnknownFields(t *testing.T) {
	policy := func(name, rule string) string {
		return "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: shop, name: " + name + "}\nspec: {podSelector: {}, ingress: [{" + rule + "}]}\n"
	}
	misspelt := func(name, ip string) string {
		return strings.Replace(serviceText(name, ip), "ports:", "prots:", 1)
	}
	dir := t.TempDir()
	file := write(t, dir, "a.yaml", serviceText("a", "10.96.0.1")+policy("p", "from: [{podSelector: {}}]"))
	f := follow(t, dir, nil)
	f.waitServes("a=10.96.0.1")
	for i, c := range []struct {
		text, serves string
		code         diag.Code
		rules        string
	}{
		{misspelt("a", "10.96.0.2") + policy("p", "form: [{podSelector: {}}]"), "a=10.96.0.1", diag.UnknownPolicyField, "p=1"},
		{misspelt("a", "10.96.0.3") + policy("p", "form: []"), "a=10.96.0.1", diag.UnknownField, "p=1"},
		{misspelt("b", "10.96.0.4") + policy("q", "form: []"), "b=10.96.0.4", diag.UnknownField, "q=0"},
		{misspelt("b", "10.96.0.5") + policy("q", "form: []"), "b=10.96.0.5", diag.UnknownPolicyField, "q=0"},
		{serviceText("b", "10.96.0.6") + policy("q", "from: []"), "b=10.96.0.6", "", "q=1"},
	} {
		write(t, dir, "a.yaml", c.text)
		f.waitServes(c.serves)
		if kept := i < 2; kept {
			f.wait("it is said", func() bool { return has(f.said(), diag.KeptVersion, file) })
		}
		f.wait("the finding", func() bool { return c.code == "" && len(f.said()) == 0 || c.code != "" && has(f.said(), c.code, file) })
		if got := f.policies(); got != c.rules {
			t.Errorf("%s: the rules of policies are %q, want %q", c.serves, got, c.rules)
		}
	}
}

// TestEmptied takes every manifest away: what they said stays until there are some
// again, unless an empty directory is allowed.
func TestEmptied(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		dir := t.TempDir()
		file := write(t, dir, "a.yaml", serviceText("a", "10.96.0.1"))
		f := follow(t, dir, func(s *Source) { s.AllowEmpty = allowed })
		f.waitServes("a=10.96.0.1")
		must(t, os.Remove(file))
		if allowed {
			f.waitServes("")
			continue
		}
		f.wait("the manifests are missed", func() bool { return has(f.said(), diag.NothingToServe, dir) })
		if all, _ := f.serves(); all != "a=10.96.0.1" {
			t.Errorf("an empty directory: it serves %q", all)
		}
		write(t, dir, "b.yaml", serviceText("b", "10.96.0.2"))
		f.waitServes("b=10.96.0.2")
		f.wait("all is said", func() bool { return len(f.said()) == 0 })
	}
}

// TestWrongAtStart starts over a kernel that serves with a file that is wrong: it is
// waited for. Where the kernel serves nothing, the rest of it is given out.
func TestWrongAtStart(t *testing.T) {
	for _, text := range []string{"a: {", serviceText("b", "10.96.0.2") + wrongService("c")} {
		dir := t.TempDir()
		write(t, dir, "a.yaml", serviceText("a", "10.96.0.1"))
		b := write(t, dir, "b.yaml", text)
		var asked atomic.Int32
		f := follow(t, dir, func(s *Source) { s.Spare = func() bool { asked.Add(1); return true } })
		f.waitsFor(diag.UnreadFile, b)
		before := asked.Load()
		write(t, dir, "b.yaml", serviceText("b", "10.96.0.3"))
		f.waitServes("a=10.96.0.1 b=10.96.0.3")
		if n := asked.Load(); n != before || before != 1 {
			t.Errorf("asked %d times", n)
		}
		write(t, dir, "c.yaml", "c: {")
		f.wait("a file that comes later is said", func() bool { return has(f.said(), diag.BadDocument, filepath.Join(dir, "c.yaml")) })
		write(t, dir, "a.yaml", serviceText("a", "10.96.0.7"))
		f.waitServes("a=10.96.0.7 b=10.96.0.3")
	}
	dir := t.TempDir()
	write(t, dir, "a.yaml", serviceText("a", "10.96.0.1")+wrongService("c"))
	f := follow(t, dir, func(s *Source) { s.Spare = func() bool { return false } })
	f.waitServes("a=10.96.0.1")
}
