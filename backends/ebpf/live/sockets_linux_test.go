package live

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/ir"
)

// socketProgram is a program with Services of every kind that sockets meet. Its
// endpoints are addresses of the loopback device of the test's namespace.
func socketProgram() *ir.Program {
	pool := func(id string, list ...string) ir.Pool {
		p := ir.Pool{ID: id}
		for _, a := range list {
			p.Endpoints = append(p.Endpoints, ir.Endpoint{Address: netip.MustParseAddrPort(a), Weight: 1})
		}
		return p
	}
	frontend := func(kind ir.FrontendKind, protocol ir.Protocol, at, pool string) ir.Frontend {
		to := netip.MustParseAddrPort(at)
		r := ir.Route{Pool: pool, Masquerade: ir.MasqueradeNever, OnEmpty: ir.Reject}
		f := ir.Frontend{
			ID: fmt.Sprint(at, protocol, kind), Kind: kind, Service: ir.ServicePort{Namespace: "n", Name: pool, Protocol: protocol},
			Match: ir.Match{Family: ir.FamilyOf(to.Addr()), Protocol: protocol, Port: to.Port()}, Internal: r, External: r,
		}
		if kind != ir.NodePort {
			f.Match.Address = to.Addr()
		}
		return f
	}
	p := &ir.Program{
		Node: ir.Node{
			Name: "a", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, Local: ir.LocalDetector{Mode: ir.DetectNone},
			NodePorts: ir.NodePortScope{Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}, ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("10.96.0.0/16")},
		},
		ClusterIPs: []netip.Addr{netip.MustParseAddr("10.96.0.1"), netip.MustParseAddr("10.96.0.2"), netip.MustParseAddr("10.96.0.3"), netip.MustParseAddr("fd00:96::1")},
		Pools: []ir.Pool{
			pool("web", "10.244.1.1:8080", "10.244.1.2:8080", "10.244.1.3:8080"), pool("web6", "[fd00:1::1]:8080"), pool("empty"),
			pool("dns", "10.244.1.1:5353", "10.244.1.2:5353", "10.244.1.3:5353"),
		},
		Frontends: []ir.Frontend{
			frontend(ir.ClusterIP, ir.TCP, "10.96.0.1:80", "web"), frontend(ir.ClusterIP, ir.UDP, "10.96.0.1:53", "dns"),
			frontend(ir.ClusterIP, ir.TCP, "[fd00:96::1]:80", "web6"), frontend(ir.ClusterIP, ir.TCP, "10.96.0.2:80", "empty"),
			frontend(ir.ClusterIP, ir.TCP, "10.96.0.3:80", "empty"), frontend(ir.NodePort, ir.TCP, "0.0.0.0:30080", "web"),
			frontend(ir.ClusterIP, ir.TCP, "10.96.0.3:81", "web"),
		},
	}
	p.Frontends[4].Internal.OnEmpty, p.Frontends[4].External.OnEmpty = ir.Drop, ir.Drop
	p.Frontends[6].SourceRanges = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	p.Normalize()
	return p
}

// node is a network namespace with servers, a cgroup, and the programs attached to it.
type node struct {
	sockets *Sockets
	pins    *Pins
	cgroup  string
}

// newNode enters a network namespace for good: the thread ends with the test.
func newNode(t *testing.T) *node {
	t.Helper()
	p, _ := pins(t)
	runtime.LockOSThread() // and never unlocked: the namespace is the thread's
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"addr", "add", "10.244.1.1/32", "dev", "lo"},
		{"addr", "add", "10.244.1.2/32", "dev", "lo"},
		{"addr", "add", "10.244.1.3/32", "dev", "lo"},
		{"addr", "add", "192.0.2.1/32", "dev", "lo"},
		{"addr", "add", "fd00:1::1/128", "dev", "lo", "nodad"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v: %s", args, err, out)
		}
	}
	for _, a := range []string{"10.244.1.1:8080", "10.244.1.2:8080", "10.244.1.3:8080", "[fd00:1::1]:8080"} {
		serveTCP(t, a)
	}
	for _, a := range []string{"10.244.1.1:5353", "10.244.1.2:5353", "10.244.1.3:5353"} {
		serveUDP(t, a)
	}
	root := CgroupRoot()
	if root == "" && os.Getenv("CI") == "true" {
		t.Fatal("CI=true, but no cgroup2 is mounted")
	} else if root == "" {
		t.Skip("SKIPPED, NOTHING WAS TESTED: no cgroup2 is mounted")
	}
	cgroup, err := os.MkdirTemp(root, "planec-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(cgroup) })
	return &node{sockets: &Sockets{Dir: p.Dir, Cgroup: cgroup}, pins: p, cgroup: cgroup}
}

