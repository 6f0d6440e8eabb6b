package testkit

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// namespace is an anonymous network namespace with one thread. It lives as long as
// that thread, its sockets, and the peers of its interfaces.
type namespace struct {
	side Side
	file *os.File
	work chan func()
	nl   *netlink.Handle
}

// newNamespace creates an empty namespace with loopback up.
func newNamespace(side Side) (*namespace, error) {
	n := &namespace{side: side, work: make(chan func())}
	ready := make(chan error)
	go n.run(ready)
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("namespace %v: %w", side, err)
	}
	if err := n.do(n.start); err != nil {
		n.close()
		return nil, fmt.Errorf("namespace %v: %w", side, err)
	}
	return n, nil
}

// run is the namespace's thread. It never unlocks the thread, so that the runtime
// ends the thread with it, and no other goroutine runs in the namespace.
func (n *namespace) run(ready chan<- error) {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		ready <- fmt.Errorf("unshare: %w", err)
		return
	}
	file, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		ready <- err
		return
	}
	n.file = file
	ready <- nil
	for f := range n.work {
		f()
	}
}

func (n *namespace) start() error {
	nl, err := netlink.NewHandle(unix.NETLINK_ROUTE, unix.NETLINK_NETFILTER)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	n.nl = nl
	lo := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: "lo", Index: loopbackIndex, Flags: net.FlagUp}}
	if err := nl.LinkSetUp(lo); err != nil {
		return fmt.Errorf("lo up: %w", err)
	}
	return nil
}

// loopbackIndex is LOOPBACK_IFINDEX of include/net/flow.h.
const loopbackIndex = 1

// do runs f on the namespace's thread. Sockets and processes created there belong
// to the namespace, regardless of the thread that uses them later.
func (n *namespace) do(f func() error) error {
	done := make(chan error, 1)
	n.work <- func() { done <- f() }
	return <-done
}

func (n *namespace) close() {
	close(n.work)
	if n.nl != nil {
		n.nl.Close()
	}
	n.file.Close()
}

// addAddr gives an interface an address, and waits until it can be used.
func (n *namespace) addAddr(link netlink.Link, a netip.Addr) error {
	addr := &netlink.Addr{IPNet: hostNet(a)}
	if a.Is6() {
		addr.Flags = unix.IFA_F_NODAD
	}
	if err := n.nl.AddrAdd(link, addr); err != nil {
		return fmt.Errorf("address %v of the %v's %s: %w", a, n.side, link.Attrs().Name, err)
	}
	if a.IsLinkLocalUnicast() {
		return nil
	}
	return n.settleAddr(a)
}
