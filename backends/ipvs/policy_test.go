package ipvs_test

import (
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// ownEndpoints has a Service whose endpoint is the node itself, and a pod that
// may send to port 999 only.
func ownEndpoints(refusal ir.Refusal) *ir.Program {
	p := &ir.Program{
		Node:       ir.Node{Name: "node-a", Addresses: irtest.Addrs("192.168.9.1"), Local: ir.LocalDetector{Mode: ir.DetectNone}},
		ClusterIPs: irtest.Addrs("10.96.0.1"),
		Pools:      []ir.Pool{irtest.Pool("one", "192.168.9.1:80"), irtest.Pool("two", "192.168.9.1:999")},
		Frontends:  []ir.Frontend{irtest.Frontend(ir.ClusterIP, "one", "10.96.0.1:80", "one"), irtest.Frontend(ir.ClusterIP, "two", "10.96.0.1:999", "two")},
	}
	p.Policy.OnDeny = refusal
	p.Policy.Profiles = []ir.Profile{{
		ID: "shop/web/1f3a9c2e", Pods: []ir.Pod{{Namespace: "shop", Name: "web", Addresses: irtest.Addrs("10.1.0.2")}},
		Egress: []ir.Tier{{
			Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Kind: "NetworkPolicy", Namespace: "shop", Name: "web", Path: "spec"}},
			Rules: []ir.Rule{{Action: ir.Accept, AnyPeer: true, Ports: []ir.PortRange{{Protocol: ir.TCP, First: 999, Last: 999}}, Origin: ir.Origin{Kind: "NetworkPolicy", Namespace: "shop", Name: "web", Path: "spec"}}},
		}},
	}}
	p.Normalize()
	return p
}

// TestDeniedOwn: a virtual service with an endpoint on the node that a pod may not
// reach is refused to that pod.
func TestDeniedOwn(t *testing.T) {
	p := ownEndpoints(ir.Drop)
	b := ipvs.New(backends.DefaultOptions())
	if list := b.Check(p); len(list) != 0 {
		t.Errorf("Check says %v", list)
	}
	sets := string(emit(t, p, backends.DefaultOptions()).File(ipvs.SetsFile))
	if n := strings.Count(sets, "add plc-4-denied-own-next "); n != 1 || !strings.Contains(sets, "add plc-4-denied-own-next 10.96.0.1,tcp:80,10.1.0.2\n") {
		t.Errorf("%d entries:\n%s", n, sets)
	}
	p.Pools[0].Endpoints = append(p.Pools[0].Endpoints, irtest.Pool("", "10.1.9.9:999").Endpoints...)
	p.Normalize()
	if list := b.Check(p); len(list) != 1 || !strings.Contains(list[0].Message, "policies keep 10.1.0.2 from an endpoint that is the node itself") {
		t.Errorf("Check says %v", list)
	}
}

// TestNodeDeniesOwnEndpoint: a Service with an endpoint on the node is refused if the
// node's own policies deny any packet to that endpoint, and only then.
func TestNodeDeniesOwnEndpoint(t *testing.T) {
	p := ownEndpoints(ir.Drop)
	node := p.Policy.Profiles[0]
	node.ID, node.Pods, node.Node = "the-node", nil, true
	node.Ingress, node.Egress = node.Egress, nil
	p.Policy.Profiles = []ir.Profile{node}
	p.Normalize()
	list := ipvs.New(backends.DefaultOptions()).Check(p)
	if len(list) != 1 || list[0].Code != diag.NotExpressible || !strings.Contains(list[0].Message, "Service shop/one: the node's own ingress policies deny packets to its endpoint 192.168.9.1:80") {
		t.Errorf("Check says %v", list)
	}
	services := string(emit(t, p, backends.DefaultOptions()).File(ipvs.ServicesFile))
	if strings.Contains(services, "10.96.0.1:80") || !strings.Contains(services, "10.96.0.1:999") {
		t.Errorf("virtual services:\n%s", services)
	}
}

// TestDeniedOwnSourcePorts: what policies deny to some source ports is denied to all.
func TestDeniedOwnSourcePorts(t *testing.T) {
	p := ownEndpoints(ir.Drop)
	rule := &p.Policy.Profiles[0].Egress[0].Rules[0]
	rule.SourcePorts = []ir.PortRange{{Protocol: ir.TCP, First: 1024, Last: 65535}}
	p.Normalize()
	sets := string(emit(t, p, backends.DefaultOptions()).File(ipvs.SetsFile))
	if n := strings.Count(sets, "add plc-4-denied-own-next "); n != 2 {
		t.Errorf("%d entries:\n%s", n, sets)
	}
	if list := ipvs.New(backends.DefaultOptions()).Check(p); len(list) != 1 || !strings.Contains(list[0].Message, "shop/two:http/tcp: policies keep 10.1.0.2") {
		t.Errorf("Check says %v", list)
	}
}
