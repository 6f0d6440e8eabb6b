package dataplane

import (
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/backends/ebpf"
	ebpflive "github.com/planec/planec/backends/ebpf/live"
	ipvslive "github.com/planec/planec/backends/ipvs/live"
	nft "github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/apply/applier"
)

// Snapshot implements [applier.Keeper].
func (*nftablesPlane) Snapshot(ctx context.Context) (any, error) {
	m, err := nft.Snapshot(ctx)
	if err != nil || len(m.Tables) == 0 {
		return nil, err
	}
	return m, nil
}

// Restore implements [applier.Keeper].
func (*nftablesPlane) Restore(ctx context.Context, snapshot any) error {
	m, ok := snapshot.(*nft.Model)
	if !ok {
		return errSnapshot(snapshot)
	}
	return nftMeanwhile(nft.Restore(ctx, m))
}

// Snapshot implements [applier.Keeper]. Rules of the ipvs backend, which have the same
// prefixes, are none of this one.
func (d *iptablesPlane) Snapshot(ctx context.Context) (any, error) {
	have, err := d.own(ctx)
	if err != nil || have == nil {
		return nil, err
	}
	if own := have.Settled(); !own.Empty() {
		return own, nil
	}
	return nil, nil
}

// Restore implements [applier.Keeper].
func (d *iptablesPlane) Restore(ctx context.Context, snapshot any) error {
	want, ok := snapshot.(*live.State)
	if !ok {
		return errSnapshot(snapshot)
	}
	put := func() error {
		have, err := d.tools.Observe(ctx)
		if err != nil {
			return err
		}
		return meanwhile(d.tools.Apply(ctx, live.NewPlan(have.Without(ipvslive.OwnSet), want)))
	}
	return orAnew(ctx, d, put)
}

// orAnew goes back by way of nothing where a change gave a set another type, and put
// rules in that name it: the kernel does not let it change back while they are there.
func orAnew(ctx context.Context, d applier.Dataplane, put func() error) error {
	err := put()
	if !errors.Is(err, live.ErrForeignSet) {
		return err
	}
	if _, cleaned := d.Clean(ctx); cleaned != nil {
		return errors.Join(err, cleaned) // rules of others name it
	}
	return put()
}

// Snapshot implements [applier.Keeper].
func (d *ipvsPlane) Snapshot(ctx context.Context) (any, error) {
	err := d.detect(ctx)
	if err == nil {
		var s *ipvslive.State
		if s, err = d.kernel.Snapshot(ctx); err == nil && s != nil {
			return s, nil
		}
	}
	if absent(err) {
		return nil, nil
	}
	return nil, err
}

// Restore implements [applier.Keeper].
func (d *ipvsPlane) Restore(ctx context.Context, snapshot any) error {
	want, ok := snapshot.(*ipvslive.State)
	if !ok {
		return errSnapshot(snapshot)
	}
	return orAnew(ctx, d, func() error { return meanwhile(d.kernel.Restore(ctx, want)) })
}

// Snapshot implements [applier.Keeper].
func (d *ebpfPlane) Snapshot(ctx context.Context) (any, error) {
	have, err := d.pins.Observe(ctx)
	if errors.Is(err, ebpflive.ErrNoBPFFS) {
		return nil, nil
	}
	if err != nil || have.Image == nil {
		return nil, err
	}
	return have.Image, nil
}

// Restore implements [applier.Keeper].
func (d *ebpfPlane) Restore(ctx context.Context, snapshot any) error {
	want, ok := snapshot.(*ebpf.Image)
	if !ok {
		return errSnapshot(snapshot)
	}
	have, err := d.pins.Observe(ctx)
	if err != nil {
		return err
	}
	return d.pins.Apply(ctx, ebpflive.NewPlan(have, want))
}

func errSnapshot(snapshot any) error {
	return fmt.Errorf("a snapshot of another backend: %T", snapshot)
}
