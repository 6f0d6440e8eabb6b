package live

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// anyPod are networks that have every pod.
func anyPod() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
}

// attachPlaced attaches, and has packets handed over where they may be.
func (r *podRig) attachPlaced(ctx context.Context) ([]string, error) {
	steps, err := r.interfaces.Attach(ctx)
	if err != nil {
		return steps, err
	}
	places, err := r.interfaces.Places()
	return steps, errors.Join(err, r.interfaces.Place(places))
}

// place has packets handed over.
func (r *podRig) place(want ...Place) {
	r.Helper()
	if err := r.node.do(func() error {
		if _, err := r.attachPlaced(r.Context()); err != nil {
			return err
		}
		got, known, err := r.interfaces.Placed()
		if !known || !slices.Equal(got, want) {
			r.Errorf("packets are handed to %v (%t), want %v", got, known, want)
		}
		return err
	}); err != nil {
		r.Fatal(err)
	}
}

// newDirectRig has two pods with policies, and packets handed over between them.
func newDirectRig(t *testing.T, x policies) *podRig {
	t.Helper()
	r := newPodRig(t)
	r.interfaces.Direct = anyPod()
	r.add(1)
	r.add(2)
	r.put(r.program(x))
	r.knowNeighbours()
	r.place(placesOf(1, 2)...)
	return r
}

func placesOf(pods ...int) (out []Place) {
	for family := range 2 {
		for _, n := range pods {
			out = append(out, Place{Pod: podAddrs(n)[family], Index: uint32(1000 + n)})
		}
	}
	return out
}

// forwarded is how many packets the node's stack has forwarded.
func (r *podRig) forwarded() (n int) {
	r.Helper()
	if err := r.node.do(func() error {
		v4, err := os.ReadFile("/proc/thread-self/net/snmp")
		if err != nil {
			return err
		}
		v6, err := os.ReadFile("/proc/thread-self/net/snmp6")
		if err != nil {
			return err
		}
		lines := strings.Split(string(v4), "\n")
		names, values := strings.Fields(lines[0]), strings.Fields(lines[1])
		at := slices.Index(names, "ForwDatagrams")
		if at < 0 {
			return fmt.Errorf("no count of IPv4: %q", names)
		}
		first, err := strconv.Atoi(values[at])
		_, rest, found := strings.Cut(string(v6), "Ip6OutForwDatagrams")
		if err != nil || !found {
			return fmt.Errorf("no count of IPv6: %w", err)
		}
		second, err := strconv.Atoi(strings.Fields(rest)[0])
		n = first + second
		return err
	}); err != nil {
		r.Fatal(err)
	}
	return n
}

// attemptsOf are connections between two pods, of each family and protocol.
func (r *podRig) attemptsOf(from, to int) (out []*attempt) {
	for family := range 2 {
		for _, protocol := range []ir.Protocol{ir.TCP, ir.UDP} {
			out = append(out, &attempt{from: r.pods[from].netns, Packet: eval.Packet{
				Src: podAddrs(from)[family], Dst: podAddrs(to)[family], Protocol: protocol, Port: 80, From: eval.FromPod,
			}})
		}
	}
	return out
}

// knowNeighbours has the node ask for the hardware addresses of pods.
func (r *podRig) knowNeighbours() {
	r.Helper()
	for n := range r.pods {
		for _, a := range r.pods[n].addrs {
			if err := r.node.do(func() error {
				c, err := net.Dial("tcp", netip.AddrPortFrom(a, 80).String())
				if err == nil {
					c.Close()
				}
				return err
			}); err != nil {
				r.Fatal(err)
			}
		}
	}
}

// TestDirectPods: what a pod sends to a pod of the node passes the stack by, in both directions
// and in every size, from the first packet of a connection to the last; other packets do not.
func TestDirectPods(t *testing.T) {
	r := newDirectRig(t, policies{ingress: map[int][]int{1: {2}, 2: nil}, egress: map[int][]int{2: {1}, 1: nil}})
	before := r.forwarded()
	for _, a := range r.attemptsOf(2, 1) {
		size := 1200
		if a.Protocol == ir.TCP {
			size = 1 << 20 // in bundles of many packets
		}
		r.transfers(a, size, 4)
		if n := r.forwarded(); n != before {
			t.Errorf("%v: the stack has forwarded %d packets", a.Packet, n-before)
			before = n
		}
	}
	for _, a := range r.attemptsOf(1, 2) { // denied
		if a.passes(false) {
			t.Errorf("%v passes", a.Packet)
		}
	}
	before = r.forwarded()
	a := r.attemptsOf(2, 1)[0]
	a.from, a.Src = r.outside.netns, r.outside.addrs[0] // denied: no packet of it is forwarded either
	if a.passes(false) || r.forwarded() == before {
		t.Errorf("%v: passes, or is handed over", a.Packet)
	}
	a = r.attemptsOf(2, 1)[1]
	r.transfers(a, 20000, 1) // fragments are the stack's
	if r.forwarded() == before {
		t.Error("fragments were handed over")
	}
}

