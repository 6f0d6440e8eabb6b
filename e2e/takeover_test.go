package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/kubeproxy"
	"github.com/planec/planec/e2e/internal/programs"
	"github.com/planec/planec/e2e/internal/traffic"
)

// TestTakeover puts the agent in kube-proxy's place and kube-proxy back in the
// agent's, with connections at full speed all along. Each leaves nothing of the
// other behind.
func TestTakeover(t *testing.T) {
	for _, c := range []struct {
		mode    kubeproxy.Mode
		backend string
	}{
		{kubeproxy.NFTables, "nftables"},
		{kubeproxy.IPTables, "iptables"},
		{kubeproxy.IPTables, "nftables"},
		{kubeproxy.NFTables, "ebpf"},
		{kubeproxy.IPTables, "ebpf"},
	} {
		t.Run(string(c.mode)+"-to-"+c.backend, func(t *testing.T) {
			s := newProgrammedStand(t, append(tools, c.mode.Tools()...)...)
			first := s.serve(t, "first", "10.96.0.10")
			kubeconfig, err := s.KubeProxyKubeconfig()
			must(t, err)
			p := kubeproxy.Start(t, s.node, kubeproxy.Options{Mode: c.mode, Node: nodeName, Kubeconfig: kubeconfig, ClusterCIDR: podCIDRs})
			must(t, p.Synced(within(t, time.Minute)))
			served(within(t, 10*time.Second), t, idle{s.rig}, first)
			if !s.rules(t).have("kube-proxy", "KUBE-SVC") {
				t.Fatal("kube-proxy's rules are not seen")
			}

			load := traffic.Start(t, s.rig, fromAll(first)...)
			must(t, p.Kill())
			a := agent.New(t, s.node, s.agentOptions(t, c.backend, "--takeover=kube-proxy"))
			start(t, a)
			s.awaitNone(t, "kube-proxy", "KUBE-")
			served(within(t, 10*time.Second), t, load, s.serve(t, "with-agent", "10.96.0.11"))

			before := p.Syncs()
			must(t, p.Program.Start())
			for ctx := within(t, time.Minute); p.Syncs() < before+2 || !s.rules(t).have("kube-proxy", "KUBE-SVC"); time.Sleep(20 * time.Millisecond) {
				must(t, ctx.Err())
			}
			time.Sleep(time.Second) // both serve
			must(t, a.Terminate(10*time.Second))
			must(t, a.Cleanup())
			s.awaitNone(t, "planec", "PLANEC")
			served(within(t, 10*time.Second), t, load, s.serve(t, "with-kube-proxy", "10.96.0.12"))
			perfect(t, load)
		})
	}
}

// TestSwitch changes the backend while connections are made: nothing of the one
// before is left.
func TestSwitch(t *testing.T) {
	s := newProgrammedStand(t, tools...)
	first := s.serve(t, "first", "10.96.0.10")
	o := s.agentOptions(t, "nftables")
	o.StateDir = t.TempDir()
	// Built once, before the connections begin: to link it beside them takes five seconds at each
	// switch, and half a minute of connections fills the table of connection tracking.
	o.Binary = programs.Own(t, "planec-agent")
	before := agent.New(t, s.node, o)
	start(t, before)
	load := traffic.Start(t, s.rig, fromAll(first)...)
	for i, backend := range []string{"iptables", "nftables", "ebpf", "iptables", "ebpf", "nftables"} {
		must(t, before.Terminate(10*time.Second))
		s.on(&o, backend)
		next := agent.New(t, s.node, o)
		start(t, next)
		if backend == "iptables" {
			s.awaitNone(t, "table ip planec", "table inet planec")
		} else {
			s.awaitNone(t, "PLC-")
		}
		if _, err := os.Stat(filepath.Join(s.bpf, "planec")); (err == nil) != (backend == "ebpf") {
			t.Errorf("maps and programs of ebpf with %s: %v", backend, err)
		}
		served(within(t, 10*time.Second), t, load, s.serve(t, fmt.Sprintf("service-%d", i), fmt.Sprintf("10.96.0.%d", 11+i)))
		before = next
	}
	must(t, before.Kill())
	perfect(t, load)
	must(t, before.Cleanup())
	s.awaitNone(t, "planec", "PLANEC")
}

// ruleset is everything that the kernel's rule systems have on the node.
type ruleset string

func (s *stand) rules(t testing.TB) ruleset {
	t.Helper()
	var all strings.Builder
	for _, command := range [][]string{
		{"nft", "list", "ruleset"},
		{"iptables-legacy-save"},
		{"ip6tables-legacy-save"},
		{"ipset", "list", "-name"},
	} {
		text, err := s.rig.Run("", command[0], command[1:]...)
		must(t, err)
		all.WriteString(text)
	}
	return ruleset(all.String())
}

// have reports whether any of the words is in the rules.
func (r ruleset) have(words ...string) bool { return r.first(words...) != "" }

// shared is a chain of kubelet's and kube-proxy's: kube-proxy --cleanup leaves it
// too.
const shared = "KUBE-FIREWALL"

// first is the first line with one of the words.
func (r ruleset) first(words ...string) string {
	for line := range strings.Lines(string(r)) {
		for _, w := range words {
			if strings.Contains(line, w) && !strings.Contains(line, shared) {
				return line
			}
		}
	}
	return ""
}

// awaitNone waits until none of the words is in the rules.
func (s *stand) awaitNone(t testing.TB, words ...string) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		left := s.rules(t).first(words...)
		if left == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still there: %s", left)
		}
	}
}
