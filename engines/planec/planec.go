// Package planec asks planec what the tables of verdicts and Cilium's engine are asked:
// what the policies of each end say about a connection.
package planec

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

// Judge answers for all nodes of a cluster.
type Judge struct {
	network *netpath.Network
	nodes   map[string]*eval.Evaluator
	pods    map[string]*corev1.Pod // by namespace/name
	// Diagnostics are those of reading and compiling.
	Diagnostics diag.List
}

// New compiles the objects of YAML documents.
func New(text []byte) (*Judge, error) {
	set, found, err := manifest.Load(context.Background(), manifest.Options{Paths: []string{"-"}, Stdin: bytes.NewReader(text)})
	if err != nil {
		return nil, err
	}
	cluster := compiler.Prepare(&set, objects.Config{})
	j := &Judge{network: netpath.New(&set, cluster, netpath.Evaluator), nodes: make(map[string]*eval.Evaluator), pods: make(map[string]*corev1.Pod)}
	j.Diagnostics = append(found, cluster.Diagnostics()...)
	for _, p := range set.Pods {
		j.pods[p.Object.Namespace+"/"+p.Object.Name] = p.Object
	}
	return j, nil
}

// Judge returns what the policies of a pod, as namespace/name, say about a packet from or
// to a peer's address: "allowed", "blocked", or "redirect" where a proxy would decide.
// own says that the peer is the pod's own node. port is that of the destination, or the
// type of ICMP.
func (j *Judge) Judge(pod string, ingress bool, peer netip.Addr, own bool, protocol ir.Protocol, port uint16) (string, error) {
	p := j.pods[pod]
	if p == nil {
		return "", fmt.Errorf("no pod %s", pod)
	}
	address, err := addressOf(p, ir.FamilyOf(peer))
	if err != nil {
		return "", err
	}
	q := eval.Transport{Protocol: protocol, Port: port, SourcePort: 40000}
	if protocol.HasTypes() {
		q = eval.Transport{Protocol: protocol, Port: ir.TypeAndCode(uint8(port), 0)}
	}
	e := j.evaluator(p.Spec.NodeName)
	var d eval.Decision
	switch {
	case ingress && own:
		d, _ = e.JudgeOwn(address, q)
	case ingress:
		d, _ = e.Judge(ir.Ingress, address, peer, q)
	default:
		d, _ = e.Judge(ir.Egress, address, peer, q)
	}
	switch {
	case d.Redirected():
		return "redirect", nil
	case d.Accept:
		return "allowed", nil
	}
	return "blocked", nil
}

func (j *Judge) evaluator(node string) *eval.Evaluator {
	if j.nodes[node] == nil {
		j.nodes[node] = eval.New(j.network.Program(node))
	}
	return j.nodes[node]
}

func addressOf(p *corev1.Pod, family ir.Family) (netip.Addr, error) {
	for _, ip := range p.Status.PodIPs {
		if a, err := netip.ParseAddr(ip.IP); err == nil && ir.FamilyOf(a) == family {
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("pod %s/%s has no %v address", p.Namespace, p.Name, family)
}
