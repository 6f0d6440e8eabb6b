package xtables_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/iptables"
	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/randomcluster"
	ipsettext "github.com/planec/planec/internal/text/ipset"
	iptablestext "github.com/planec/planec/internal/text/iptables"
)

// seen counts the names with each role.
type seen struct{ chains, sets map[xtables.Role]int }

// wantRoles wants every emitted chain and set to have a role of this version, and
// the name of a set to contain its family and its backend.
func (n *seen) wantRoles(t *testing.T, name, backend string, files map[string][]byte) {
	t.Helper()
	for _, file := range []string{"iptables.rules", "ip6tables.rules"} {
		for l, err := range iptablestext.Lines(files[file]) {
			if err != nil {
				t.Fatalf("%s: %s: %v", name, file, err)
			}
			if !slices.Contains(xtables.Tables(), l.Table) {
				t.Errorf("%s: %s: table %s", name, file, l.Table)
			}
			if l.Policy == "" {
				continue
			}
			role := xtables.ChainRole(l.Chain)
			n.chains[role]++
			if role <= xtables.Former || role >= xtables.Clients || role == xtables.BesideIPVS && backend != "ipvs" {
				t.Errorf("%s: %s: chain %s has the role %d", name, file, l.Chain, role)
			}
		}
	}
	for c, err := range ipsettext.Commands(files["ipset.rules"]) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.Verb != "create" {
			continue
		}
		made, err := c.Create()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		family, _ := made.Value("family")
		role := xtables.SetRole(c.Set)
		n.sets[role.Role]++
		shared := !strings.HasPrefix(c.Set, "plc-4-") && !strings.HasPrefix(c.Set, "plc-6-")
		if role.Role <= xtables.Former || role.IPv6 != (family == "inet6") || role.IPVS == shared {
			t.Errorf("%s: set %s has the role %+v", name, c.Set, role)
		}
	}
}

// TestEmittedNamesHaveRoles emits random clusters and random programs with policies,
// and reads the golden cases.
func TestEmittedNamesHaveRoles(t *testing.T) {
	n := seen{make(map[xtables.Role]int), make(map[xtables.Role]int)}
	emitters := []backends.Backend{iptables.New(backends.DefaultOptions()), ipvs.New(backends.DefaultOptions())}
	for seed := range uint64(60) {
		c := randomcluster.New(seed)
		p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
		if rng := rand.New(rand.NewPCG(seed, 7)); seed%2 == 1 {
			p = irtest.RandomProgram(rng)
			irtest.AddRandomDialects(rng, p)
		}
		for _, b := range emitters {
			a, err := b.Emit(p)
			if err != nil {
				t.Fatal(err)
			}
			files := make(map[string][]byte)
			for _, f := range a.Files {
				files[f.Name] = f.Data
			}
			n.wantRoles(t, b.Name(), b.Name(), files)
		}
	}
	for _, b := range emitters {
		dirs, err := filepath.Glob("../../golden/cases/*/" + b.Name())
		if err != nil || len(dirs) == 0 {
			t.Fatalf("no golden cases: %v", err)
		}
		for _, dir := range dirs {
			files := make(map[string][]byte)
			for _, name := range []string{"iptables.rules", "ip6tables.rules", "ipset.rules"} {
				if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			n.wantRoles(t, dir, b.Name(), files)
		}
	}
	// Each role of emitted names must have occurred.
	for _, r := range []xtables.Role{xtables.Shared, xtables.Entry, xtables.OneService, xtables.BesideIPVS} {
		if n.chains[r] == 0 {
			t.Errorf("no chain has the role %d", r)
		}
	}
	for r := xtables.Clients; r < xtables.JournalKeys; r++ {
		if n.sets[r] == 0 {
			t.Errorf("no set has the role %d", r)
		}
	}
}

// TestOtherNames: foreign names, names of earlier versions, and names during an apply.
func TestOtherNames(t *testing.T) {
	for name, want := range map[string]xtables.Role{
		"KUBE-SERVICES": xtables.Foreign, "PLC": xtables.Foreign, "PLC-": xtables.Former, "PLC-S-": xtables.Former, "PLC-OLD": xtables.Former,
		"PLC-INPUT-": xtables.Former, "PLC-S-ABC": xtables.OneService, "PLC-INPUT": xtables.Entry, xtables.TranslatedChain: xtables.BesideIPVS,
	} {
		if got := xtables.ChainRole(name); got != want {
			t.Errorf("chain %s has the role %d, want %d", name, got, want)
		}
	}
	for name, want := range map[string]xtables.SetName{
		"KUBE-IPVS": {}, "plc-": {Role: xtables.Former}, "plc-4": {Role: xtables.Former}, "plc-reject": {Role: xtables.Former},
		"plc-old-4": {Role: xtables.Former}, "plc-4-old": {Role: xtables.Former, IPVS: true}, "plc-af-4": {Role: xtables.Former},
		"plc-reject-6-new": {Role: xtables.Next, IPv6: true}, "plc-6-vips-next": {Role: xtables.Next, IPv6: true, IPVS: true},
		"plc-tmp-own-4": {Role: xtables.JournalKeys, IPVS: true}, "plc-tmp-marks-6": {Role: xtables.JournalMarks, IPv6: true, IPVS: true},
		"plc-tmp-1x2y": {Role: xtables.Aside}, "plc-af-ABC-6": {Role: xtables.Clients, IPv6: true},
	} {
		if got := xtables.SetRole(name); got != want {
			t.Errorf("set %s: %+v, want %+v", name, got, want)
		}
	}
}
