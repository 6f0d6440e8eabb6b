package dataplane

import (
	ebpflive "github.com/planec/planec/backends/ebpf/live"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/apply/applier"
)

// All returns the dataplanes by the names of their backends. The variant of iptables,
// "legacy" or "nft", is detected when it is first needed.
func All() map[string]applier.Dataplane {
	return map[string]applier.Dataplane{
		"ebpf":     EBPF(ebpflive.DefaultDir),
		"iptables": newPlane(&iptablesKernel{}),
		"nftables": nftablesPlane{newPlane(nftablesKernel{})},
		"ipvs":     newPlane(&ipvsKernel{}),
	}
}

// IPTables is the dataplane for one variant of iptables, "legacy" or "nft".
func IPTables(variant string) applier.Dataplane {
	return newPlane(&iptablesKernel{tools: tools{of(variant)}})
}

// IPVS is the dataplane with one variant of iptables, "legacy" or "nft".
func IPVS(variant string) applier.Dataplane {
	return newPlane(&ipvsKernel{tools: tools{of(variant)}})
}

func of(variant string) *xtlive.Tools {
	return &xtlive.Tools{Variant: variant, LockWait: xtlive.DefaultLockWait}
}

// EBPF is the dataplane that pins its maps in a directory of a BPF file system.
func EBPF(dir string) applier.Dataplane {
	pins := ebpflive.NewPins(dir)
	d := newPlane(ebpfKernel{pins})
	d.keeps = true
	return ebpfPlane{d, pins}
}
