package cmd_test

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/testing/frrtest"
	"github.com/planec/planec/internal/testing/testkit"
)

// spoken is a router and a node with FRR, and an agent that gives the node's FRR its configuration.
type spoken struct {
	*testing.T
	tor, node  *frrtest.Host
	dir, state string
	cmd        *exec.Cmd
	log        buffer
}

func newSpoken(t *testing.T) *spoken {
	testkit.Require(t, "nft")
	hosts := frrtest.Start(t, "tor", "a")
	s := &spoken{T: t, tor: hosts[0], node: hosts[1], dir: t.TempDir(), state: t.TempDir()}
	conf := "frr defaults traditional\nrouter bgp 64513\n bgp router-id 10.9.0.1\n no bgp ebgp-requires-policy\n neighbor 10.9.0.2 remote-as 64512\nexit\n"
	if err := s.tor.Load([]byte(conf)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the agent said:\n%s", &s.log)
		}
	})
	return s
}

// agent starts the agent, with further flags.
func (s *spoken) agent(args ...string) {
	s.Helper()
	s.cmd = s.command(append([]string{
		"--manifest-dir", s.dir, "--node", "a", "--sysctls=false", "--bgp", "frr", "--frr-dir", s.node.Dir, "--frr-run", s.node.Dir,
		"--verify-every", "1s", "--healthz-bind-address", "", "--metrics-bind-address", "127.0.0.1:10249",
	}, args...)...)
	if err := s.cmd.Start(); err != nil {
		s.Fatal(err)
	}
}

func (s *spoken) command(args ...string) *exec.Cmd {
	s.Helper()
	self, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	cmd := s.node.Command(self, append([]string{"--state-dir", s.state}, args...)...)
	cmd.Env, cmd.Stderr = append(os.Environ(), agentVariable+"=1"), &s.log
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	return cmd
}

// kill ends the agent as kill -9 does.
func (s *spoken) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill() // it may have ended already
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// write says which Services there are, by the last byte of their addresses, and whether each
// has an endpoint.
func (s *spoken) write(services map[int]bool) {
	s.Helper()
	text := `apiVersion: v1
kind: Node
metadata: {name: a}
status: {addresses: [{type: InternalIP, address: 10.9.0.2}]}
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor, namespace: m}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.9.0.1, holdTime: 9s, connectTime: 1s, password: secret-word}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: one, namespace: m}
spec: {addresses: [203.0.113.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: all, namespace: m}
`
	for n, ready := range services {
		text += fmt.Sprintf("---\napiVersion: v1\nkind: Service\nmetadata: {name: s%d, namespace: shop}\nspec: {type: LoadBalancer, clusterIP: 10.96.0.%d, ports: [{port: 80}]}\nstatus: {loadBalancer: {ingress: [{ip: 203.0.113.%d}]}}\n", n, n, n)
		text += fmt.Sprintf("---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s%d-1, namespace: shop, labels: {kubernetes.io/service-name: s%d}}\naddressType: IPv4\nports: [{name: \"\", port: 80}]\nendpoints: [{addresses: [10.1.0.%d], nodeName: b, conditions: {ready: %t}}]\n", n, n, n, ready)
	}
	temporary := filepath.Join(s.dir, ".tmp")
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	if err := os.Rename(temporary, filepath.Join(s.dir, "all.yaml")); err != nil {
		s.Fatal(err)
	}
}

// told waits until the router knows exactly these addresses.
func (s *spoken) told(what string, want ...int) {
	s.Helper()
	frrtest.Eventually(s, 30*time.Second, what, func() error {
		table := make(frrtest.Table)
		if err := s.tor.BGP("ipv4", table); err != nil {
			return err
		}
		for _, n := range want {
			p := netip.MustParsePrefix(fmt.Sprintf("203.0.113.%d/32", n))
			if len(table[p]) != 1 {
				return fmt.Errorf("no route to %v: %v", p, table)
			}
		}
		if len(table) != len(want) {
			return fmt.Errorf("%d routes: %v", len(table), table)
		}
		return nil
	})
}

// metrics are the lines of the agent about BGP.
func (s *spoken) metrics() []string {
	s.Helper()
	out, err := s.node.Command("curl", "-s", "http://127.0.0.1:10249/metrics").Output()
	if err != nil {
		return nil // it does not listen yet
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "planec_bgp") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// counted waits until a metric has a value.
func (s *spoken) counted(line string) {
	s.Helper()
	frrtest.Eventually(s, 30*time.Second, line, func() error {
		if all := s.metrics(); !slices.Contains(all, line) {
			return fmt.Errorf("%q", all)
		}
		return nil
	})
}

// established is how many times the session with the router has been established. FRR's
// bgpTimerUpEstablishedEpoch does not serve here: FRR computes it from the clock and the session's
// age, both cut to seconds, so that it differs by one between two looks.
func (s *spoken) established() string {
	s.Helper()
	out, err := s.tor.Show("show bgp neighbors 10.9.0.2 json")
	if err != nil {
		s.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, `"connectionsEstablished"`) {
			return strings.TrimSpace(line)
		}
	}
	s.Fatalf("no session:\n%s", out)
	return ""
}

