package cmd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/agent/api"
	"github.com/planec/planec/internal/testing/testkit"
)

// planec runs the command line beside the agent and returns what it prints and its exit
// code.
func (n *node) planec(args ...string) (string, int) {
	n.t.Helper()
	self, err := os.Executable()
	if err != nil {
		n.t.Fatal(err)
	}
	args = append([]string{self}, append(args, "--state-dir", n.state)...)
	switch {
	case n.bpf != "" && slices.Equal(n.under, n.inside()):
		args = append(n.inside(), args...)
	case n.cmd != nil && n.under != nil:
		args = append([]string{"nsenter", "-t", fmt.Sprint(n.cmd.Process.Pid), "-m"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), planecVariable+"=1")
	out, _ := runIn(n, cmd) // the exit code says it
	return string(out), cmd.ProcessState.ExitCode()
}

// status is that of the node as JSON.
func (n *node) status(args ...string) (s api.Status, code int) {
	n.t.Helper()
	out, code := n.planec(append([]string{"status", "-o", "json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		n.t.Fatalf("status: %q: %v", out, err)
	}
	return s, code
}

// TestStatus runs status and verify beside an agent, from before its start until
// after it was killed.
func TestStatus(t *testing.T) {
	n := newNode(t, "--cluster-cidr", "10.1.0.0/16")
	if s, code := n.status(); code != 1 || s.State != api.Nothing || s.Agent != nil {
		t.Errorf("before anything was applied: %d %+v", code, s)
	}
	if _, code := n.planec("verify"); code != 2 {
		t.Errorf("verify before anything was applied: %d", code)
	}
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	s, code := n.status("--wait", "20s")
	if code != 0 || !s.InSync || s.Agent == nil || s.Agent.PID != n.cmd.Process.Pid || s.Agent.Node != "node-a" || s.Agent.Source != n.dir ||
		s.Backend != "nftables" || *s.Services != 1 || *s.Policies != 0 || s.LastChange == nil || s.LastCompared == nil || s.Versions.Agent == "" {
		t.Errorf("beside the agent: %d %+v", code, s)
	}
	for i := range 3 {
		endpoint := fmt.Sprintf("10.1.2.%d", 10+i)
		n.write("cart.yaml", service("cart", vip, "", endpoint))
		n.wait("the change is in", func() bool { return n.answer(vip, 80) == endpoint+":8080" })
		if out, code := n.planec("verify"); code != 0 {
			t.Errorf("verify after change %d, which the record does not have: %d %s", i, code, out)
		}
	}
	n.write("bad.yaml", strings.Replace(service("bad", vip2, "", "10.1.2.1"), vip2, "10.96.0.999", 1))
	n.wait("the finding is there", func() bool {
		s, _ := n.status()
		return len(s.Findings) > 0 && s.Findings[0].Code == "PLC0101" && s.Findings[0].Object == "Service shop/bad" && s.Findings[0].Line == 1
	})
	if out, _ := n.planec("status"); !strings.Contains(out, "in sync: 1 Service, 0 policies, nftables") || !strings.Contains(out, "error PLC0101: Service shop/bad spec.clusterIP") {
		t.Errorf("status is\n%s", out)
	}
	n.kill(unix.SIGTERM)
	if s, code := n.status(); code != 0 || s.State != api.InSync || s.Agent != nil {
		t.Errorf("after the agent has ended: %d %+v", code, s)
	}
	if out, err := runIn(n, exec.Command("nft", "delete table ip planec")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if s, code := n.status(); code != 1 || s.State != api.Differs || len(s.Differences) == 0 {
		t.Errorf("after the rules were removed: %d %+v", code, s)
	}
}

// TestStatusOfTroubles makes the agent wait, and its applies fail.
func TestStatusOfTroubles(t *testing.T) {
	testkit.Require(t, "unshare", "nsenter")
	n := newNode(t, "--backend", "ebpf", "--cluster-cidr", "10.1.0.0/16")
	n.under = []string{"unshare", "-m", "sh", "-c", `umount /sys/fs/bpf 2>/dev/null; exec "$@"`, "sh"}
	n.write("node.yaml", nodeYAML)
	open, err := os.OpenFile(filepath.Join(n.dir, "node.yaml"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	n.start()
	n.wait("it starts", func() bool {
		s, code := n.status()
		return code == 1 && s.State == api.Starting && strings.Contains(strings.Join(s.Reasons, "\n"), "open for writing")
	})
	if err := open.Close(); err != nil {
		t.Fatal(err)
	}
	n.wait("its applies fail", func() bool {
		s, code := n.status()
		return code == 1 && s.State == api.Behind && strings.Contains(strings.Join(s.Reasons, "\n"), "no BPF file system")
	})
}

// TestBesideAgent lets a planec command with the necessary flag change the kernel
// beside an agent, which must notice at once, for every backend.
func TestBesideAgent(t *testing.T) {
	for _, backend := range []string{"nftables", "iptables", "ebpf"} {
		t.Run(backend, func(t *testing.T) {
			n := newNode(t, "--backend", backend, "--cluster-cidr", "10.1.0.0/16")
			switch backend {
			case "iptables":
				testkit.Require(t, "iptables", "ipset")
			}
			n.write("node.yaml", nodeYAML)
			n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
			n.start()
			if s, code := n.status("--wait", "20s"); code != 0 {
				t.Fatalf("status: %+v", s)
			}
			if out, code := n.planec("clean"); code != 3 || !strings.Contains(out, "an agent keeps the rules of this node") {
				t.Errorf("clean: %d %s", code, out)
			}
			if out, code := n.planec("clean", "--beside-agent"); code != 0 {
				t.Fatalf("clean --beside-agent: %d %s", code, out)
			}
			// Rules of nftables go in two transactions, and the agent may have restored
			// them after the first: it sees the second one as well.
			n.wait("the rules are restored", func() bool {
				s, _ := n.status()
				if s.Drift.Count == 0 || !s.InSync || len(s.Drift.Steps) == 0 {
					return false
				}
				_, code := n.planec("verify")
				return code == 0
			})
		})
	}
}

// TestAnotherBackendBesideAgent applies another backend's rules beside an agent,
// which must remove them and restore its own.
func TestAnotherBackendBesideAgent(t *testing.T) {
	testkit.Require(t, "iptables-save", "ipset")
	n := newNode(t, "--backend", "nftables", "--cluster-cidr", "10.1.0.0/16")
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	if s, code := n.status("--wait", "20s"); code != 0 {
		t.Fatalf("status: %+v", s)
	}
	if out, code := n.planec("apply", "-f", n.dir, "--node", "node-a", "--backend", "iptables", "--cluster-cidr", "10.1.0.0/16", "--beside-agent"); code != 0 {
		t.Fatalf("apply --beside-agent: %d %s", code, out)
	}
	n.wait("only the agent's rules are there", func() bool {
		_, code := n.planec("verify")
		return code == 0
	})
	if rules, err := n.rig.Run("", "iptables-save"); err != nil || strings.Contains(rules, "PLC-") {
		t.Errorf("iptables rules are left (%v):\n%s", err, rules)
	}
	if got := n.answer(vip, 80); got != "10.1.2.1:8080" {
		t.Errorf("the Service answers %s", got)
	}
}

// TestPortsAreTaken starts an agent whose ports are in use: it applies rules,
// names the missing ports, and listens once they are free.
func TestPortsAreTaken(t *testing.T) {
	n := newNode(t, "--cluster-cidr", "10.1.0.0/16")
	n.write("node.yaml", nodeYAML)
	n.write("lb.yaml", service("lb", vip, "  type: LoadBalancer\n  externalTrafficPolicy: Local\n  healthCheckNodePort: 31093\n", "10.1.0.9"))
	var taken []net.Listener
	for _, at := range []string{"0.0.0.0:10256", "127.0.0.1:10249", "0.0.0.0:31093"} {
		err := n.rig.Do(func() error {
			l, err := net.Listen("tcp4", at)
			taken = append(taken, l)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	n.start()
	n.wait("it says which ports are taken", func() bool {
		s, code := n.status()
		count := 0
		for _, f := range s.Findings {
			if f.Code == "PLC0504" && (f.Object == "Service shop/lb" || strings.Contains(f.Message, "10256") || strings.Contains(f.Message, "10249")) {
				count++
			}
		}
		return code == 0 && count == len(taken)
	})
	for _, l := range taken {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	n.wait("all of them are served", func() bool {
		for _, url := range []string{"127.0.0.1:10256", "127.0.0.1:10249", "192.0.2.11:31093"} {
			if n.rig.Do(func() error {
				c, err := dialHere(url)
				if err == nil {
					c.Close()
				}
				return err
			}) != nil {
				return false
			}
		}
		return true
	})
	n.wait("nothing is left to say", func() bool { s, _ := n.status(); return len(s.Findings) == 0 })
	if code, body, _ := n.get("http://192.0.2.11:31093/"); code != 200 || !strings.Contains(body, `"localEndpoints":1`) {
		t.Errorf("the health check: %d %s", code, body)
	}
	code, body, _ := n.get("http://127.0.0.1:10249/configz")
	var config map[string]map[string]any
	if err := json.Unmarshal([]byte(body), &config); err != nil || code != 200 || config["planec.io"]["backend"] != "nftables" {
		t.Errorf("/configz: %d %q %v", code, body, err)
	}
	if _, metrics, _ := n.get("http://127.0.0.1:10249/metrics"); !strings.Contains(metrics, `planec_build_info{backend="nftables",goversion="go`) {
		t.Error("no planec_build_info")
	}
}

// TestNothingIsNoProgram starts an agent without Services over the rules of one: the rules
// stay, and the agent says so, until there is a Service again or --allow-empty is given.
func TestNothingIsNoProgram(t *testing.T) {
	n := newNode(t, "--cluster-cidr", "10.1.0.0/16")
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	n.wait("the Service answers", func() bool { return n.answer(vip, 80) == "10.1.2.1:8080" })
	n.kill(unix.SIGTERM)
	cart := filepath.Join(n.dir, "cart.yaml")
	if err := os.Remove(cart); err != nil {
		t.Fatal(err)
	}
	said := func(code string) func() bool {
		return func() bool {
			s, exit := n.status()
			for _, f := range s.Findings {
				if f.Code == code {
					return exit == 1 && !s.InSync
				}
			}
			return false
		}
	}
	n.start()
	n.wait("it is said", said("PLC0506"))
	if got := n.answer(vip, 80); got != "10.1.2.1:8080" {
		t.Errorf("the rules from before: %s", got)
	}
	if code, h := n.health("healthz"); code != 503 || !strings.Contains(strings.Join(h.Reasons, "\n"), "nothing to serve") {
		t.Errorf("healthz: %d %+v", code, h)
	}
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.2"))
	n.wait("it begins", func() bool { return n.answer(vip, 80) == "10.1.2.2:8080" })
	if s, code := n.status("--wait", "10s"); code != 0 || len(s.Findings) > 0 {
		t.Errorf("status: %+v", s)
	}
	n.kill(unix.SIGTERM)

	n.write("cart.yaml", "kind: {")
	n.start()
	n.wait("a file that is wrong is waited for", said("PLC0010"))
	if got := n.answer(vip, 80); got != "10.1.2.2:8080" {
		t.Errorf("the rules from before: %s", got)
	}
	n.kill(unix.SIGTERM)

	if err := os.Remove(cart); err != nil {
		t.Fatal(err)
	}
	n.args = append(n.args, "--allow-empty")
	n.start()
	n.wait("nothing is served, as is allowed", func() bool { s, code := n.status(); return code == 0 && s.Services != nil && *s.Services == 0 })
}

// TestUsageComesFirst wants a usage error to change nothing: no sysctl, no lock, no rule.
func TestUsageComesFirst(t *testing.T) {
	n := newNode(t, "--cluster-cidr", "10.1.0.0/16")
	for _, args := range [][]string{
		{"--kubeconfig", "/nowhere"},
		{"--manifest-dir", n.dir, "--healthz-bind-address", "1.2.3.4.5:6"},
		{"--manifest-dir", n.dir, "--healthz-bind-address", "127.0.0.1:http"},
		{"--manifest-dir", n.dir, "--metrics-bind-address", "127.0.0.1:70000"},
		{"--manifest-dir", n.dir, "--verify-every", "-1s"},
		{"--manifest-dir", n.dir, "--node", "Not_A_Name"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `echo 0 >/proc/sys/net/ipv4/ip_forward; "$@"; code=$?; cat /proc/sys/net/ipv4/ip_forward; exit $code`, "sh", "/proc/self/exe")
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Args[len(cmd.Args)-1] = self
		cmd.Args = append(append(cmd.Args, "--state-dir", n.state), args...)
		cmd.Env = append(os.Environ(), agentVariable+"=1")
		out, _ := runIn(n, cmd) // the exit code says it
		if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.HasSuffix(string(out), "\n0\n") || strings.Count(string(out), "\n") != 2 {
			t.Errorf("%v: exit code %d, said and ip_forward after it: %s", args, code, out)
		}
	}
	for _, program := range []struct{ variable, name string }{{agentVariable, "planec-agent "}, {planecVariable, "planec "}} {
		cmd := exec.Command("/proc/self/exe", "--version")
		cmd.Env = append(os.Environ(), program.variable+"=1")
		if out, err := cmd.Output(); err != nil || !strings.HasPrefix(string(out), program.name) {
			t.Errorf("--version: %q, %v", out, err)
		}
	}
}