// TestDirectPodsAsRouted: packets are handed only where the kernel would send them, with their
// hop counted, and to no pod that is not listed.
func TestDirectPodsAsRouted(t *testing.T) {
	r := newDirectRig(t, policies{})
	for hops, want := range map[int]bool{1: false, 2: true} {
		for _, a := range r.attemptsOf(2, 1) {
			if got := r.passesWith(a, hops); got != want {
				t.Errorf("%v with %d hops: passes %t", a.Packet, hops, got)
			}
		}
	}
	var open []net.Conn
	for _, a := range r.attemptsOf(2, 1) {
		c, err := a.dial(patience)
		if err != nil {
			t.Fatalf("%v: %v", a.Packet, err)
		}
		defer c.Close()
		open = append(open, c)
	}
	goOn := func(what string, stack bool) {
		t.Helper()
		before := r.forwarded()
		for _, c := range open {
			if err := echoes(c, patience); err != nil {
				t.Errorf("%s: %v: %v", what, c.RemoteAddr(), err)
			}
		}
		if n := r.forwarded() - before; (n > 0) != stack {
			t.Errorf("%s: the stack has forwarded %d packets", what, n)
		}
	}
	goOn("listed", false)
	r.interfaces.Direct = nil
	stay := placesOf(1, 2)
	for i := range stay {
		stay[i].Index = 0
	}
	r.place(stay...)
	goOn("not listed", true)
	r.interfaces.Direct = anyPod()
	r.place(placesOf(1, 2)...)
	goOn("listed again", false)
	r.node.ip(t, "route replace blackhole "+podAddrs(1)[0].String(), "-6 route replace blackhole "+podAddrs(1)[1].String()+" metric 1")
	for _, c := range open {
		if err := echoes(c, impatience); err == nil {
			t.Errorf("%v is reached, and there is no route", c.RemoteAddr())
		}
	}
	for _, a := range r.attemptsOf(2, 1) {
		if a.passes(false) {
			t.Errorf("%v passes, and there is no route", a.Packet)
		}
	}
}

// passesWith sends packets that may be forwarded so many times, less one.
func (r *podRig) passesWith(a *attempt, hops int) bool {
	r.Helper()
	var passed bool
	if err := a.from.do(func() error {
		d := net.Dialer{Timeout: impatience, Control: func(_, _ string, c syscall.RawConn) (err error) {
			return errors.Join(c.Control(func(fd uintptr) {
				if a.Dst.Is6() {
					err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, hops)
				} else {
					err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, hops)
				}
			}), err)
		}}
		c, err := d.DialContext(context.Background(), a.Protocol.String(), netip.AddrPortFrom(a.Dst, a.Port).String())
		if err != nil {
			return nil
		}
		defer c.Close()
		passed = echoes(c, impatience) == nil
		return nil
	}); err != nil {
		r.Fatal(err)
	}
	return passed
}

// TestDirectPodsTranslated: a connection whose answers must be translated back is the stack's, beside
// others of the same pods that are not.
func TestDirectPodsTranslated(t *testing.T) {
	r := newDirectRig(t, policies{})
	r.nft(fmt.Sprintf("table inet ports {\n chain c {\n type nat hook prerouting priority dstnat\n meta l4proto { tcp, udp } th dport 9999 ip daddr 192.0.2.1 dnat to %v:80\n }\n}\n", podAddrs(1)[0]))
	for _, port := range []uint16{80, 9999, 80, 9999} {
		for _, a := range r.attemptsOf(2, 1)[:2] {
			if a.Port = port; port == 9999 {
				a.Dst = r.nodeAddrs[0]
			}
			before := r.forwarded()
			r.transfers(a, 1200, 4)
			if stack := r.forwarded() > before; stack != (port == 9999) {
				t.Errorf("%v: by the stack: %t", a.Packet, stack)
			}
		}
	}
}

