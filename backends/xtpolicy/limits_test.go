package xtpolicy_test

import (
	"strings"
	"testing"

	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// TestReservedType: no rule says "--icmp-type 255", which would be every type, and the
// policies that need it are reported once each.
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
	if strings.Contains(text, "--icmp-type 255") || !strings.Contains(text, "--icmp-type 254") {
		t.Errorf("rules:\n%s", text)
	}
	var list diag.List
	xtpolicy.Report(&list, p)
	if len(list) != 2 || list[0].Code != diag.Approximated || !strings.Contains(list[0].Message+list[1].Message, "ICMP type 255") {
		t.Errorf("reported: %v", list)
	}
}
