package nftables

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

// realPod is a pod with a namespace of its own and neighbours that have to be
// discovered, which the rig's pods have not.
type realPod struct {
	t    *testing.T
	work chan func()
	path string
}

// plugPod gives the rig's node a pod with the addresses, one of each family.
func plugPod(t *testing.T, r *testkit.Rig, name string, addrs []netip.Addr) *realPod {
	t.Helper()
	p := &realPod{t: t, work: make(chan func())}
	ready := make(chan error)
	go p.run(ready)
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(p.work) })
	onNode := func(args string) {
		if _, err := r.Run("", "ip", strings.Fields(args)...); err != nil {
			t.Fatal(err)
		}
	}
	inPod := func(args string) {
		p.do(func() error { return exec.Command("ip", strings.Fields(args)...).Run() })
	}
	onNode("link add " + name + " type veth peer name eth0 netns " + p.path)
	onNode("addr add fe80::1/64 dev " + name + " nodad")
	onNode("link set " + name + " up")
	inPod("link set lo up")
	inPod("addr add " + addrs[0].String() + "/32 dev eth0")
	inPod("addr add " + addrs[1].String() + "/128 dev eth0 nodad")
	inPod("link set eth0 up")
	inPod("route add " + node4 + " dev eth0")
	inPod("route add default via " + node4)
	inPod("-6 route add default via fe80::1 dev eth0")
	for _, a := range addrs {
		onNode("route add " + a.String() + " dev " + name)
	}
	// The links' own addresses are looked at for duplicates first.
	p.await(func() error {
		out, err := r.Run("", "ip", "-6", "addr", "show", "dev", name)
		if err == nil && strings.Contains(out, "tentative") {
			err = errors.New("tentative")
		}
		return err
	})
	return p
}

func (p *realPod) run(ready chan<- error) {
	// Never unlocked: the thread and its namespace end with the goroutine.
	runtime.LockOSThread()
	err := unix.Unshare(unix.CLONE_NEWNET)
	p.path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
	ready <- err
	for f := range p.work {
		f()
	}
}

// do runs f in the pod.
func (p *realPod) do(f func() error) {
	p.t.Helper()
	done := make(chan error, 1)
	p.work <- func() { done <- f() }
	if err := <-done; err != nil {
		p.t.Fatal(err)
	}
}

// await tries f until it succeeds.
func (p *realPod) await(f func() error) {
	p.t.Helper()
	var err error
	for range 20 {
		if err = f(); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Fatal(err)
}

const patience = 500 * time.Millisecond

// TestPolicyLeavesNeighboursAlone: a pod that nothing may reach and that may
// reach nothing finds its node, and is found, over ARP and IPv6 alike.
func TestPolicyLeavesNeighboursAlone(t *testing.T) {
	r, pod := realPodRig(t)
	load(t, r, emit(t, policed(), backends.DefaultOptions()))
	for _, a := range sealedPod.Addresses {
		l := listenIn(t, pod, netip.AddrPortFrom(a, 4000))
		var c net.Conn
		pod.await(func() error {
			return r.Do(func() (err error) {
				c, err = net.DialTimeout("tcp", l.Addr().String(), patience)
				return err
			})
		})
		passes(t, c, l)
	}
}

// TestPolicyKeepsConnections: connections older than the policies go on, new
// ones do not begin.
func TestPolicyKeepsConnections(t *testing.T) {
	r, pod := realPodRig(t)
	load(t, r, "table inet track {\n chain c {\n type filter hook input priority 0\n ct state new accept\n }\n}\n")
	for _, a := range []string{node4, node6} {
		t.Run(a, func(t *testing.T) {
			load(t, r, emit(t, &ir.Program{Node: policed().Node}, backends.DefaultOptions()))
			at := netip.AddrPortFrom(netip.MustParseAddr(a), 4000)
			var l net.Listener
			if err := r.Do(func() (err error) { l, err = net.Listen("tcp", at.String()); return err }); err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			var c net.Conn
			pod.await(func() error {
				var err error
				pod.do(func() error { c, err = net.DialTimeout("tcp", at.String(), patience); return nil })
				return err
			})
			load(t, r, emit(t, policed(), backends.DefaultOptions()))
			passes(t, c, l)
			pod.do(func() error {
				if c, err := net.DialTimeout("tcp", at.String(), patience); err == nil {
					c.Close()
					return errors.New("a new connection began")
				}
				return nil
			})
		})
	}
}

// TestPolicyLetsErrorsPass: the ICMP error of a sealed pod about a packet it
// got comes back, an echo request of its own does not arrive.
func TestPolicyLetsErrorsPass(t *testing.T) {
	r, pod := realPodRig(t)
	pod.await(func() error { return pod.echo(netip.MustParseAddr(node4)) })
	load(t, r, emit(t, policed(), backends.DefaultOptions()))
	for _, a := range sealedPod.Addresses {
		var c net.Conn
		err := r.Do(func() (err error) {
			c, err = net.Dial("udp", netip.AddrPortFrom(a, 9).String())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		pod.await(func() error {
			_, _ = c.Write([]byte("closed?"))
			_ = c.SetReadDeadline(time.Now().Add(patience))
			if _, err := c.Read(make([]byte, 9)); !errors.Is(err, unix.ECONNREFUSED) {
				return fmt.Errorf("no error came from %v: %w", a, err)
			}
			return nil
		})
	}
	if err := pod.echo(netip.MustParseAddr(node4)); err == nil {
		t.Error("a sealed pod's echo request was answered")
	}
}

func realPodRig(t *testing.T) (*testkit.Rig, *realPod) {
	testkit.Require(t, "nft", "ip")
	r := testkit.New(t, testkit.Spec{NodeAddrs: policed().Node.Addresses})
	return r, plugPod(t, r, "sealed0", sealedPod.Addresses)
}

func listenIn(t *testing.T, pod *realPod, at netip.AddrPort) net.Listener {
	var l net.Listener
	pod.do(func() (err error) { l, err = net.Listen("tcp", at.String()); return err })
	t.Cleanup(func() { l.Close() })
	return l
}

// passes sends a few bytes from the client to the listener and back.
func passes(t *testing.T, client net.Conn, l net.Listener) {
	t.Helper()
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for _, c := range []net.Conn{client, server} {
		if err := c.SetDeadline(time.Now().Add(4 * patience)); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 4)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		if _, err := way[0].Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		if _, err := way[1].Read(buf); err != nil || string(buf) != "ping" {
			t.Fatalf("%q %v", buf, err)
		}
	}
}

// echo sends an ICMP echo request from the pod and waits for the answer.
func (p *realPod) echo(to netip.Addr) error {
	var result error
	p.do(func() error {
		c, err := net.Dial("ip4:icmp", to.String())
		if err != nil {
			return err
		}
		defer c.Close()
		request := []byte{8, 0, 0, 0, 0x12, 0x34, 0, 1}
		binary.BigEndian.PutUint16(request[2:], ^uint16(0x0800+0x1234+1))
		_ = c.SetDeadline(time.Now().Add(patience))
		if _, result = c.Write(request); result != nil {
			return nil
		}
		_, result = c.Read(make([]byte, 64))
		return nil
	})
	return result
}
