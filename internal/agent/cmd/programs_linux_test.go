package cmd_test

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/agent/api"
	"github.com/planec/planec/internal/testing/testkit"
)

// pin is the path of one of planec's pins.
func (n *node) pin(name string) string { return filepath.Join(n.bpf, "planec", name) }

// attachAnother puts a program that decides nothing under a link of planec's.
func (n *node) attachAnother(name string) {
	n.t.Helper()
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.CGroupSockAddr, AttachType: ebpf.AttachCGroupInet4Connect, License: "Apache-2.0",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 1), asm.Return()},
	})
	if err != nil {
		n.t.Fatal(err)
	}
	defer p.Close()
	l, err := link.LoadPinnedLink(n.pin(name), nil)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := errors.Join(l.Update(p), l.Close()); err != nil {
		n.t.Fatal(err)
	}
}

// TestProgramsDrift wants what another process does to programs, maps and rules to be
// undone within a second, and the status to name the programs.
func TestProgramsDrift(t *testing.T) {
	n := newNode(t, "--backend", "ebpf", "--cluster-cidr", "10.1.0.0/16")
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	s, code := n.status("--wait", "20s")
	if code != 0 || len(s.Programs) != 8 || s.Programs[0].Name != "recvmsg4" || s.Programs[0].At != n.cgroup {
		t.Fatalf("status: %+v", s)
	}
	if out, _ := n.planec("status"); !strings.Contains(out, "on "+n.cgroup+": recvmsg4 recvmsg6") {
		t.Errorf("status:\n%s", out)
	}
	if out, code := n.planec("show"); code != 0 || !strings.Contains(out, "connect6") || !strings.Contains(out, vip+":80/tcp") || !strings.Contains(out, "shop/cart") {
		t.Errorf("show: %d\n%s", code, out)
	}
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"a program is detached", func() error { return os.Remove(n.pin("plc_link_connect4")) }},
		{"another program is under a link", func() error { n.attachAnother("plc_link_connect4"); return nil }},
		{"maps are gone", func() error { return errors.Join(os.Remove(n.pin("plc_active")), os.Remove(n.pin("plc_keys"))) }},
		{"rules are gone", func() error { _, err := runIn(n, exec.Command("nft", "delete table ip planec")); return err }},
	} {
		before := time.Now()
		count := s.Drift.Count
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		n.wait("it is put right after "+c.name, func() bool {
			s, _ = n.status()
			return s.InSync && s.Drift.Count > count
		})
		t.Logf("%s: put right after %v", c.name, time.Since(before).Round(time.Millisecond))
		if out, code := n.planec("verify"); code != 0 {
			t.Errorf("%s: verify: %d\n%s", c.name, code, out)
		}
		if got := n.answer(vip, 80); got != "10.1.2.1:8080" {
			t.Errorf("%s: the Service answers %s", c.name, got)
		}
	}
}

// TestProgramsOutliveTheAgent: connections are made while the agent is killed, while none
// runs, and while the next one starts; none fails, and nothing is changed by the start.
func TestProgramsOutliveTheAgent(t *testing.T) {
	n := newNode(t, "--backend", "ebpf", "--cluster-cidr", "10.1.0.0/16")
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1", "10.1.2.2"))
	n.write("echo.yaml", strings.ReplaceAll(service("echo", vip2, "", "10.1.2.7"), "8080", "9090"))
	n.start()
	before, code := n.status("--wait", "20s")
	if code != 0 {
		t.Fatalf("status: %+v", before)
	}
	answers := func(when string) {
		t.Helper()
		for range 50 {
			if got := n.answer(vip, 80); got != "10.1.2.1:8080" && got != "10.1.2.2:8080" {
				t.Fatalf("%s: %s", when, got)
			}
		}
	}
	established := n.established()
	answers("while it runs")
	n.kill(unix.SIGKILL)
	answers("while none runs")
	established("while no agent runs")
	if s, code := n.status(); code != 0 || s.State != api.InSync || len(s.Programs) != 8 {
		t.Errorf("without an agent: %d %+v", code, s)
	}
	n.start()
	answers("while the next one starts")
	established("while the next one starts")
	after, code := n.status("--wait", "20s")
	if code != 0 || len(after.Programs) != len(before.Programs) {
		t.Fatalf("status: %+v", after)
	}
	for i := range after.Programs {
		if !reflect.DeepEqual(after.Programs[i], before.Programs[i]) {
			t.Errorf("a start over what is right replaces %+v by %+v", before.Programs[i], after.Programs[i])
		}
	}
}

