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

// DefaultTimeout is the time without an answer after which a flow counts as
// dropped. It is below TCP's first retransmission of SYN, one second.
const DefaultTimeout = 600 * time.Millisecond

// Patience is the timeout of flows that must be answered. A busy machine, or User
// Mode Linux on it, may be slow; [Outcome.Resent] and not the time shows whether a
// packet was lost.
const Patience = 5 * time.Second

// mostAtOnce limits the concurrent connections, below the lengths of the queues
// between the namespaces. Connections that must be answered have a lower limit, so
// that none waits for hundreds of others.
const (
	mostAtOnce = 256
	fewAtOnce  = 24
)

// Try makes all connections concurrently and returns their outcomes in the order
// of flows. All drops together cost one timeout. Try first adds missing pods and
// ports to the rig.
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
			out[i] = r.one(r.resolve(f), deadline(ctx, timeout))
			<-slots
		})
	}
	wg.Wait()
	return out, nil
}

// one tries one flow.
func (r *Rig) one(f Flow, deadline time.Time) Outcome {
	if !f.Protocol.HasPorts() {
		return r.tryRaw(r.from(f), f, deadline)
	}
	return r.from(f).try(f, deadline)
}

// deadline returns now plus timeout, or the context's deadline if that is earlier.
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
		if !f.Protocol.HasPorts() {
			if err := r.listenRaw(f.Protocol); err != nil {
				return fmt.Errorf("flow %v: %w", f, err)
			}
			continue
		}
		if err := r.listen([]Port{{Protocol: f.Protocol, Number: f.Port}}); err != nil {
			return err
		}
	}
	return nil
}

// inside reports whether a is an address of the node or its pods.
func (r *Rig) inside(a netip.Addr) bool {
	_, pod := r.pods[a]
	return pod || a.IsLoopback() || slices.Contains(r.spec.NodeAddrs, a)
}

// from returns the namespace of a flow's client, on the thread that opens its socket.
func (r *Rig) from(f Flow) *namespace {
	ns := r.world
	switch {
	case f.From == eval.FromNode:
		ns = r.node.namespace
	case f.From == eval.FromPod:
		ns = r.pods[f.Src].namespace
	case r.remote(f.Src):
		ns = r.other
	}
	if m := r.members[ns]; m != nil && f.From != eval.FromOutside {
		return m
	}
	return ns
}

// remote reports whether an address is behind the tunnel.
func (r *Rig) remote(a netip.Addr) bool {
	return r.other != nil && slices.ContainsFunc(r.spec.Remote, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Spread makes n connections of one flow and counts the answering endpoints. Any
// outcome but an answer is an error.
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

// Sticky makes n consecutive connections of one flow and returns the endpoint that
// answered all of them, to test affinity. Two different endpoints are an error.
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
