package live

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
)

// TestCut cuts the files of a rule set after every line, empties them, takes single
// jumps away and adds a rule of others: none of that is read, and what the backends
// emit is.
func TestCut(t *testing.T) {
	dirs, err := filepath.Glob("../../../golden/cases/*/iptables")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no goldens", err)
	}
	ipvs, _ := filepath.Glob("../../../golden/cases/*/ipvs")
	for _, dir := range append(dirs, ipvs...) {
		if _, err := Parse(read(t, dir, "", nil)); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
	const dir = "../../../golden/cases/everything/iptables"
	for _, name := range []string{"iptables.rules", "ip6tables.rules", "iptables-jumps.rules", "ip6tables-jumps.rules"} {
		whole := read(t, dir, "", nil).File(name)
		lines := bytes.SplitAfter(whole, []byte("\n"))
		for n := range lines {
			if cut := append([]byte{}, bytes.Join(lines[:n], nil)...); len(cut) < len(whole) {
				refused(t, dir, name, cut)
			}
			if strings.Contains(name, "jumps") && bytes.HasPrefix(lines[n], []byte("-I")) {
				refused(t, dir, name, bytes.Replace(whole, lines[n], nil, 1))
			}
		}
		refused(t, dir, name, whole[:len(whole)-1])
		refused(t, dir, name, bytes.Replace(whole, []byte("COMMIT"), []byte("-A INPUT -s 192.0.2.1 -j DROP\nCOMMIT"), 1))
	}
	refused(t, dir, "ipset.rules", []byte{})
}

func refused(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	if _, err := Parse(read(t, dir, name, content)); err == nil || !strings.Contains(err.Error(), "tables") {
		t.Errorf("%s of %d bytes: error %v", name, len(content), err)
	}
}

// read returns the files of a directory, one of them with another content.
func read(t *testing.T, dir, name string, content []byte) (a backends.Artifact) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data := content
		if e.Name() != name {
			if data, err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
		a.Files = append(a.Files, backends.File{Name: e.Name(), Data: data})
	}
	return a
}
