package dataplane_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestEndSockets connects UDP sockets in the cgroup to a Service, and ends those of one
// endpoint: their owners are told, and the others go on.
func TestEndSockets(t *testing.T) {
	m := newMixed(t)
	flow := overUDP(t, m)
	connected := func() (fd int) {
		t.Helper()
		err := m.rig.Inside(func() (err error) {
			family := unix.AF_INET
			if flow.Dst.Is6() {
				family = unix.AF_INET6
			}
			if fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
				return err
			}
			return errors.Join(unix.Bind(fd, addressOf(netip.AddrPortFrom(flow.Src, 0))), unix.Connect(fd, addressOf(flow.Destination())))
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	var sockets []int
	for range 6 {
		sockets = append(sockets, connected())
	}
	endpoints := make(map[netip.AddrPort]int)
	end := func(stale func(service, endpoint netip.AddrPort) bool) (n int) {
		t.Helper()
		err := m.rig.Do(func() (err error) { n, err = m.applier.EndSockets(m.backend, stale); return err })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := end(func(service, endpoint netip.AddrPort) bool {
		if service != flow.Destination() {
			t.Errorf("a socket was sent to %v", service)
		}
		endpoints[endpoint]++
		return false
	}); n != 0 || len(endpoints) == 0 {
		t.Fatalf("%d sockets are ended, of %v", n, endpoints)
	}
	var gone netip.AddrPort
	for gone = range endpoints {
		break
	}
	if n := end(func(_, endpoint netip.AddrPort) bool { return endpoint == gone }); n != endpoints[gone] {
		t.Errorf("%d sockets are ended, want %d", n, endpoints[gone])
	}
	ended := 0
	for _, fd := range sockets {
		if code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
			ended++
			if unix.Errno(code) != unix.ECONNABORTED {
				t.Errorf("a socket has the error %v, %v", unix.Errno(code), err)
			}
		}
	}
	if ended != endpoints[gone] {
		t.Errorf("%d owners are told, want %d", ended, endpoints[gone])
	}
}

// overUDP applies the program with one Service over UDP too, and returns a flow to it.
func overUDP(t *testing.T, m *mixed) testkit.Flow {
	t.Helper()
	p := program(0)
	var flow testkit.Flow
	for _, f := range stable() {
		if f.From == eval.FromPod {
			flow = f
		}
	}
	i := slices.IndexFunc(p.Frontends, func(f ir.Frontend) bool {
		return f.Match.Address == flow.Dst && f.Match.Port == flow.Port && f.Match.Protocol == flow.Protocol
	})
	if i < 0 {
		t.Fatalf("no frontend has %v", flow)
	}
	udp := p.Frontends[i]
	udp.ID, udp.Match.Protocol, udp.Service.Protocol = udp.ID+"/udp", ir.UDP, ir.UDP
	p.Frontends = append(slices.Clone(p.Frontends), udp)
	p.Normalize()
	flow.Protocol = ir.UDP
	selected, err := registry.Select(backends.DefaultOptions(), m.backend)
	if err != nil {
		t.Fatal(err)
	}
	a, err := selected[0].Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, m.rig, m.applier, applier.Entry{Backend: m.backend, Artifact: a})
	return flow
}

func addressOf(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}
