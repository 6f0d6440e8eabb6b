package live

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// BenchmarkEstablishedPacket measures the CPU time of a datagram of an accepted connection between
// two pods with policies that nothing enforces, that the programs do, and that nftables does.
func BenchmarkEstablishedPacket(b *testing.B) {
	compareWays(b, func(r *podRig) float64 { return r.costOfPackets(10000) })
}

// BenchmarkEstablishedRoundTrip does the same with a request and its answer on a TCP connection.
func BenchmarkEstablishedRoundTrip(b *testing.B) {
	compareWays(b, func(r *podRig) float64 { return r.costOfRoundTrips(2000) })
}

// compareWays measures a cost in each way in turn, in one run. It prints ratios, since a machine is
// never quiet.
func compareWays(b *testing.B, cost func(*podRig) float64) {
	testkit.Require(b, "nft")
	r := newPodRig(b)
	r.add(1)
	r.add(2)
	p := r.program(policies{ingress: map[int][]int{1: {2}}, egress: map[int][]int{2: {1}}})
	r.put(p)
	artifact, err := nftables.New(backends.DefaultOptions()).Emit(p)
	if err != nil {
		b.Fatal(err)
	}
	rules := string(artifact.File("rules.nft"))
	ways := []struct {
		name    string
		on, off func()
	}{
		{"none", func() {}, func() {}},
		{"programs", func() { r.attach() }, func() {
			if _, err := r.interfaces.Detach(); err != nil {
				b.Fatal(err)
			}
		}},
		{"nftables", func() { r.nft(rules) }, func() { r.nft("delete table ip planec\ndelete table ip6 planec\n") }},
	}
	r.interfaces.CountAll = false
	const rounds = 25
	costs := make([][]float64, len(ways))
	for b.Loop() {
		for range rounds {
			for i, w := range ways {
				w.on()
				costs[i] = append(costs[i], cost(r))
				w.off()
			}
		}
	}
	for i, w := range ways {
		ratios := make([]float64, len(costs[i]))
		for at, c := range costs[i] { // of one round, since load changes
			ratios[at] = c / costs[0][at]
		}
		slices.Sort(ratios)
		b.ReportMetric(slices.Min(costs[i]), w.name+"-least-ns")
		b.ReportMetric(ratios[len(ratios)/2], w.name+"/none")
	}
	b.ReportMetric(0, "ns/op")
}

func (r *podRig) nft(rules string) {
	r.Helper()
	if err := r.node.do(func() error {
		cmd := exec.Command("nft", "-f", "-")
		cmd.Stdin = strings.NewReader(rules)
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("nft: %w: %s", err, out)
		}
		return err
	}); err != nil {
		r.Fatal(err)
	}
}

// costOfPackets is the CPU time in nanoseconds of a datagram from pod 2 to a socket of pod 1 that
// is not read. The kernel does all of its way in the time of the thread that sends.
func (r *podRig) costOfPackets(n int) (each float64) {
	r.Helper()
	r.pods[1].close() // nothing answers
	var c net.PacketConn
	if err := r.pods[1].do(func() (err error) {
		c, err = net.ListenPacket("udp", netip.AddrPortFrom(podAddrs(1)[0], 80).String())
		return err
	}); err != nil {
		r.Fatal(err)
	}
	defer c.Close()
	_ = c.(*net.UDPConn).SetReadBuffer(1 << 12)
	if err := r.pods[2].do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err := unix.Connect(fd, sockaddr(netip.AddrPortFrom(podAddrs(1)[0], 80), unix.AF_INET)); err != nil {
			return err
		}
		var before, after unix.Rusage
		for i := -n / 10; i < n; i++ {
			if i == 0 {
				if err := unix.Getrusage(unix.RUSAGE_THREAD, &before); err != nil {
					return err
				}
			}
			if _, err := unix.Write(fd, []byte("planec?")); err != nil {
				return err
			}
		}
		err = unix.Getrusage(unix.RUSAGE_THREAD, &after)
		each = (cpuTime(&after) - cpuTime(&before)) / float64(n)
		return err
	}); err != nil {
		r.Fatal(err)
	}
	return each
}

// costOfRoundTrips is the CPU time in nanoseconds of a request of pod 2 and the answer of pod 1, with
// both ends in this process.
func (r *podRig) costOfRoundTrips(n int) float64 {
	r.Helper()
	a := &attempt{from: r.pods[2].netns, Packet: eval.Packet{Src: podAddrs(2)[0], Dst: podAddrs(1)[0], Protocol: ir.TCP, Port: 80, From: eval.FromPod}}
	c, err := a.dial(patience)
	if err != nil {
		r.Fatal(err)
	}
	defer c.Close()
	var before, after unix.Rusage
	for i := -n / 10; i < n; i++ {
		if i == 0 {
			err = unix.Getrusage(unix.RUSAGE_SELF, &before)
		}
		if err = errors.Join(err, echoes(c, patience)); err != nil {
			r.Fatal(err)
		}
	}
	if err := unix.Getrusage(unix.RUSAGE_SELF, &after); err != nil {
		r.Fatal(err)
	}
	return (cpuTime(&after) - cpuTime(&before)) / float64(n)
}

func cpuTime(u *unix.Rusage) float64 { return float64(u.Utime.Nano() + u.Stime.Nano()) }

// BenchmarkAttachNothing is what a look costs that finds nothing to do, with ten pods.
func BenchmarkAttachNothing(b *testing.B) {
	r := newPodRig(b)
	for n := range 10 {
		r.add(n + 1)
	}
	r.put(r.program(policies{ingress: map[int][]int{1: {2}}}))
	r.attach()
	if err := r.node.do(func() error {
		for b.Loop() {
			if _, err := r.interfaces.Attach(b.Context()); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}
