package dataplane

import (
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/ir"
)

// Count implements [applier.Counting].
func (d ebpfPlane) Count(on bool) error { return d.kernel.sockets("").Count(on) }

// Connections implements [applier.Counting].
func (d ebpfPlane) Connections(of []ir.ServicePort) (map[ir.ServicePort]applier.Connections, error) {
	hits, err := d.kernel.sockets("").Hits()
	if err != nil || len(hits) == 0 {
		return nil, err
	}
	out := make(map[ir.ServicePort]applier.Connections)
	for _, s := range of {
		if h, ok := hits[ebpf.ServiceID(s)]; ok {
			out[s] = applier.Connections{Given: h.Given, Refused: h.Refused}
		}
	}
	return out, nil
}
