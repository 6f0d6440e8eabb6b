package dataplane

import (
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/internal/apply/applier"
)

// All returns the dataplanes by the names of their backends.
func All() map[string]applier.Dataplane {
	return map[string]applier.Dataplane{
		"ebpf":     &ebpfPlane{pins: live.NewPins(live.DefaultDir)},
		"iptables": &iptablesPlane{},
		"nftables": &nftablesPlane{},
		"ipvs":     &ipvsPlane{},
	}
}
