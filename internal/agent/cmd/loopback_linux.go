package cmd

import (
	"github.com/planec/planec/internal/agent/localport"
	"github.com/planec/planec/ir"
)

// loopbackForwarder returns the forwarder for nodePorts on loopback addresses; it
// serves none before [reporter.LoopbackPorts].
func (r *reporter) loopbackForwarder() *localport.Forwarder {
	return &localport.Forwarder{
		Said: func(p localport.Port, at string, err error) {
			service := ir.Origin{Kind: "Service", Namespace: p.Service.Namespace, Name: p.Service.Name}
			r.unserved("the nodePort on loopback", at, service, err)
		},
		Listening: func(f ir.Family, change int) { r.metrics.LoopbackListeners(familyLabel(f), change) },
		Failed:    func(f ir.Family) { r.metrics.LoopbackFailed(familyLabel(f)) },
	}
}

// familyLabel returns the label of a family in metrics.
func familyLabel(f ir.Family) string {
	if f == ir.IPv6 {
		return "IPv6"
	}
	return "IPv4"
}

// LoopbackPorts implements [agent.Observer].
func (r *reporter) LoopbackPorts(ports []localport.Port) { r.loopback.Set(ports) }