func (n *node) load(t testing.TB, p *ir.Program) {
	t.Helper()
	img, err := image.New(backends.DefaultOptions()).Image(p)
	if err != nil {
		t.Fatal(err)
	}
	have, err := n.pins.Observe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := n.pins.Apply(context.Background(), NewPlan(have, img)); err != nil {
		t.Fatal(err)
	}
}

// serveTCP tells every client the address that it came to.
func serveTCP(t *testing.T, at string) {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(c, c.LocalAddr())
			c.Close()
		}
	}()
}

// serveUDP answers every datagram with its own address.
func serveUDP(t *testing.T, at string) {
	t.Helper()
	c, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 100)
		for {
			_, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo([]byte(c.LocalAddr().String()), from)
		}
	}()
}

// client runs a client process in the node's namespace and in its cgroup, and returns
// what it says, a line for each connection.
func (n *node) client(t *testing.T, args ...string) []string {
	t.Helper()
	dir, err := os.Open(n.cgroup)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), childEnv+"="+childClient)
	cmd.SysProcAttr = &unix.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// clientMain opens connections: "tcp ADDRESS", "mapped ADDRESS" (by a socket of IPv6),
// "udp ADDRESS" (connected) and "sendto ADDRESS", each followed by how often.
func clientMain(args []string) {
	for i := 0; i+2 < len(args); i += 3 {
		var times int
		fmt.Sscan(args[i+2], &times)
		for range times {
			fmt.Println(args[i], args[i+1], connectOnce(args[i], netip.MustParseAddrPort(args[i+1])))
		}
	}
}

func connectOnce(how string, to netip.AddrPort) string {
	domain, kind := unix.AF_INET, unix.SOCK_STREAM
	if how == "mapped" || to.Addr().Is6() {
		domain = unix.AF_INET6
	}
	if how == "udp" || how == "sendto" {
		kind = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(domain, kind, 0)
	if err != nil {
		return err.Error()
	}
	defer unix.Close(fd)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2})
	sa, b := sockaddr(to, domain), make([]byte, 100)
	if how == "sendto" {
		if err := unix.Sendto(fd, []byte("x"), 0, sa); err != nil {
			return "refused: " + err.Error()
		}
		size, from, err := unix.Recvfrom(fd, b, 0)
		if err != nil {
			return "no answer: " + err.Error()
		}
		return fmt.Sprintf("%s seen as %v", b[:size], addrPort(from))
	}
	if err := unix.Connect(fd, sa); err != nil {
		return "refused: " + err.Error()
	}
	peer, err := unix.Getpeername(fd)
	if err != nil {
		return err.Error()
	}
	if how == "udp" {
		if _, err := unix.Write(fd, []byte("x")); err != nil {
			return err.Error()
		}
	}
	size, err := unix.Read(fd, b)
	if err != nil {
		return "no answer: " + err.Error()
	}
	return fmt.Sprintf("%s seen as %v", strings.TrimSpace(string(b[:size])), addrPort(peer))
}

func sockaddr(to netip.AddrPort, domain int) unix.Sockaddr {
	if domain == unix.AF_INET {
		return &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}
	}
	return &unix.SockaddrInet6{Addr: to.Addr().As16(), Port: int(to.Port())}
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// answers counts the different answers of many connections.
func answers(lines []string) map[string]int {
	out := make(map[string]int)
	for _, l := range lines {
		out[l]++
	}
	return out
}

