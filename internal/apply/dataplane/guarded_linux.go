package dataplane

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/internal/apply/applier"
)

var _ applier.Guarded = ebpfPlane{}

// KeepInterfaces implements [applier.Guarded].
func (d ebpfPlane) KeepInterfaces(ctx context.Context, every time.Duration, report func(steps []string, err error)) error {
	return d.kernel.anywhere().Keep(ctx, every, d.kernel.keep, report)
}

// keep brings interfaces in line, if programs are there already: to begin and to end is for
// an apply.
func (k *ebpfKernel) keep(ctx context.Context) ([]string, error) {
	k.covering.Lock()
	defer k.covering.Unlock()
	i := k.anywhere()
	left, err := i.Left()
	if err != nil || len(left) == 0 {
		return nil, err
	}
	steps, err := i.Attach(ctx)
	covered, coverErr := updateCover(ctx, i)
	return append(steps, covered...), errors.Join(err, coverErr)
}

// Forget implements [applier.Guarded].
func (d ebpfPlane) Forget(gone func(client, server netip.AddrPort, protocol uint8) bool) (int, error) {
	return d.kernel.anywhere().Forget(func(l live.Leg) bool {
		if l.Outward {
			return gone(l.Pod, l.Peer, l.Protocol)
		}
		return gone(l.Peer, l.Pod, l.Protocol)
	})
}

// Verdicts implements [applier.Guarded].
func (d ebpfPlane) Verdicts() ([]applier.VerdictCount, error) {
	from, to, err := d.kernel.anywhere().Verdicts()
	if err != nil {
		return nil, err
	}
	var out []applier.VerdictCount
	for _, side := range []struct {
		direction string
		v         live.Verdicts
	}{{"egress", from}, {"ingress", to}} {
		for _, c := range []struct {
			verdict string
			packets uint64
		}{{"denied", side.v.Denied}, {"broken", side.v.Broken}, {"fragment", side.v.Parts}, {"midstream", side.v.Midstream}, {"full", side.v.Full}} {
			out = append(out, applier.VerdictCount{Direction: side.direction, Verdict: c.verdict, Packets: c.packets})
		}
	}
	return out, nil
}
