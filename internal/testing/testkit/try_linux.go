package testkit

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/planec/planec/ir/eval"
)

// DefaultTimeout is how long a flow may go unanswered before it counts as
// dropped. It is below the second after which TCP sends its SYN again.
const DefaultTimeout = 600 * time.Millisecond

// Patience is how long a flow may take that must be answered. A busy machine,
// and User Mode Linux on it, takes its time; that a packet was lost shows in
// [Outcome.Resent] and not in the time.
const Patience = 5 * time.Second

// mostAtOnce bounds the connections under way, below the lengths of the queues
// between the namespaces. Where each must be answered they are fewer, so that a
// connection does not wait for hundreds of others.
const (
	mostAtOnce = 256
	fewAtOnce  = 24
)

// Try makes all the flows' connections at once and says how each ended, in
// their order. All drops together cost one timeout. Pods and ports that the rig
// does not have yet are added first.
func (r *Rig) Try(ctx context.Context, flows []Flow, timeout time.Duration) ([]Outcome, error) {
	return r.try(ctx, flows, timeout, mostAtOnce)
}

// tryPatiently makes the connections of flows that must be answered.
func (r *Rig) tryPatiently(ctx context.Context, flows []Flow) ([]Outcome, error) {
	return r.try(ctx, flows, Patience, fewAtOnce)
}

func (r *Rig) try(ctx context.Context, flows []Flow, timeout time.Duration, atOnce int) ([]Outcome, error) {
	if err := r.prepare(flows); err != nil {
		return nil, err
	}
	out := make([]Outcome, len(flows))
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, f := range flows {
		slots <- struct{}{}
		if ctx.Err() != nil {
			out[i] = Outcome{Fate: Failed, Err: context.Cause(ctx)}
			<-slots
			continue
		}
		wg.Go(func() {
			out[i] = r.from(f).try(r.resolve(f), deadline(ctx, timeout))
			<-slots
		})
	}
	wg.Wait()
	return out, nil
}

// deadline is the timeout from now, or the context's end if that is sooner.
func deadline(ctx context.Context, timeout time.Duration) time.Time {
	d := time.Now().Add(timeout)
	if end, ok := ctx.Deadline(); ok && end.Before(d) {
		return end
	}
	return d
}

func (r *Rig) prepare(flows []Flow) error {
	for _, f := range flows {
		if f.From == eval.FromPod {
			if err := r.addPod(f.Src); err != nil {
				return err
			}
		}
	}
	for _, f := range flows {
		if f.From == eval.FromOutside && r.inside(f.Src) {
			return fmt.Errorf("flow %v: the source is not outside", f)
		}
		if err := r.listen([]Port{{Protocol: f.Protocol, Number: f.Port}}); err != nil {
			return err
		}
	}
	return nil
}

// inside are the addresses of the node and its pods.
func (r *Rig) inside(a netip.Addr) bool {
	_, pod := r.pods[a]
	return pod || a.IsLoopback() || slices.Contains(r.spec.NodeAddrs, a)
}

// from is where the client of a flow runs.
func (r *Rig) from(f Flow) *namespace {
	if f.From == eval.FromNode {
		return r.node.namespace
	}
	return r.world
}

// Spread makes n connections of one flow and counts who answered. Any other
// fate than an answer is an error.
func (r *Rig) Spread(ctx context.Context, f Flow, n int) (map[netip.AddrPort]int, error) {
	flows := make([]Flow, n)
	for i := range flows {
		flows[i] = f
	}
	outcomes, err := r.tryPatiently(ctx, flows)
	if err != nil {
		return nil, err
	}
	counts := make(map[netip.AddrPort]int)
	for i, o := range outcomes {
		if o.Fate != Answered {
			return counts, fmt.Errorf("connection %d of %d of %v: %v", i+1, n, f, o)
		}
		counts[o.Endpoint]++
	}
	return counts, nil
}

// Sticky makes n connections of one flow after each other and says who answered
// them all: the test of affinity. Two different endpoints are an error.
func (r *Rig) Sticky(ctx context.Context, f Flow, n int) (netip.AddrPort, error) {
	var first netip.AddrPort
	for i := range n {
		outcomes, err := r.tryPatiently(ctx, []Flow{f})
		if err != nil {
			return first, err
		}
		o := outcomes[0]
		switch {
		case o.Fate != Answered:
			return first, fmt.Errorf("connection %d of %d of %v: %v", i+1, n, f, o)
		case i == 0:
			first = o.Endpoint
		case o.Endpoint != first:
			return first, fmt.Errorf("connection %d of %d of %v: %v, but %v answered before", i+1, n, f, o.Endpoint, first)
		}
	}
	return first, nil
}