// TestSockets opens connections through the programs.
func TestSockets(t *testing.T) {
	n := newNode(t)
	n.load(t, socketProgram())
	steps, err := n.sockets.Attach(context.Background())
	if err != nil || len(steps) != len(hooks) {
		t.Fatalf("%q, %v", steps, err)
	}
	got := n.client(t,
		"tcp", "[fd00:96::1]:80", "1", "tcp", "10.96.0.2:80", "1", "tcp", "10.96.0.3:80", "1", "tcp", "10.96.0.1:99", "1",
		"tcp", "10.96.9.9:80", "1", "tcp", "10.244.1.1:8080", "1")
	want := []string{
		"tcp [fd00:96::1]:80 [fd00:1::1]:8080 seen as [fd00:96::1]:80",
		"tcp 10.96.0.2:80 refused: connection refused",
		"tcp 10.96.0.3:80 refused: no route to host",
		"tcp 10.96.0.1:99 refused: connection refused",
		"tcp 10.96.9.9:80 refused: no route to host",
		"tcp 10.244.1.1:8080 10.244.1.1:8080 seen as 10.244.1.1:8080",
	}
	if d := gocmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, c := range []struct{ how, at, port string }{{"tcp", "10.96.0.1:80", "8080"}, {"mapped", "[::ffff:10.96.0.1]:80", "8080"}, {"udp", "10.96.0.1:53", "5353"}, {"sendto", "10.96.0.1:53", "5353"}, {"tcp", "192.0.2.1:30080", "8080"}} {
		seen := answers(n.client(t, c.how, c.at, "60"))
		var wanted []string
		for i := 1; i <= 3; i++ {
			wanted = append(wanted, fmt.Sprintf("%s %s 10.244.1.%d:%s seen as %s", c.how, c.at, i, c.port, c.at))
		}
		for _, w := range wanted {
			if seen[w] == 0 {
				t.Errorf("no connection is %q: %v", w, seen)
			}
		}
		if len(seen) != len(wanted) {
			t.Errorf("%v", seen)
		}
	}
	again, err := n.sockets.Attach(context.Background())
	if err != nil || len(again) != 0 {
		t.Errorf("a second Attach: %q, %v", again, err)
	}
	removed, err := n.sockets.Detach()
	if err != nil || len(removed) != len(hooks)+len(stateMaps) {
		t.Errorf("Detach: %q, %v", removed, err)
	}
	if missing, err := n.sockets.Missing(); err != nil || len(missing) != len(hooks) {
		t.Errorf("after Detach: %q, %v", missing, err)
	}
}

// TestForeignPins has objects of others where the links of planec are pinned.
func TestForeignPins(t *testing.T) {
	n := newNode(t)
	n.load(t, socketProgram())
	pin := filepath.Join(n.sockets.Dir, hooks[0].linkPin())
	look := func(kind string) {
		t.Helper()
		_, missing := n.sockets.Missing()
		_, attached := n.sockets.Attached()
		for _, err := range []error{missing, attached} {
			if !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), pin) {
				t.Errorf("%s: %v, want ErrForeign with the pin", kind, err)
			}
		}
		if err := os.Remove(pin); err != nil {
			t.Fatal(err)
		}
	}
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Pin(pin); err != nil {
		t.Fatal(err)
	}
	look("a map")
	if err := os.Mkdir(pin, 0o755); err != nil {
		t.Fatal(err)
	}
	look("a directory")
}

// TestSocketsAreRepaired: a link that is gone, and one with another program, are put back
// by an Attach, which leaves all others.
func TestSocketsAreRepaired(t *testing.T) {
	n := newNode(t)
	n.load(t, socketProgram())
	if _, err := n.sockets.Attach(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(n.sockets.Dir, "plc_link_connect4")); err != nil {
		t.Fatal(err)
	}
	missing, err := n.sockets.Missing()
	if err != nil || !slices.Equal(missing, []string{"attach program connect4"}) {
		t.Errorf("%q, %v", missing, err)
	}
	if _, err := n.sockets.Attach(context.Background()); err != nil {
		t.Fatal(err)
	}
	if missing, err := n.sockets.Missing(); err != nil || len(missing) != 0 {
		t.Errorf("%q, %v", missing, err)
	}
	elsewhere := *n.sockets
	elsewhere.Cgroup = "/proc"
	if _, err := elsewhere.Attach(context.Background()); !errors.Is(err, ErrNoCgroup) {
		t.Errorf("%v, want ErrNoCgroup", err)
	}
}
