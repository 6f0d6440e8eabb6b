package nftables_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

// BenchmarkConnect is a TCP connect through a random Service's address, on the
// node itself: the time until connect(2) returns. The p50 is what counts.
func BenchmarkConnect(b *testing.B) {
	testkit.Require(b, "nft")
	for _, services := range []int{0, 1000, 10000, 30000} {
		b.Run(fmt.Sprintf("%d", services), func(b *testing.B) {
			node := netip.MustParseAddr("192.0.2.11")
			rig := testkit.New(b, testkit.Spec{NodeAddrs: []netip.Addr{node}})
			if err := rig.Do(func() error { return listen(b, netip.AddrPortFrom(node, 8080)) }); err != nil {
				b.Fatal(err)
			}
			if services > 0 {
				a, err := nftables.New(backends.Options{MasqueradeBit: 14, NoComments: true}).Emit(onOneEndpoint(services, netip.AddrPortFrom(node, 8080)))
				if err != nil {
					b.Fatal(err)
				}
				if err := rig.LoadNFT(string(a.Files[0].Data)); err != nil {
					b.Fatal(err)
				}
			}
			if err := rig.Do(func() error { return connectAll(b, services, netip.AddrPortFrom(node, 8080)) }); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// onOneEndpoint is a program of many Services with one endpoint between them.
func onOneEndpoint(services int, endpoint netip.AddrPort) *ir.Program {
	p := &ir.Program{Node: ir.Node{Name: "node", Addresses: []netip.Addr{endpoint.Addr()}, Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	for i := range services {
		name := fmt.Sprintf("s%05d", i)
		route := ir.Route{Pool: name, Masquerade: ir.MasqueradeNever, OnEmpty: ir.Reject}
		p.Pools = append(p.Pools, ir.Pool{ID: name, Endpoints: []ir.Endpoint{{Address: endpoint, Weight: 1}}})
		p.Frontends = append(p.Frontends, ir.Frontend{
			ID: name, Kind: ir.ClusterIP, Service: ir.ServicePort{Namespace: "bench", Name: name, Protocol: ir.TCP},
			Match:    ir.Match{Family: ir.IPv4, Address: vip(i), Protocol: ir.TCP, Port: 80},
			Internal: route, External: route,
		})
	}
	p.Normalize()
	return p
}

func vip(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 96, byte(i >> 8), byte(i)}) }

// listen accepts and forgets until the benchmark ends.
func listen(b *testing.B, at netip.AddrPort) error {
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		return err
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return nil
}

// connectAll measures connect(2) alone, by the system call: the runtime's poller
// would add its own time.
func connectAll(b *testing.B, services int, endpoint netip.AddrPort) error {
	rng := rand.New(rand.NewPCG(1, 1))
	var took []time.Duration
	for b.Loop() {
		to := endpoint
		if services > 0 {
			to = netip.AddrPortFrom(vip(rng.IntN(services)), 80)
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		start := time.Now()
		err = unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
		took = append(took, time.Since(start))
		if closeErr := unix.Close(fd); err == nil {
			err = closeErr
		}
		if err != nil {
			return fmt.Errorf("connecting to %v: %w", to, err)
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
	return nil
}
