package cilium

import (
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Reading is where Cilium reads policies of Kubernetes in another way than their texts,
// by the options of its agent.
type Reading struct {
	// PodBlocks and NodeBlocks say that blocks of addresses match pods, and nodes.
	PodBlocks, NodeBlocks bool
	// Nodes says that nodes can be selected by their labels.
	Nodes bool
	pods  *filter
}

// ReadingOf reads the options of the agent.
func ReadingOf(set *objects.Set) Reading {
	var passed diag.List // [Read] reports them
	o := readOptions(set, &passed)
	return Reading{PodBlocks: o.cidrPods, NodeBlocks: o.cidrNodes, Nodes: o.nodeLabels, pods: o.podFilter}
}

// PodLabel reports whether a label of pods counts.
func (r *Reading) PodLabel(key string) bool { return !isOwned(key) && r.pods.counts(key) }

// NamespaceLabel reports whether a label of namespaces counts.
func (r *Reading) NamespaceLabel(key string) bool { return r.pods.counts(prefixNamespaceLabel + key) }

// NamedPort returns what the name of a port means on a pod; protocol 0 is any.
func NamedPort(p *clause.Pod, name string, of ir.Protocol) []ir.PortRange {
	for _, proto := range withPorts() {
		if n, there := number(p, name, proto); there && (of == 0 || of == proto) {
			return []ir.PortRange{{Protocol: proto, First: n, Last: n}}
		}
	}
	return nil
}
