package dataplane_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/testing/testkit"
)

var switches = flag.Int("switches", 10, "how often the backend is switched while connections are made")

// TestSwitch goes from nftables to iptables and back while connections are made:
// the old one's rules go when the new one's serve, and none fails.
func TestSwitch(t *testing.T) {
	for _, other := range planes()[1:] {
		// Not beside others: how long both backends' rules are there at once is short
		// on a machine that is not busy.
		t.Run(other.name, func(t *testing.T) {
			testkit.Require(t, append(other.tools, planes()[0].tools...)...)
			both := []plane{planes()[0], other}
			set, config := steadyCluster()
			program, _ := compiler.Compile(compiler.Input{Objects: &set, Node: nodeName, Config: config})
			var entries []applier.Entry
			dataplanes := make(map[string]applier.Dataplane)
			for _, p := range both {
				selected, err := registry.Select(backends.DefaultOptions(), p.backend)
				if err != nil {
					t.Fatal(err)
				}
				artifact, err := selected[0].Emit(program)
				if err != nil {
					t.Fatal(err)
				}
				entries = append(entries, applier.Entry{Backend: p.backend, Artifact: artifact})
				dataplanes[p.backend] = p.make()
			}
			a := applier.New(dataplanes, applier.NewRecord(t.TempDir()))
			s := newTraffic(t, program)
			w := newWorker(t, s.rig)
			put := func(i int) func() error {
				return func() error { _, err := a.Apply(t.Context(), entries[i%2]); return err }
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
			wantOneBackend(t, s.rig, other, *switches%2 == 1)
		})
	}
}

// wantOneBackend wants nothing left of the one that does not serve.
func wantOneBackend(t *testing.T, r *testkit.Rig, other plane, serves bool) {
	t.Helper()
	variant := strings.TrimPrefix(other.name, "iptables-")
	var objects []string
	err := r.Do(func() (err error) { objects, err = testkit.NFTObjects(); return err })
	if err != nil {
		t.Fatal(err)
	}
	rules, err := r.Run("", "iptables-"+variant+"-save")
	if err != nil {
		t.Fatal(err)
	}
	sets, err := r.Run("", "ipset", "list", "-n")
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Contains(objects, "table ip planec"); got == serves {
		t.Errorf("tables of nftables: %t, with iptables: %t", got, serves)
	}
	if got := strings.Contains(rules, "PLC-"); got != serves {
		t.Errorf("chains of iptables: %t, want %t", got, serves)
	}
	if got := strings.Contains(sets, "plc-"); got != serves {
		t.Errorf("sets: %t, want %t", got, serves)
	}
}
