package testkit

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/vishvananda/netlink"
)

// Machine is a network namespace that routes: a node, a pod, a switch or a router of a test
// with several of them.
type Machine struct{ n *namespace }

// NewMachine makes a machine, which lives until the test ends. It has IPv4 and IPv6
// forwarding, and no duplicate detection.
func NewMachine(t testing.TB) *Machine {
	t.Helper()
	n, err := newNamespace(NodeSide)
	if err == nil {
		t.Cleanup(n.close)
		// A router asks for neighbours from its link-local address.
		linkLocal := []setting{{"ipv6.conf.default.addr_gen_mode", "0"}}
		err = errors.Join(n.sysctl(commonSettings()), n.sysctl(nodeSettings()), n.sysctl(linkLocal))
	}
	if err != nil {
		t.Fatal(err)
	}
	return &Machine{n}
}

// Do runs f on the machine's thread. Sockets and processes that it makes are the machine's.
func (m *Machine) Do(f func() error) error { return m.n.do(f) }

// Namespace is the machine's network namespace.
func (m *Machine) Namespace() *os.File { return m.n.file }

// Run runs a program on the machine and returns its standard output; an error has its
// standard error.
func (m *Machine) Run(name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := m.n.do(cmd.Start)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return stdout.String(), fmt.Errorf("%v: %w\n%s", cmd, err, stderr.Bytes())
	}
	return stdout.String(), nil
}

// Plug connects two machines by a pair of interfaces that are up.
func (m *Machine) Plug(name string, other *Machine, otherName string) error {
	veth := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: name, Flags: net.FlagUp, TxQLen: -1},
		PeerName:  otherName, PeerNamespace: netlink.NsFd(other.n.file.Fd()),
	}
	if err := m.n.nl.LinkAdd(veth); err != nil {
		return fmt.Errorf("veth %s: %w", name, err)
	}
	peer, err := other.n.nl.LinkByName(otherName)
	if err != nil {
		return fmt.Errorf("veth %s: %w", otherName, err)
	}
	if err := other.n.nl.LinkSetUp(peer); err != nil {
		return fmt.Errorf("veth %s up: %w", otherName, err)
	}
	return errors.Join(other.n.settle(peer.Attrs().Index), m.n.settle(veth.Index))
}
