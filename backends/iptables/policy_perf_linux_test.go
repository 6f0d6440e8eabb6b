package iptables_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/iptables"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

// everyPacketIsNew sends the node's own packets through the policies without
// connection tracking, and lets no packet back in.
const everyPacketIsNew = `*raw
-A OUTPUT -j CT --notrack
-A PREROUTING -j DROP
COMMIT
`

// BenchmarkPolicyPacket is a datagram from a pod that has many policies, each
// packet judged as if it were the first: accepted by the last of them, or denied
// by all. The pod is one of 110, each with a profile of its own.
func BenchmarkPolicyPacket(b *testing.B) {
	require(b)
	for _, variant := range variants {
		var few time.Duration
		for _, c := range []struct {
			name   string
			n      int
			share  bool
			denied bool
		}{
			{"none", 0, false, false},
			{"policies=10/accepted", 10, false, false},
			{"policies=1000/accepted", 1000, false, false},
			{"policies=10/denied", 10, false, true},
			{"policies=1000/denied", 1000, false, true},
			{"policies=10/same-peers", 10, true, false},
			{"policies=1000/same-peers", 1000, true, false},
		} {
			b.Run(variant+"/"+c.name, func(b *testing.B) {
				took := policedPackets(b, variant, c.n, c.share, c.denied)
				switch c.n {
				case 10:
					few = took
				case 1000:
					b.ReportMetric(float64(took)/float64(few), "of-10")
				}
			})
		}
	}
}

// policedPackets returns the shortest time per packet of all rounds.
func policedPackets(b *testing.B, variant string, n int, share, denied bool) time.Duration {
	r := testkit.New(b, testkit.Spec{NodeAddrs: irtest.Addrs("192.168.9.1")})
	if _, err := r.Run("", "ip", "route", "add", "local", "10.0.0.0/8", "dev", "lo"); err != nil {
		b.Fatal(err)
	}
	rules := everyPacketIsNew
	if n > 0 {
		files := emit(b, manyPolicies(n, share), backends.DefaultOptions())
		restore(b, r, [][2]string{{"ipset restore", files[iptables.SetsFile]}, {"iptables-" + variant + "-restore --noflush", files[iptables.RulesFile]}})
		rules += "*filter\n-A OUTPUT -j PLC-POLICY\nCOMMIT\n"
	}
	restore(b, r, [][2]string{{"iptables-" + variant + "-restore --noflush", rules}})
	port := 1000 + 2*(n-1)
	if denied {
		port++
	}
	first := 10 * (n - 1)
	if share || n == 0 {
		first = 0
	}
	best := time.Hour
	err := r.Do(func() error {
		for b.Loop() {
			took, err := send(100_000, first, port, denied)
			if err != nil {
				return err
			}
			best = min(best, took)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(best.Nanoseconds()), "ns/packet")
	b.ReportMetric(0, "ns/op")
	return best
}

// send sends datagrams from the pod to ten peers in turn.
func send(n, first, port int, denied bool) (time.Duration, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{10, 1, 0, 1}}); err != nil {
		return 0, err
	}
	var peers [10]unix.SockaddrInet4
	for i := range peers {
		peers[i] = unix.SockaddrInet4{Addr: peerAt(first + i).As4(), Port: max(port, 1)}
	}
	begin := time.Now()
	for i := range n {
		err := unix.Sendto(fd, []byte{0}, 0, &peers[i%10])
		if denied && errors.Is(err, unix.EPERM) {
			err = nil
		} else if denied {
			err = fmt.Errorf("a denied packet was sent: %w", err)
		}
		if err != nil {
			return 0, err
		}
	}
	return time.Since(begin) / time.Duration(n), nil
}

// BenchmarkPolicyRestore is a first load of a large node's policies, the files
// of IPv4 one by one, and BenchmarkPolicyReload a second one.
func BenchmarkPolicyRestore(b *testing.B) {
	require(b)
	for name, p := range map[string]*ir.Program{"profiles=250": manyProfiles(250), "policies=1000": manyPolicies(1000, false)} {
		files := emit(b, p, backends.DefaultOptions())
		for _, variant := range variants {
			b.Run(name+"/"+variant, func(b *testing.B) {
				var sets, rules, again time.Duration
				for b.Loop() {
					r := testkit.New(b, testkit.Spec{})
					sets += timed(b, r, "ipset restore", files[iptables.SetsFile])
					rules += timed(b, r, "iptables-"+variant+"-restore --noflush", files[iptables.RulesFile])
					again += timed(b, r, "ipset restore", files[iptables.SetsFile])
				}
				for unit, d := range map[string]time.Duration{"ipset-ms": sets, "iptables-ms": rules, "ipset-again-ms": again} {
					b.ReportMetric(float64(d.Microseconds())/1000/float64(b.N), unit)
				}
			})
		}
	}
}

func timed(b *testing.B, r *testkit.Rig, command, text string) time.Duration {
	b.Helper()
	begin := time.Now()
	restore(b, r, [][2]string{{command, text}})
	return time.Since(begin)
}
