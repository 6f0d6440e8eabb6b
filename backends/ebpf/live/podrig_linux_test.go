package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// netns is a network namespace without a name.
type netns struct{ file *os.File }

// newNetns creates a namespace: it is gone with its last descriptor and interface.
func newNetns(t testing.TB) *netns {
	t.Helper()
	n := new(netns)
	if err := onThread(func() (err error) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		n.file, err = os.Open("/proc/thread-self/ns/net")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.file.Close() })
	n.ip(t, "link set lo up")
	return n
}

// onThread runs f on a thread of its own, which ends with it.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		done <- f()
	}()
	return <-done
}

// do runs f in the namespace.
func (n *netns) do(f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	})
}

// ip runs lines of ip(8) in the namespace.
func (n *netns) ip(t testing.TB, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if err := n.do(func() error {
			out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput()
			if err != nil {
				return fmt.Errorf("ip %s: %w: %s", line, err, out)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func (n *netns) sysctl(t testing.TB, name, value string) {
	t.Helper()
	if err := n.do(func() error { return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0) }); err != nil {
		t.Fatal(err)
	}
}

// The ports that every end of podRig listens on, for TCP and UDP.
var podPorts = []uint16{80, 81}

// podRig is a node with pods in namespaces of their own, and a machine behind a router.
type podRig struct {
	testing.TB
	node       *netns
	nodeAddrs  []netip.Addr
	pods       map[int]*pod
	outside    *pod
	interfaces *Interfaces
	pins       *Pins
	// lastPort is the client's port of the last attempt.
	lastPort int
}

// pod is a namespace with an address of each family. The machine outside is one too.
type pod struct {
	*netns
	name  string // of the interface on the node
	addrs []netip.Addr
	mu    sync.Mutex
	open  []io.Closer
}

func newPodRig(t testing.TB) *podRig {
	t.Helper()
	require(t)
	p, _ := pins(t)
	r := &podRig{
		TB: t, node: newNetns(t), pods: make(map[int]*pod), pins: p, interfaces: &Interfaces{Dir: p.Dir, CountAll: true, ByFilters: *byFilters},
		nodeAddrs: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")},
	}
	for _, name := range []string{"ipv4/ip_forward", "ipv6/conf/all/forwarding"} {
		r.node.sysctl(t, name, "1")
	}
	r.node.ip(t, "addr add 192.0.2.1/32 dev lo", "addr add 2001:db8::1/128 dev lo nodad")
	r.listen(r.node, r.nodeAddrs, func(c io.Closer) { t.Cleanup(func() { c.Close() }) })
	r.outside = r.plug(0, []netip.Addr{netip.MustParseAddr("198.51.100.9"), netip.MustParseAddr("2001:db8:9::9")})
	return r
}

// podAddrs are the addresses of a pod, by its number.
func podAddrs(n int) []netip.Addr {
	return []netip.Addr{netip.AddrFrom4([4]byte{10, 1, 0, byte(n)}), netip.MustParseAddr(fmt.Sprintf("fd00:10:1::%d", n))}
}

// add adds a pod.
func (r *podRig) add(n int) {
	r.Helper()
	r.pods[n] = r.plug(n, podAddrs(n))
}

// remove removes a pod with its interface.
func (r *podRig) remove(n int) {
	r.Helper()
	p := r.pods[n]
	p.close()
	r.node.ip(r, "link del "+p.name)
	delete(r.pods, n)
}

// plug makes a pair of interfaces, with routes as a network plugin makes them: to single addresses
// for pods, and by a router for number 0, the machine outside.
func (r *podRig) plug(n int, addrs []netip.Addr) *pod {
	r.Helper()
	p := &pod{netns: newNetns(r), name: fmt.Sprintf("pod%d", n), addrs: addrs}
	r.Cleanup(p.close)
	mac := fmt.Sprintf("02:00:00:00:01:%02x", n)
	if n == 0 {
		p.name = "up0"
	}
	r.node.ip(r,
		fmt.Sprintf("link add %s index %d address %s type veth peer name eth0 netns /proc/%d/fd/%d", p.name, 1000+n, mac, os.Getpid(), p.file.Fd()),
		"addr add fe80::1/64 dev "+p.name+" nodad", "link set "+p.name+" up")
	p.ip(r, "link set eth0 up",
		"addr add "+addrs[0].String()+"/32 dev eth0", "addr add "+addrs[1].String()+"/128 dev eth0 nodad",
		"neigh add 169.254.1.1 lladdr "+mac+" dev eth0",
		"route add 169.254.1.1 dev eth0 scope link", "route add default via 169.254.1.1 src "+addrs[0].String(),
		"-6 route add default via fe80::1 dev eth0 src "+addrs[1].String())
	if n == 0 {
		p.ip(r, "addr add 198.18.0.2/32 dev eth0", "addr add fe80::2/64 dev eth0 nodad")
		r.node.ip(r, "addr add 198.18.0.1/24 dev up0", "route add 198.51.100.0/24 via 198.18.0.2", "-6 route add 2001:db8:9::/64 via fe80::2 dev up0")
	} else {
		r.node.ip(r, "route add "+addrs[0].String()+" dev "+p.name+" src 192.0.2.1", "-6 route add "+addrs[1].String()+" dev "+p.name+" src 2001:db8::1")
	}
	r.listen(p.netns, addrs, p.keep)
	return p
}

func (p *pod) keep(c io.Closer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, c)
}

// close ends all sockets, so that nothing holds the namespace.
func (p *pod) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.open {
		_ = c.Close()
	}
	p.open = nil
}

// listen answers at all ports with what it is sent.
func (r *podRig) listen(n *netns, addrs []netip.Addr, keep func(io.Closer)) {
	r.Helper()
	for _, a := range addrs {
		for _, port := range podPorts {
			at := netip.AddrPortFrom(a, port).String()
			if err := n.do(func() error {
				l, err := net.Listen("tcp", at)
				if err != nil {
					return err
				}
				c, err := net.ListenPacket("udp", at)
				if err != nil {
					return errors.Join(err, l.Close())
				}
				keep(l)
				keep(c)
				go echoStreams(l, keep)
				go echoPackets(c)
				return nil
			}); err != nil {
				r.Fatal(err)
			}
		}
	}
}

func echoStreams(l net.Listener, keep func(io.Closer)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		keep(c)
		go func() { _, _ = io.Copy(c, c) }()
	}
}

