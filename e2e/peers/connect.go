package peers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/compiler/objects"
)

// spread are times of connects, sorted.
type spread []time.Duration

// at is a percentile, in µs.
func (s spread) at(percent int) float64 {
	return float64(s[len(s)*percent/100].Nanoseconds()) / 1000
}

// warmUp is how many connects are made before one counts.
const warmUp = 100

// latency is what a connect takes: the least of several rounds, each for itself, so that
// other work of the machine counts less.
type latency struct{ p50, p99 float64 }

func (n *node) latency(times int, to func() netip.AddrPort) (l latency, err error) {
	for i := range rounds {
		s, err := n.connects(times/rounds, to)
		if err != nil {
			return l, err
		}
		if i == 0 || s.at(50) < l.p50 {
			l.p50 = s.at(50)
		}
		if i == 0 || s.at(99) < l.p99 {
			l.p99 = s.at(99)
		}
	}
	return l, nil
}

// rounds is how many there are of what counts with its least.
const rounds = 5

// connects are TCP connects of the pod to addresses that to returns: the time of the
// system call, as the runtime's poller would add its own.
func (n *node) connects(times int, to func() netip.AddrPort) (s spread, err error) {
	err = n.inPod(func() error {
		for i := range warmUp + times {
			took, err := connect(to())
			if err != nil {
				return err
			}
			if i >= warmUp {
				s = append(s, took)
			}
		}
		return nil
	})
	slices.Sort(s)
	return s, err
}

func connect(to netip.AddrPort) (time.Duration, error) {
	fd, err := podSocket()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	err = unix.Connect(fd, sockaddr(to))
	took := time.Since(start)
	if err = errors.Join(err, unix.Close(fd)); err != nil {
		return 0, fmt.Errorf("connect to %v: %w", to, err)
	}
	return took, nil
}

// podSocket is a socket with the pod's address, which leaves nothing behind when it is closed.
func podSocket() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	err = errors.Join(
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		// A connect that is dropped is an error after the second SYN and not after minutes.
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_SYNCNT, 1),
		unix.Bind(fd, sockaddr(netip.AddrPortFrom(podAddress, 0))),
	)
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("a socket of pod %v: %w", podAddress, err)
	}
	return fd, nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}

// randomService returns addresses of the Services in an order that is the same for all.
func randomService(set *objects.Set) func() netip.AddrPort {
	rng := rand.New(rand.NewPCG(1, 1))
	return func() netip.AddrPort {
		s := set.Services[rng.IntN(len(set.Services))].Object
		return netip.AddrPortFrom(netip.MustParseAddr(s.Spec.ClusterIP), servicePort)
	}
}
