package dataplane_test

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// traffic is connections to Services that stay, made without a pause.
type traffic struct {
	rig     *testkit.Rig
	flows   []testkit.Flow
	program *ir.Program
	// programs is whether programs decide for the sockets of pods and of the node.
	programs bool
	// step is what is applied now, for messages.
	step *atomic.Value

	connections, failed int
	took                time.Duration
}

func newTraffic(t *testing.T, p *ir.Program, on plane) traffic {
	t.Helper()
	flows := steadyFlows()
	out := traffic{rig: testkit.New(t, testkit.SpecFor(p, flows)), flows: flows, program: p, step: &atomic.Value{}, programs: on.Cgroup != ""}
	on.sockets(t, out.rig)
	// A machine with little memory has room for 8192 ends that wait for packets
	// which are late. An endpoint that finds none forgets the connection at once,
	// and resets it when one is: then the client's read fails.
	err := out.rig.Outside(func() error {
		return os.WriteFile("/proc/sys/net/ipv4/tcp_max_tw_buckets", []byte("262144"), 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// during makes connections while f runs in the node's namespace.
func (s *traffic) during(t *testing.T, w *worker, f func() error) {
	t.Helper()
	var done atomic.Bool
	result := make(chan error, 1)
	start := time.Now()
	go func() {
		defer done.Store(true)
		result <- w.do(f)
	}()
	for !done.Load() {
		s.connect(t)
	}
	s.took = time.Since(start)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
}

// connect makes one connection of each kind, all at once.
func (s *traffic) connect(t *testing.T) {
	t.Helper()
	before, start := s.step.Load(), time.Now()
	got, err := s.rig.Try(t.Context(), s.flows, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	evaluate := eval.New(s.program).Eval
	for i, o := range got {
		s.connections++
		f := s.flows[i]
		want := evaluate(s.rig.Packet(f))
		err := testkit.Compare(f, want, o, s.program.Node.Addresses)
		if err != nil && s.programs && f.From != eval.FromOutside {
			err = compareSocket(f, want, o)
		}
		if err != nil {
			s.failed++
			t.Errorf("%v: %v (between %v and %v, %v; %s)", f, err, before, s.step.Load(), time.Since(start), s.endsOfConnections())
		}
	}
}

// endsOfConnections are what the kernel of clients and endpoints counts of
// connections that it ended itself, where that is not 0: in a failure's message
// they tell whether the ends had room for the connection.
func (s *traffic) endsOfConnections() (out string) {
	err := s.rig.Outside(func() error {
		limit, err := os.ReadFile("/proc/sys/net/ipv4/tcp_max_tw_buckets")
		if err != nil {
			return err
		}
		text, err := os.ReadFile("/proc/thread-self/net/netstat")
		if err != nil {
			return err
		}
		out = "tcp_max_tw_buckets=" + strings.TrimSpace(string(limit))
		lines := strings.Split(string(text), "\n")
		names, values := strings.Fields(lines[0]), strings.Fields(lines[1])
		for i, n := range names {
			if (n == "TCPTimeWaitOverflow" || strings.HasPrefix(n, "TCPAbort") || n == "ListenOverflows" || n == "TCPRcvQDrop") && values[i] != "0" {
				out += fmt.Sprintf(" %s=%s", n, values[i])
			}
		}
		return nil
	})
	if err != nil {
		return err.Error()
	}
	return out
}
