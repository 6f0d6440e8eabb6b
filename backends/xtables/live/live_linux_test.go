package live

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/iptables"
	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
)

// node is a namespace with both variants' tools to run in it.
func node(t *testing.T, variant string) (*testkit.Rig, *Tools) {
	t.Helper()
	testkit.Require(t, "ipset", "iptables-"+variant+"-restore", "ip6tables-"+variant+"-restore")
	r := testkit.New(t, testkit.Spec{NodeAddrs: []netip.Addr{netip.MustParseAddr("192.0.2.11")}})
	return r, &Tools{Variant: variant, LockWait: time.Second}
}

// artifacts are the golden cases' files, in order.
func artifacts(t *testing.T) map[string]backends.Artifact {
	t.Helper()
	dirs, err := filepath.Glob("../../../golden/cases/*/iptables")
	if err != nil || len(dirs) < 45 {
		t.Fatalf("%d golden cases: %v", len(dirs), err)
	}
	out := make(map[string]backends.Artifact)
	for _, d := range dirs {
		var a backends.Artifact
		files, err := os.ReadDir(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(d, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			a.Files = append(a.Files, backends.File{Name: f.Name(), Data: data})
		}
		out[filepath.Base(filepath.Dir(d))] = a
	}
	return out
}

// change applies the artifact, and wants no difference afterwards.
func change(ctx context.Context, tools *Tools, a backends.Artifact) (steps int, err error) {
	want, err := Parse(a)
	if err != nil {
		return 0, err
	}
	have, err := tools.Observe(ctx)
	if err != nil {
		return 0, err
	}
	p := NewPlan(have, want)
	if err := tools.Apply(ctx, p); err != nil {
		return 0, fmt.Errorf("%w\n%s%s%s%s", err, p.setsBefore, p.ipv4, p.ipv6, p.setsAfter)
	}
	if have, err = tools.Observe(ctx); err != nil {
		return 0, err
	}
	if left := NewPlan(have, want); !left.Empty() {
		return 0, fmt.Errorf("left after the apply: %q", left.Steps())
	}
	return len(p.Steps()), nil
}

// TestTransitions applies the golden cases one after the other and finally
// nothing, beside foreign rules.
func TestTransitions(t *testing.T) {
	for _, variant := range []string{"legacy", "nft"} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			r, tools := node(t, variant)
			foreign := "*filter\n:OTHER - [0:0]\n-A FORWARD -j OTHER\n-A OTHER -m mark --mark 0x1/0x1 -j DROP\nCOMMIT\n"
			if _, err := r.Run(foreign, "iptables-"+variant+"-restore", "--noflush"); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Run("create other hash:ip family inet\nadd other 192.0.2.1\n", "ipset", "restore"); err != nil {
				t.Fatal(err)
			}
			all := artifacts(t)
			err := r.Do(func() error {
				for _, name := range sortedKeys(all) {
					if _, err := change(t.Context(), tools, all[name]); err != nil {
						return fmt.Errorf("%s: %w", name, err)
					}
				}
				_, err := tools.Clean(t.Context())
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			left, err := r.Run("", "iptables-"+variant+"-save")
			if err != nil || strings.Contains(left, xtables.ChainPrefix) || !strings.Contains(left, "-A OTHER -m mark --mark 0x1/0x1 -j DROP") {
				t.Errorf("after cleaning: %v\n%s", err, left)
			}
			if left, err := r.Run("", "ipset", "list", "-n"); err != nil || strings.TrimSpace(left) != "other" {
				t.Errorf("sets after cleaning: %v %q", err, left)
			}
		})
	}
}

// TestRepairs damages the kernel's state in every way and wants it to be repaired.
func TestRepairs(t *testing.T) {
	for _, variant := range []string{"legacy", "nft"} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			r, tools := node(t, variant)
			p := irtest.KitchenSink()
			irtest.AddRandomDialects(rand.New(rand.NewPCG(3, 3)), p)
			a, err := iptables.New(backends.DefaultOptions()).Emit(p)
			if err != nil {
				t.Fatal(err)
			}
			apply := func() int {
				var steps int
				err := r.Do(func() (err error) {
					steps, err = change(t.Context(), tools, a)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				return steps
			}
			if apply() == 0 || apply() != 0 {
				t.Fatal("the second apply is not empty, or the first was")
			}
			for name, damage := range map[string][]string{
				"a chain is flushed":  {"iptables-" + variant, "-t", "nat", "-F", "PLC-SERVICES"},
				"a rule is added":     {"iptables-" + variant, "-t", "nat", "-I", "PLC-SERVICES", "-j", "RETURN"},
				"a jump is removed":   {"iptables-" + variant, "-t", "nat", "-D", "PREROUTING", "-j", "PLC-PREROUTING"},
				"a chain of our name": {"ip6tables-" + variant, "-t", "filter", "-N", "PLC-STRANGE"},
				"a set is flushed":    {"ipset", "flush", "plc-cluster-ips-4"},
				"a member is added":   {"ipset", "add", "plc-cluster-ips-4", "192.0.2.200"},
			} {
				if _, err := r.Run("", damage[0], damage[1:]...); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if apply() == 0 {
					t.Errorf("%s: not seen", name)
				}
			}
		})
	}
}

func TestParseSets(t *testing.T) {
	got, err := parseSets([]byte("create plc-a hash:ip family inet hashsize 64 maxelem 100 -exist\nflush plc-a\nadd plc-a 10.0.0.1/32\ncreate other hash:ip\nadd other 1.2.3.4\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got["plc-a"].kind != "hash:ip family inet maxelem 100" || !slices.Equal(sortedKeys(got["plc-a"].members), []string{"10.0.0.1"}) {
		t.Errorf("got %+v", got["plc-a"])
	}
	for _, bad := range []string{"add plc-a 10.0.0.1\n", "create plc-a\n", "rename plc-a plc-b\n"} {
		if _, err := parseSets([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