func echoPackets(c net.PacketConn) {
	b := make([]byte, 1<<16)
	for {
		n, from, err := c.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			_, _ = c.WriteTo(b[:n], from)
		}
	}
}

// attempt is one connection.
type attempt struct {
	from *netns
	eval.Packet
	// port is the client's; 0 leaves it to the kernel. A packet with the ports of an earlier
	// connection may be part of it to the programs, whatever the policies say now.
	port int
}

// dial opens a connection and asks for an echo.
func (a *attempt) dial(patience time.Duration) (c net.Conn, err error) {
	err = a.from.do(func() error {
		d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: a.Src.AsSlice(), Port: a.port}}
		if a.Protocol == ir.UDP {
			d.LocalAddr = &net.UDPAddr{IP: a.Src.AsSlice(), Port: a.port}
		}
		c, err = d.DialContext(context.Background(), a.Protocol.String(), netip.AddrPortFrom(a.Dst, a.Port).String())
		return err
	})
	if err == nil {
		if err = echoes(c, patience); err != nil {
			c.Close()
		}
	}
	return c, err
}

// echoes sends on a connection and wants it back.
func echoes(c net.Conn, patience time.Duration) error {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := c.Write([]byte("planec?")); err != nil {
		return err
	}
	b := make([]byte, 100)
	n, err := c.Read(b)
	if err == nil && string(b[:n]) != "planec?" {
		err = fmt.Errorf("the echo is %q", b[:n])
	}
	return err
}

const (
	// impatience is how long a connection may take that should be denied; one that should
	// not be is tried again with patience, since a machine may be busy.
	impatience = 300 * time.Millisecond
	patience   = 10 * time.Second
	// secondPorts are as many above the client's ports, and below those that the kernel gives.
	secondPorts = 10000
)

// passes tries a connection that should pass, or should not.
func (a *attempt) passes(want bool) bool {
	c, err := a.dial(impatience)
	if err != nil && want {
		again := *a
		if a.port != 0 {
			again.port += secondPorts // the first one may still be taken by what came too late
		}
		c, err = again.dial(patience)
	}
	if err == nil {
		c.Close()
	}
	return err == nil
}

// put makes a program's image the active one.
func (r *podRig) put(p *ir.Program) {
	r.Helper()
	(&node{pins: r.pins}).load(r.TB, p)
}

// attach attaches, and wants nothing to be missing then.
func (r *podRig) attach() (steps []string) {
	r.Helper()
	if err := r.node.do(func() (err error) {
		if steps, err = r.interfaces.Attach(context.Background()); err != nil {
			return err
		}
		missing, err := r.interfaces.Missing()
		if err == nil && len(missing) > 0 {
			err = fmt.Errorf("missing after Attach: %q", missing)
		}
		return err
	}); err != nil {
		r.Fatal(err)
	}
	return steps
}
