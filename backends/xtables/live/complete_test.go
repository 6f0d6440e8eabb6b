package live

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
)

// TestCut truncates the files of a rule set after every line, empties them,
// removes single jumps and adds a foreign rule: none of these is accepted, and
// what the backends emit is.
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
		for _, foreign := range []string{`-s 192.0.2.1 -j DROP`, `-m comment --comment "as -j PLC-INPUT" -j DROP`, `-m comment --comment "PLC-INPUT -j DROP`} {
			refused(t, dir, name, bytes.Replace(whole, []byte("COMMIT"), []byte("-A INPUT "+foreign+"\nCOMMIT"), 1))
		}
	}
	refused(t, dir, "ipset.rules", []byte{})
	// The second set that a rule matches.
	sets := read(t, dir, "", nil).File("ipset.rules")
	refused(t, dir, "ipset.rules", bytes.ReplaceAll(sets, []byte("plc-ranges-4"), []byte("plc-others-4")))
}

// TestForeignRules: of foreign rules, only jumps to planec's chains count as
// planec's, but not rules that only mention such a jump.
func TestForeignRules(t *testing.T) {
	const text = `*filter
:INPUT ACCEPT [0:0]
:KUBE-X - [0:0]
:PLC-INPUT - [0:0]
-A INPUT -j PLC-INPUT
-A INPUT -m comment --comment "before -j PLC-INPUT" -j DROP
-A INPUT -m comment --comment "it\'s -g PLC-INPUT" -m conntrack --ctstate NEW -g PLC-INPUT
-A KUBE-X -m string --string "-j PLC-INPUT" --algo bm -j LOG --log-prefix "a \" b -j PLC-INPUT"
-A PLC-INPUT -j DROP
COMMIT
`
	got, err := parseTables(false, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`INPUT -j PLC-INPUT`, `INPUT -m comment --comment "it\'s -g PLC-INPUT" -m conntrack --ctstate NEW -g PLC-INPUT`}
	if jumps := sortedKeys(got["filter"].jumps); !slices.Equal(jumps, want) || len(got["filter"].chains) != 1 {
		t.Errorf("jumps %q, chains %v", jumps, got["filter"].chains)
	}
}

func refused(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	if _, err := Parse(read(t, dir, name, content)); err == nil || !strings.Contains(err.Error(), "tables") {
		t.Errorf("%s of %d bytes: error %v", name, len(content), err)
	}
}

// read returns the files of a directory, one of them with different content.
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

// TestStepsName wants steps to name the objects whose rules and members change.
func TestStepsName(t *testing.T) {
	state := func(rules, set string) *State {
		v4, err := parseTables(false, []byte("*nat\n:PLC-S-A - [0:0]\n"+rules+"COMMIT\n"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := parseSets([]byte("create plc-health-4 hash:ip,port comment\n" + set))
		if err != nil {
			t.Fatal(err)
		}
		return &State{ipv4: v4, ipv6: tables{}, sets: s}
	}
	const rule = "-A PLC-S-A -p tcp -m comment --comment \"shop/web:http\" -j RETURN\n"
	p := NewPlan(state("", "add plc-health-4 10.0.0.1,tcp:1 comment \"shop/a\"\n"), state(rule, "add plc-health-4 10.0.0.1,tcp:2 comment \"shop/b\"\n"))
	want := []string{
		"ipset: change set plc-health-4: 1 member to add, 1 to remove of shop/a, shop/b",
		"iptables nat: replace chain PLC-S-A (1 rule) of shop/web:http",
	}
	if !slices.Equal(p.Steps(), want) {
		t.Errorf("%q", p.Steps())
	}
}
