package testkit

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// PodNode is a node of a cluster of namespaces, with two pods at a bridge of its own. Who
// routes from node to node is the test's matter.
type PodNode struct {
	*Machine
	Name string
	// Number is in all addresses: the node has 192.0.2.N or, behind the router,
	// 198.51.100.N, and its pods are in 10.244.N.0/24 and fd00:N::/64.
	Number int
	Remote bool // behind the router
	Pods   []*Pod
}

// Pod is a namespace that answers on port 80 with the client's address.
type Pod struct {
	*Machine
	Addresses []netip.Addr
}

// PodCluster is some nodes at a switch, and others behind a router.
type PodCluster struct {
	t      testing.TB
	bridge *Machine
	router *Machine
	Nodes  []*PodNode
}

// NewPodCluster makes a cluster without nodes.
func NewPodCluster(t testing.TB) *PodCluster {
	c := &PodCluster{t: t, bridge: NewMachine(t)}
	c.run(c.bridge, "ip link add br0 type bridge", "ip link set br0 up")
	return c
}

func (c *PodCluster) run(m *Machine, lines ...string) {
	c.t.Helper()
	for _, line := range lines {
		words := strings.Fields(line)
		if _, err := m.Run(words[0], words[1:]...); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *PodCluster) plug(m *Machine, name string, other *Machine, otherName string) {
	c.t.Helper()
	if err := m.Plug(name, other, otherName); err != nil {
		c.t.Fatal(err)
	}
}

// Near and Far add a node at the switch, and one behind the router.
func (c *PodCluster) Near(number int) *PodNode { return c.add(number, false) }

// Far adds a node behind the router.
func (c *PodCluster) Far(number int) *PodNode { return c.add(number, true) }

func (c *PodCluster) add(number int, remote bool) *PodNode {
	c.t.Helper()
	n := &PodNode{Machine: NewMachine(c.t), Name: fmt.Sprintf("node-%d", number), Number: number, Remote: remote}
	if remote {
		c.wantRouter()
		c.plug(n.Machine, "eth0", c.router, fmt.Sprintf("to%d", number))
		c.run(c.router, fmt.Sprintf("ip link set to%d master br1", number))
	} else {
		c.plug(n.Machine, "eth0", c.bridge, fmt.Sprintf("to%d", number))
		c.run(c.bridge, fmt.Sprintf("ip link set to%d master br0", number))
	}
	for _, a := range n.Addresses() {
		c.run(n.Machine, fmt.Sprintf("ip address add %v/%d dev eth0", a, subnetBits(a)))
		if c.router != nil || remote {
			c.run(n.Machine, fmt.Sprintf("ip route add default via %v", n.gateway(a)))
		}
	}
	c.run(n.Machine, "ip link add cni0 type bridge", "ip link set cni0 up",
		fmt.Sprintf("ip address add 10.244.%d.1/24 dev cni0", number), fmt.Sprintf("ip address add fd00:%d::1/64 dev cni0", number))
	for i := range 2 {
		n.Pods = append(n.Pods, c.pod(n, i))
	}
	c.Nodes = append(c.Nodes, n)
	return n
}

// wantRouter makes the router, and gives the nodes that are there their default routes.
func (c *PodCluster) wantRouter() {
	if c.router != nil {
		return
	}
	c.router = NewMachine(c.t)
	c.plug(c.router, "eth0", c.bridge, "router")
	c.run(c.bridge, "ip link set router master br0")
	c.run(c.router, "ip link add br1 type bridge", "ip link set br1 up",
		"ip address add 192.0.2.254/24 dev eth0", "ip address add 2001:db8:1::fe/64 dev eth0",
		"ip address add 198.51.100.254/24 dev br1", "ip address add 2001:db8:2::fe/64 dev br1")
	for _, n := range c.Nodes {
		for _, a := range n.Addresses() {
			c.run(n.Machine, fmt.Sprintf("ip route add default via %v", n.gateway(a)))
		}
	}
}

// Addresses are the node's.
func (n *PodNode) Addresses() []netip.Addr {
	if n.Remote {
		return []netip.Addr{netip.AddrFrom4([4]byte{198, 51, 100, byte(n.Number)}), netip.MustParseAddr(fmt.Sprintf("2001:db8:2::%d", n.Number))}
	}
	return []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, byte(n.Number)}), netip.MustParseAddr(fmt.Sprintf("2001:db8:1::%d", n.Number))}
}