// TestBGP has the agent give FRR its configuration: routes come, leave with the last endpoint and
// come back, stay when the agent is killed, and are put back after a change by hand.
func TestBGP(t *testing.T) {
	testkit.Require(t, "curl")
	s := newSpoken(t)
	s.write(map[int]bool{1: true, 2: true})
	s.agent()
	s.told("two Services", 1, 2)
	s.counted("planec_bgp_in_sync 1")
	s.counted("planec_bgp_routes 2")
	began := s.established()
	s.write(map[int]bool{1: true, 2: false})
	s.told("the last endpoint leaves", 1)
	s.write(map[int]bool{1: true, 2: true})
	s.told("it comes back", 1, 2)

	// Without the agent everything stays, and its start over it touches nothing.
	s.kill()
	s.told("after kill -9", 1, 2)
	s.agent()
	s.counted("planec_bgp_in_sync 1")
	if now := s.metrics(); strings.Contains(strings.Join(now, "\n"), "planec_bgp_reloads_total") {
		t.Errorf("the start over a right configuration loaded it: %q", now)
	}
	if now := s.established(); now != began {
		t.Errorf("the session began anew: %s, then %s", began, now)
	}

	// A change by hand, in FRR and in the file.
	if _, err := s.node.Show("configure terminal", "router bgp 64512", "address-family ipv4 unicast", "no network 203.0.113.1/32", "network 198.51.100.0/24"); err != nil {
		t.Fatal(err)
	}
	s.counted(`planec_bgp_reloads_total{cause="drift"} 1`)
	s.told("put back", 1, 2)
	file := filepath.Join(s.node.Dir, "frr.conf")
	right, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(right), "! Written by planec for node a") || strings.Contains(string(right), "secret-word") {
		t.Fatalf("%v\n%s", err, right)
	}
	if err := os.WriteFile(file, append(right, "! more\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	frrtest.Eventually(t, 10*time.Second, "the file is put back", func() error {
		if now, err := os.ReadFile(file); err != nil || string(now) != string(right) {
			return fmt.Errorf("%v\n%s", err, now)
		}
		return nil
	})
	s.foreign(file, right)
	s.cleaned(file)
}

// foreign has an administrator's file in the way: it stays, and that is said.
func (s *spoken) foreign(file string, right []byte) {
	s.Helper()
	const other = "hostname mine\n"
	if err := os.WriteFile(file, []byte(other), 0o600); err != nil {
		s.Fatal(err)
	}
	s.counted("planec_bgp_in_sync 0")
	if now, err := os.ReadFile(file); err != nil || string(now) != other {
		s.Errorf("%v\n%s", err, now)
	}
	if !strings.Contains(s.log.String(), "PLC0831") {
		s.Error("nothing says why frr.conf is not written")
	}
	if err := os.WriteFile(file, right, 0o600); err != nil {
		s.Fatal(err)
	}
	s.counted("planec_bgp_in_sync 1")
}

// cleaned takes everything back.
func (s *spoken) cleaned(file string) {
	s.Helper()
	s.kill()
	if err := s.command("--cleanup").Run(); err != nil {
		s.Errorf("--cleanup: %v", err)
	}
	s.told("cleaned")
	if _, err := os.Stat(file); err == nil {
		s.Error("frr.conf is still there")
	}
}

// TestBGPFailing has an FRR that cannot be loaded: it is said, counted and tried again.
func TestBGPFailing(t *testing.T) {
	testkit.Require(t, "curl")
	s := newSpoken(t)
	s.write(map[int]bool{1: true})
	script := filepath.Join(t.TempDir(), "reload")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho 'line 3: neighbor 10.9.0.1 password secret-word'\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.agent("--frr-reload", script)
	s.counted("planec_bgp_in_sync 0")
	s.counted("planec_bgp_failures_total 2")
	if said := s.log.String(); strings.Contains(said, "secret-word") || !strings.Contains(said, "PLC0831") {
		t.Errorf("said:\n%s", said)
	}
	// FRR is there at last.
	real, err := os.ReadFile("/usr/lib/frr/frr-reload.py")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, append([]byte("#!/usr/bin/env -S PYTHONPATH=/usr/lib/frr python3\n"), real...), 0o700); err != nil {
		t.Fatal(err)
	}
	s.told("it can be loaded", 1)
	s.counted("planec_bgp_in_sync 1")
}