// established opens a connection of a pod to the Service of 10.1.2.7:9090, and returns what asks it
// for an answer.
func (n *node) established() func(when string) {
	n.t.Helper()
	var listener net.Listener
	if err := n.rig.Outside(func() (err error) { listener, err = net.Listen("tcp", "10.1.2.7:9090"); return err }); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { listener.Close() })
	go func() {
		if c, err := listener.Accept(); err == nil {
			_, _ = io.Copy(c, c) // until the client ends
			c.Close()
		}
	}()
	var client net.Conn
	err := n.rig.Inside(func() (err error) {
		from := &net.TCPAddr{IP: net.ParseIP("10.1.0.9")}
		client, err = (&net.Dialer{LocalAddr: from, Timeout: 5 * time.Second}).Dial("tcp", vip2+":80")
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { client.Close() })
	ask := func(when string) {
		n.t.Helper()
		answer := make([]byte, len(when))
		_ = client.SetDeadline(time.Now().Add(5 * time.Second))
		_, err := client.Write([]byte(when))
		if err == nil {
			_, err = io.ReadFull(client, answer)
		}
		if err != nil || string(answer) != when {
			n.t.Errorf("%s the connection answers %q, %v", when, answer, err)
		}
	}
	ask("while the agent runs")
	return ask
}

// TestProgramsAreCleanedUp removes programs, maps and rules, and nothing else.
func TestProgramsAreCleanedUp(t *testing.T) {
	n := newNode(t, "--backend", "ebpf", "--cluster-cidr", "10.1.0.0/16")
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	if s, code := n.status("--wait", "20s"); code != 0 {
		t.Fatalf("status: %+v", s)
	}
	n.kill(unix.SIGTERM)
	if out, code := n.planec("clean", "--backend", "ebpf"); code != 0 || !strings.Contains(out, "detach program connect4") || !strings.Contains(out, "remove map plc_active") {
		t.Errorf("clean: %d\n%s", code, out)
	}
	if _, err := os.Stat(n.pin("")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory of pins is left: %v", err)
	}
	if got := n.ruleset(); strings.Contains(got, "planec") {
		t.Errorf("left is\n%s", got)
	}
}

// TestProgramsWithFewRights runs the agent with the capabilities that deploy/ebpf.yaml gives it.
func TestProgramsWithFewRights(t *testing.T) {
	testkit.Require(t, "setpriv")
	n := newNode(t, "--backend", "ebpf", "--cluster-cidr", "10.1.0.0/16")
	n.under = append(n.inside(), "setpriv", "--bounding-set", "-all,+net_admin,+bpf,+sys_admin", "--inh-caps", "-all")
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	s, code := n.status("--wait", "20s")
	if code != 0 || len(s.Programs) != 8 {
		t.Fatalf("status: %d %+v", code, s)
	}
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.2"))
	n.wait("its endpoint is another one", func() bool { return n.answer(vip, 80) == "10.1.2.2:8080" })
}

// TestCgroupOfOthers wants a cgroup to be given for ebpf only, and to be one.
func TestCgroupOfOthers(t *testing.T) {
	testkit.Require(t, "nft")
	dir := t.TempDir()
	for _, c := range []struct{ args, want string }{
		{"--backend nftables --cgroup /sys/fs/cgroup", "--cgroup has no meaning with backend nftables"},
		{"--backend ebpf --cgroup /proc", "it is not in a cgroup2 file system"},
		{"--backend ebpf --cgroup relative", "no absolute path"},
		{"--backend ebpf --cgroup /nowhere", "no such file"},
	} {
		cmd := exec.Command("/proc/self/exe", append(strings.Fields(c.args), "--manifest-dir", dir, "--node", "node-a", "--state-dir", dir, "--sysctls=false")...)
		cmd.Env = append(os.Environ(), agentVariable+"=1")
		out, _ := cmd.CombinedOutput() // the exit code tells
		if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: exit code %d: %s", c.args, code, out)
		}
	}
}
