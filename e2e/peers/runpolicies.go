package peers

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// policyCounts are the columns of the tables of policies.
func policyCounts() []int { return []int{0, 10, 1000} }

// trips is how many there are in a round.
const trips = 2000

// policies measures what packets cost under policies. kube-proxy has none.
func (r *Results) policies(t testing.TB) {
	t.Helper()
	for _, e := range Engines() {
		if e.Project != Planec || cannot(e) != "" {
			continue
		}
		for _, count := range policyCounts() {
			subtest(t, fmt.Sprintf("%v %d policies", e, count), func(t testing.TB) {
				if err := r.underPolicies(newNode(t, e), count); err != nil {
					t.Errorf("%v, %d policies: %v", e, count, err)
				}
			})
		}
	}
}

// underPolicies connects the pod to the server and sends on one connection. With no
// policies there are no rules either.
func (r *Results) underPolicies(n *node, count int) error {
	at := netip.AddrPortFrom(server, policyPort(max(0, count-1)))
	if count > 0 {
		j := n.job
		j.Policies = count
		if _, err := n.run(j, r.options.Limit, func(Sample) {}); err != nil {
			return err
		}
	}
	listener, err := n.serve(at)
	if err != nil {
		return err
	}
	defer unix.Close(listener)
	if err := n.refuses(count); err != nil {
		return err
	}
	c, err := n.established(listener, at)
	if err != nil {
		return err
	}
	var costs []float64
	for range rounds {
		ns, err := c.cost(n, trips)
		if err != nil {
			return err
		}
		costs = append(costs, ns)
	}
	if err := c.close(); err != nil {
		return err
	}
	go discard(listener)
	l, err := n.latency(r.options.Connects, func() netip.AddrPort { return at })
	if err != nil {
		return err
	}
	key := func(f string) cell { return cell{f, n.engine, count} }
	r.policy[key(p50)], r.policy[key(p99)] = Value{Number: l.p50}, Value{Number: l.p99}
	r.policy[key(round)] = Value{Number: slices.Min(costs)}
	r.say("%v, %d policies: connect %.1f (%.1f) µs, round trip %.0f ns", n.engine, count, l.p50, l.p99, slices.Min(costs))
	return nil
}

// discard accepts connections, so that the queue never fills, until the listener is closed.
func discard(listener int) {
	for {
		fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
		if errors.Is(err, unix.ECONNABORTED) || errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return
		}
		unix.Close(fd)
	}
}

// refuses wants the policies to refuse what none of them allows: they are in the kernel.
// The port answers without them.
func (n *node) refuses(count int) error {
	if count == 0 {
		return nil
	}
	return n.inPod(func() error {
		fd, err := podSocket()
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		wait := unix.NsecToTimeval(int64(500 * time.Millisecond))
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait); err != nil {
			return fmt.Errorf("a timeout: %w", err)
		}
		if unix.Connect(fd, sockaddr(netip.AddrPortFrom(server, endpointPort))) == nil {
			return errors.New("a connection that no policy allows is made: the policies are not in the kernel")
		}
		return nil
	})
}