// CIDRs are the ranges of the node's pods.
func (n *PodNode) CIDRs() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("10.244.%d.0/24", n.Number)), netip.MustParsePrefix(fmt.Sprintf("fd00:%d::/64", n.Number))}
}

func (n *PodNode) gateway(a netip.Addr) netip.Addr {
	b := a.AsSlice()
	b[len(b)-1] = 254
	out, _ := netip.AddrFromSlice(b)
	return out
}

func subnetBits(a netip.Addr) int {
	if a.Is4() {
		return 24
	}
	return 64
}

// pod adds a pod with the addresses .2 or .3 of the node's ranges.
func (c *PodCluster) pod(n *PodNode, i int) *Pod {
	c.t.Helper()
	p := &Pod{Machine: NewMachine(c.t)}
	end := fmt.Sprintf("pod%d", i)
	c.plug(p.Machine, "eth0", n.Machine, end)
	c.run(n.Machine, fmt.Sprintf("ip link set %s master cni0", end))
	for _, r := range n.CIDRs() {
		b := r.Addr().AsSlice()
		b[len(b)-1] = byte(2 + i)
		a, _ := netip.AddrFromSlice(b)
		b[len(b)-1] = 1
		gateway, _ := netip.AddrFromSlice(b)
		p.Addresses = append(p.Addresses, a)
		c.run(p.Machine, fmt.Sprintf("ip address add %v/%d dev eth0", a, r.Bits()), fmt.Sprintf("ip route add default via %v", gateway))
	}
	c.serve(p)
	return p
}

// serve answers over TCP and UDP with the address of the client.
func (c *PodCluster) serve(p *Pod) {
	c.t.Helper()
	err := p.Do(func() error {
		l, err := net.Listen("tcp", ":80")
		if err != nil {
			return err
		}
		u, err := net.ListenPacket("udp", ":80")
		if err != nil {
			return errors.Join(err, l.Close())
		}
		c.t.Cleanup(func() { l.Close(); u.Close() })
		go answerTCP(l)
		go answerUDP(u)
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

func answerTCP(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
		_, _ = io.WriteString(conn, host)
		conn.Close()
	}
}

func answerUDP(u net.PacketConn) {
	buf := make([]byte, 64)
	for {
		_, from, err := u.ReadFrom(buf)
		if err != nil {
			return
		}
		host, _, _ := net.SplitHostPort(from.String())
		_, _ = u.WriteTo([]byte(host), from)
	}
}

// askTimeout is generous: what it waits for is a packet in this machine.
const askTimeout = 2 * time.Second

// Ask connects from a machine and returns the client's address as the pod saw it.
func (m *Machine) Ask(network string, to netip.Addr) (saw netip.Addr, err error) {
	var conn net.Conn
	err = m.Do(func() (err error) {
		conn, err = net.DialTimeout(network, netip.AddrPortFrom(to, 80).String(), askTimeout)
		return err
	})
	if err != nil {
		return saw, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(askTimeout))
	if network == "udp" {
		_, _ = conn.Write([]byte("?"))
	}
	buf := make([]byte, 64)
	n, err := conn.Read(buf)
	if err != nil {
		return saw, err
	}
	return netip.ParseAddr(string(buf[:n]))
}

// Reach checks that every pod reaches every other one with its own address, over TCP and
// UDP, IPv4 and IPv6. It returns what did not work.
func (c *PodCluster) Reach() error {
	var errs []error
	var pods []*Pod
	for _, n := range c.Nodes {
		pods = append(pods, n.Pods...)
	}
	for _, from := range pods {
		for _, to := range pods {
			for i, a := range to.Addresses {
				for _, network := range []string{"tcp", "udp"} {
					if from == to {
						continue
					}
					if saw, err := from.Ask(network, a); err != nil || saw != from.Addresses[i] {
						errs = append(errs, fmt.Errorf("%s from %v to %v: came from %v: %w", network, from.Addresses[i], a, saw, err))
						if len(errs) > 5 {
							return errors.Join(errs...)
						}
					}
				}
			}
		}
	}
	return errors.Join(errs...)
}
