package dataplane

import (
	ebpflive "github.com/planec/planec/backends/ebpf/live"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/apply/applier"
)

// All returns the dataplanes by the names of their backends. The variant of iptables,
// "legacy" or "nft", is detected when it is first needed. The programs of ebpf belong
// where they are, or on the root of cgroup2.
func All() map[string]applier.Dataplane { return AllAt("") }

// AllAt is All with the path of the cgroup that ebpf's programs belong on.
func AllAt(cgroup string) map[string]applier.Dataplane {
	return map[string]applier.Dataplane{
		"ebpf":       EBPF(ebpflive.DefaultDir, cgroup),
		"iptables":   newPlane(&iptablesKernel{}),
		nftablesName: nftablesPlane{newPlane(nftablesKernel{})},
		"ipvs":       newPlane(&ipvsKernel{}),
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

// EBPF is the dataplane that pins its maps and links in a directory of a BPF file system,
// with the programs on a cgroup; "" is the one that they are on, or else the root.
func EBPF(dir, cgroup string) applier.Dataplane {
	k := &ebpfKernel{pins: ebpflive.NewPins(dir), cgroup: cgroup}
	return ebpfPlane{newPlane(k), k, ebpflive.NewWatch(dir)}
}
