package dataplane_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

var switches = flag.Int("switches", 10, "how often the backend is switched while connections are made")

// TestSwitch goes from one backend to another and back while connections are made: the
// old one's rules go when the new one's serve, and none fails.
func TestSwitch(t *testing.T) {
	all := planes()
	for _, both := range [][2]plane{{all[0], all[1]}, {all[0], all[2]}, {all[0], ebpfPlane(t)}, {all[1], ebpfPlane(t)}, {all[2], ebpfPlane(t)}} {
		// Not beside others: how long both backends' rules are there at once is short
		// on a machine that is not busy.
		t.Run(both[0].name+" and "+both[1].name, func(t *testing.T) {
			testkit.Require(t, slices.Concat(both[0].tools, both[1].tools, []string{"ipset", "iptables-legacy-save", "iptables-nft-save"})...)
			set, config := steadyCluster()
			program, _ := compiler.Compile(compiler.Input{Objects: &set, Node: nodeName, Config: config})
			var entries []applier.Entry
			// nftables is there even if neither is it: ebpf has its rules.
			dataplanes := map[string]applier.Dataplane{"nftables": all[0].make()}
			for _, p := range both {
				entries = append(entries, entryOf(t, p, program))
				dataplanes[p.backend] = p.make()
			}
			a := applier.New(dataplanes, applier.NewRecord(t.TempDir()))
			s := newTraffic(t, program, both[1])
			w := newWorker(t, s.rig)
			put := func(i int) func() error {
				return func() error {
					if _, err := a.Apply(t.Context(), entries[i%2]); err != nil {
						return err
					}
					return a.Verify(t.Context(), entries[i%2])
				}
			}
			if err := w.do(put(0)); err != nil {
				t.Fatal(err)
			}
			s.during(t, w, func() error {
				for i := range *switches {
					s.step.Store(fmt.Sprintf("switch %d", i))
					if err := put(i + 1)(); err != nil {
						return err
					}
				}
				return nil
			})
			t.Logf("%d switches, %d connections, %d failed", *switches, s.connections, s.failed)
			wantOnly(t, s.rig, both[*switches%2], both[1])
			if err := w.do(put(*switches + 1)); err != nil {
				t.Fatal(err)
			}
			wantOnly(t, s.rig, both[(*switches+1)%2], both[1])
		})
	}
}

// entryOf is a program as a plane's backend emits it.
func entryOf(t *testing.T, p plane, program *ir.Program) applier.Entry {
	t.Helper()
	selected, err := registry.Select(backends.DefaultOptions(), p.backend)
	if err != nil {
		t.Fatal(err)
	}
	artifact, err := selected[0].Emit(program)
	if err != nil {
		t.Fatal(err)
	}
	return applier.Entry{Backend: p.backend, Artifact: artifact}
}

// wantOnly wants the kernel to have the rules, sets, maps and programs of the one that
// serves and nothing of any other; places are where programs could be.
func wantOnly(t *testing.T, r *testkit.Rig, serves, places plane) {
	t.Helper()
	has := func(what string, got, want bool) {
		t.Helper()
		if got != want {
			t.Errorf("%s with %s: %t, want %t", what, serves.name, got, want)
		}
	}
	var objects []string
	err := r.Do(func() (err error) { objects, err = testkit.NFTObjects(); return err })
	if err != nil {
		t.Fatal(err)
	}
	has("tables of nftables", slices.Contains(objects, "table ip planec"), serves.backend == "nftables" || serves.backend == "ebpf")
	for _, variant := range []string{"legacy", "nft"} {
		rules, err := r.Run("", "iptables-"+variant+"-save")
		if err != nil {
			t.Fatal(err)
		}
		has("chains of iptables-"+variant, strings.Contains(rules, "PLC-"), serves.name == "iptables-"+variant)
	}
	sets, err := r.Run("", "ipset", "list", "-n")
	if err != nil {
		t.Fatal(err)
	}
	has("sets", strings.Contains(sets, "plc-"), serves.backend == "iptables")
	if places.Dir == "" {
		return
	}
	attached, err := (&live.Sockets{Dir: places.Dir}).Attached()
	if err != nil {
		t.Fatal(err)
	}
	has("programs", len(attached) > 0, serves.backend == "ebpf")
	_, err = os.Stat(places.Dir)
	has("maps", err == nil, serves.backend == "ebpf")
}
