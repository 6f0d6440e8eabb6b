package report

import (
	"testing"

	"github.com/planec/planec/ir"
)

// TestRuleWords: a line says everything that its rule says.
func TestRuleWords(t *testing.T) {
	tcp := func(first, last uint16) []ir.PortRange {
		return []ir.PortRange{{Protocol: ir.TCP, First: first, Last: last}}
	}
	policy := &ir.Policy{OnDeny: ir.Reject, OnRedirect: ir.Deny}
	for want, rule := range map[string]ir.Rule{
		"allow 80/tcp from everywhere":                                                      {Action: ir.Accept, AnyPeer: true, Ports: tcp(80, 80)},
		"deny type 8/icmp from everywhere, from the own node too":                           {Action: ir.Deny, AnyPeer: true, OwnNode: true, Ports: []ir.PortRange{{Protocol: ir.ICMP, First: 2048, Last: 2303}}},
		"allow every port but 22/tcp of source port 1024-65535/tcp from nowhere":            {Action: ir.Accept, AnyPort: true, NotPorts: tcp(22, 22), SourcePorts: tcp(1024, 65535)},
		`log every port from everywhere, with prefix "drop: ", and go on`:                   {Action: ir.Log, AnyPort: true, AnyPeer: true, Prefix: "drop: "},
		"redirect to a proxy 80/tcp from everywhere (http GET): there is none, so rejected": {Action: ir.Redirect, AnyPeer: true, Ports: tcp(80, 80), Payload: "http GET"},
		"pass on no port from everywhere but " + peerWords("10.0.0.0/8"):                    {Action: ir.Pass, AnyPeer: true, NotPeers: []string{"10.0.0.0/8"}},
	} {
		if got := ruleWords(&rule, "from", policy); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}