// TestDirectPodsTranslatedLong: rules translate a UDP connection for longer than the programs know
// it. The first packet after that, from the server, is the stack's still.
func TestDirectPodsTranslatedLong(t *testing.T) {
	r := newPodRig(t)
	r.interfaces.Direct = anyPod()
	r.add(1)
	r.add(2)
	r.put(r.program(policies{}))
	r.nft(fmt.Sprintf("table inet ports {\n chain c {\n type nat hook prerouting priority dstnat\n udp dport 9999 ip daddr 192.0.2.1 dnat to %v:5353\n }\n}\n", podAddrs(1)[0]))
	for _, name := range []string{"nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"} {
		r.node.sysctl(t, "netfilter/"+name, "600")
	}
	r.knowNeighbours()
	r.place(placesOf(1, 2)...)
	var server net.PacketConn
	var client net.Conn
	if err := errors.Join(
		r.pods[1].do(func() (err error) {
			server, err = net.ListenPacket("udp4", netip.AddrPortFrom(podAddrs(1)[0], 5353).String())
			return err
		}),
		r.pods[2].do(func() (err error) { client, err = net.Dial("udp4", "192.0.2.1:9999"); return err }),
	); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	defer client.Close()
	for _, c := range []interface{ SetDeadline(time.Time) error }{server, client} {
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 100)
	if _, err := client.Write([]byte("planec?")); err != nil {
		t.Fatal(err)
	}
	_, from, err := server.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := server.WriteTo([]byte("planec!"), from); err != nil {
			t.Fatal(err)
		}
		if n, err := client.Read(b); err != nil || string(b[:n]) != "planec!" {
			t.Fatalf("the client gets %q, %v", b[:n], err)
		}
		r.ageLegs(5 * time.Minute)
	}
}

// ageLegs has the legs of all connections seen that much earlier.
func (r *podRig) ageLegs(by time.Duration) {
	r.Helper()
	m, err := ebpf.LoadPinnedMap(filepath.Join(r.interfaces.Dir, legsMap), nil)
	if err != nil {
		r.Fatal(err)
	}
	defer m.Close()
	var key [legKeySize]byte
	var v legValue
	aged := make(map[[legKeySize]byte]legValue)
	for it := m.Iterate(); it.Next(&key, &v); {
		v.Seen -= uint64(by)
		aged[key] = v
	}
	for k, v := range aged {
		if err := m.Put(k, v); err != nil {
			r.Fatal(err)
		}
	}
	if len(aged) == 0 {
		r.Fatal("no connection is known")
	}
}

// TestDirectPodsSmaller: a pod whose interface takes smaller packets is told by the stack.
func TestDirectPodsSmaller(t *testing.T) {
	r := newPodRig(t)
	r.interfaces.Direct = anyPod()
	r.add(1)
	r.add(2)
	r.put(r.program(policies{}))
	r.node.ip(t, "link set pod1 mtu 1300")
	r.pods[1].ip(t, "link set eth0 mtu 1300")
	r.knowNeighbours()
	r.place(placesOf(1, 2)...)
	for _, a := range r.attemptsOf(2, 1) {
		c, err := a.dial(patience)
		if err != nil {
			t.Fatalf("%v: %v", a.Packet, err)
		}
		defer c.Close()
		if a.Protocol == ir.TCP {
			continue
		}
		if _, err = c.Write(make([]byte, 1400)); err != nil {
			t.Fatal(err)
		}
		mtu, err := mtuOf(c.(*net.UDPConn), a.Dst.Is6())
		if err != nil || mtu != 1300 {
			t.Errorf("%v: the sender takes %d bytes for what fits, %v", a.Packet, mtu, err)
		}
	}
	for _, a := range r.attemptsOf(2, 1) {
		if a.Protocol == ir.TCP {
			r.transfers(a, 1<<20, 2)
		}
	}
}

// mtuOf is how large packets of a socket may be, by what it was told.
func mtuOf(c *net.UDPConn, ipv6 bool) (mtu int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	level, option := unix.IPPROTO_IP, unix.IP_MTU
	if ipv6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU
	}
	return mtu, errors.Join(raw.Control(func(fd uintptr) { mtu, err = unix.GetsockoptInt(int(fd), level, option) }), err)
}
