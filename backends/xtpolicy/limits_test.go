package xtpolicy_test

import (
	"strings"
	"testing"

	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// TestReservedType: no rule says "--icmp-type 255", which would be every type. What
// accepts all codes of type 255 accepts the protocol after the refusal of the other types;
// policies that tell its codes apart are reported, once each.
func TestReservedType(t *testing.T) {
	origin := ir.Origin{Kind: "GlobalNetworkPolicy", Name: "icmp", Path: "spec.ingress[0]"}
	rule := ir.Rule{Action: ir.Accept, AnyPeer: true, Origin: origin, Ports: []ir.PortRange{
		ir.EveryPort(0), {Protocol: ir.ICMP, First: ir.TypeAndCode(254, 0), Last: ir.TypeAndCode(255, 255)},
	}}
	log := rule
	log.Action, log.Prefix = ir.Log, "x"
	tiers := []ir.Tier{{Kind: ir.NamedTier, Name: "t", Default: ir.Deny, Isolating: []ir.Origin{origin}, Rules: []ir.Rule{log, rule}}}
	p := &ir.Policy{OnDeny: ir.Drop, Profiles: []ir.Profile{{
		ID: "a", Pods: []ir.Pod{{Namespace: "shop", Name: "a", Addresses: irtest.Addrs("10.1.0.2")}}, Ingress: tiers, Egress: tiers,
	}}}
	text := ""
	for _, c := range xtpolicy.New(p, nil).Rules(ir.IPv4, false).Chains {
		text += strings.Join(c.Rules, "\n")
	}
	if strings.Contains(text, "--icmp-type 255") || strings.Contains(text, "--icmp-type 254") || !strings.Contains(text, "--icmp-type 253 -j DROP") || !strings.Contains(text, " -p icmp -j RETURN") {
		t.Errorf("rules:\n%s", text)
	}
	var list diag.List
	xtpolicy.Report(&list, p)
	if len(list) != 1 || strings.Contains(list[0].Message, "ICMP") {
		t.Errorf("reported: %v", list)
	}
	tiers[0].Rules[0].Ports[1].Last, tiers[0].Rules[1].Ports[1].Last = ir.TypeAndCode(255, 7), ir.TypeAndCode(255, 7)
	list = nil
	xtpolicy.Report(&list, p)
	if len(list) != 2 || list[0].Code != diag.Approximated || !strings.Contains(list[0].Message+list[1].Message, "ICMP type 255") {
		t.Errorf("reported: %v", list)
	}
}
