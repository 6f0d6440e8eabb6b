package iptables_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/irtest"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/iptables"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

// kubeProxyShape is the text that kube-proxy v1.36 writes for ClusterIPs in its
// mode for large clusters (no comments): a chain for each Service and for each
// endpoint, and one list of all Services.
func kubeProxyShape(p *ir.Program) string {
	var heads, list, chains strings.Builder
	for _, f := range p.Frontends {
		svc := "KUBE-SVC-" + hex(f.Match.Address.String())
		to := fmt.Sprintf("-d %v/32 -p tcp -m tcp --dport %d", f.Match.Address, f.Match.Port)
		fmt.Fprintf(&heads, ":%s - [0:0]\n", svc)
		fmt.Fprintf(&list, "-A KUBE-SERVICES %s -j %s\n", to, svc)
		fmt.Fprintf(&chains, "-A %s ! -s %v %s -j KUBE-MARK-MASQ\n", svc, p.Node.Local.CIDRs[0], to)
		var seps strings.Builder
		endpoints := poolByID(p, f.Internal.Pool).Endpoints
		for i, e := range endpoints {
			sep := "KUBE-SEP-" + hex(e.Address.String())
			fmt.Fprintf(&heads, ":%s - [0:0]\n", sep)
			draw := ""
			if left := len(endpoints) - i; left > 1 {
				draw = fmt.Sprintf("-m statistic --mode random --probability %.11f ", 1/float64(left))
			}
			fmt.Fprintf(&chains, "-A %s %s-j %s\n", svc, draw, sep)
			fmt.Fprintf(&seps, "-A %s -s %v/32 -j KUBE-MARK-MASQ\n-A %s -p tcp -m tcp -j DNAT --to-destination %v\n", sep, e.Address.Addr(), sep, e.Address)
		}
		chains.WriteString(seps.String())
	}
	return "*nat\n:KUBE-SERVICES - [0:0]\n:KUBE-MARK-MASQ - [0:0]\n:KUBE-POSTROUTING - [0:0]\n" + heads.String() +
		"-A PREROUTING -j KUBE-SERVICES\n-A OUTPUT -j KUBE-SERVICES\n-A POSTROUTING -j KUBE-POSTROUTING\n" +
		"-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000\n" +
		"-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000\n-A KUBE-POSTROUTING -j MASQUERADE --random-fully\n" +
		list.String() + chains.String() + "COMMIT\n"
}

// hex makes 16 characters of an identity.
func hex(s string) string {
	var h uint64 = 14695981039346656037
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return fmt.Sprintf("%016X", h)
}

func poolByID(p *ir.Program, id string) *ir.Pool {
	i, _ := slices.BinarySearchFunc(p.Pools, id, func(p ir.Pool, id string) int { return strings.Compare(p.ID, id) })
	return &p.Pools[i]
}

// shape is a way to write a program's rules, as the inputs of programs.
type shape struct {
	name string
	// files are inputs, in order, each of the program beside it.
	files func(p *ir.Program, variant string) [][2]string
}

func shapes() []shape {
	ours := func(opts backends.Options) func(*ir.Program, string) [][2]string {
		return func(p *ir.Program, variant string) [][2]string {
			a, err := iptables.New(opts).Emit(p)
			if err != nil {
				panic(err)
			}
			files := make(map[string]string)
			for _, f := range a.Files {
				files[f.Name] = string(f.Data)
			}
			restore := "iptables-" + variant + "-restore --noflush"
			return [][2]string{{"ipset restore", files[iptables.SetsFile]}, {restore, files[iptables.RulesFile]}, {restore, files[iptables.JumpsFile]}}
		}
	}
	return []shape{
		{"planec", ours(backends.Options{MasqueradeBit: 14, NoComments: true})},
		{"planec-commented", ours(backends.DefaultOptions())},
		{"kube-proxy", func(p *ir.Program, variant string) [][2]string {
			return [][2]string{{"iptables-" + variant + "-restore --noflush", kubeProxyShape(p)}}
		}},
	}
}

func restore(b *testing.B, r *testkit.Rig, files [][2]string) {
	b.Helper()
	for _, f := range files {
		words := strings.Fields(f[0])
		if _, err := r.Run(f[1], words[0], words[1:]...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRestore is a first load into an empty kernel, all files of IPv4.
func BenchmarkRestore(b *testing.B) {
	require(b)
	for _, n := range []int{1000, 10000, 30000} {
		p := irtest.ManyServices(n)
		for _, variant := range variants {
			for _, s := range shapes() {
				b.Run(fmt.Sprintf("services=%d/%s/%s", n, variant, s.name), func(b *testing.B) {
					files := s.files(p, variant)
					for b.Loop() {
						b.StopTimer()
						r := testkit.New(b, testkit.Spec{})
						b.StartTimer()
						restore(b, r, files)
					}
				})
			}
		}
	}
}

// BenchmarkConnect is a TCP connection from the node to a ClusterIP and from
// there to an endpoint that is the node too, so that nothing but the rules is
// in the way. It reports the median.
func BenchmarkConnect(b *testing.B) {
	require(b)
	for _, n := range []int{1000, 10000, 30000} {
		p := irtest.ManyServices(n)
		for _, variant := range variants {
			for _, s := range append(shapes(), shape{name: "none"}) {
				b.Run(fmt.Sprintf("services=%d/%s/%s", n, variant, s.name), func(b *testing.B) { connects(b, p, variant, s) })
			}
		}
	}
}

func connects(b *testing.B, p *ir.Program, variant string, s shape) {
	r := testkit.New(b, testkit.Spec{NodeAddrs: irtest.Addrs("192.168.9.1")})
	if _, err := r.Run("", "ip", "route", "add", "local", "10.0.0.0/8", "dev", "lo"); err != nil {
		b.Fatal(err)
	}
	port := 8080
	if s.files == nil {
		port = 80
	} else {
		restore(b, r, s.files(p, variant))
	}
	var samples []time.Duration
	err := r.Do(func() error {
		stop, err := acceptAll(port)
		if err != nil {
			return err
		}
		defer stop()
		rng := rand.New(rand.NewPCG(1, 1))
		for b.Loop() {
			d, err := connect(p.Frontends[rng.IntN(len(p.Frontends))].Match.Address)
			if err != nil {
				return err
			}
			samples = append(samples, d)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	slices.Sort(samples)
	b.ReportMetric(float64(samples[len(samples)/2].Nanoseconds())/1000, "p50-µs")
	b.ReportMetric(float64(samples[len(samples)*99/100].Nanoseconds())/1000, "p99-µs")
}

// acceptAll listens on a port of every address and hangs up on all callers.
func acceptAll(port int) (stop func(), err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Port: port}), unix.Listen(fd, 4096)); err != nil {
		return nil, err
	}
	go func() {
		for {
			c, _, err := unix.Accept(fd)
			if err != nil {
				return
			}
			_ = unix.Close(c)
		}
	}()
	return func() { _ = unix.Shutdown(fd, unix.SHUT_RDWR) }, nil
}

// connect measures connect(2), and leaves no socket in TIME_WAIT.
func connect(to netip.Addr) (time.Duration, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
		return 0, err
	}
	begin := time.Now()
	err = unix.Connect(fd, &unix.SockaddrInet4{Addr: to.As4(), Port: 80})
	return time.Since(begin), err
}
