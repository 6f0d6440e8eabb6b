package cmd

import (
	"context"

	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/agent/drift"
	"github.com/planec/planec/internal/apply/nodelock"
)

// drift watches for changes of the backend's rules by other processes. The caller
// calls settled when the rules are correct. A watch that fails is reported;
// periodic comparisons then find the changes later.
func (s *service) drift(ctx context.Context) (settled []func(), notices <-chan struct{}) {
	all := make(chan struct{}, 1)
	watch := func(what string, more <-chan struct{}, err error) {
		if err != nil {
			s.log.Warn("nothing will tell of changes by other processes", "of", what, "error", err)
			return
		}
		go pass(ctx, more, all)
	}
	if n, err := nodelock.On(s.options.stateDir); err == nil {
		more, err := drift.Planec(ctx, n.Changes(), s.log)
		watch("planec's locks", more, err)
	}
	switch s.backend.Name() {
	case nftables.Name, ebpf.Name: // whose packets follow the same rules
		w, err := drift.WatchNFTables(ctx, nftables.TableName, s.log)
		if err != nil {
			w = &drift.NFTables{}
		} else {
			s.applier.Quietly = w.Without
		}
		watch("nftables", w.Notices, err)
	case "iptables", "ipvs":
		legacy, nft := drift.NewXTables(), drift.NewIPTablesNFT()
		more, err := legacy.Run(ctx, s.log)
		watch("iptables' legacy tables", more, err)
		more, err = nft.Run(ctx, s.log)
		watch("iptables' nft variant", more, err)
		settled = append(settled, legacy.Settled, nft.Settled)
	}
	if read := s.applier.Fingerprint(s.backend.Name()); read != nil {
		p := &drift.Polled{Read: read}
		watch(s.backend.Name(), p.Run(ctx), nil)
		settled = append(settled, func() { p.Settled(ctx) })
	}
	return settled, all
}

// pass forwards notices until ctx ends.
func pass(ctx context.Context, from <-chan struct{}, to chan<- struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-from:
		}
		select {
		case to <- struct{}{}:
		default: // a notice is already pending
		}
	}
}
