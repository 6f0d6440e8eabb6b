package cni

// Layout is a way in which a plugin joins pods and other nodes to a node.
type Layout struct {
	Name string // the word in System.Layouts
	Doc  string // what a packet of a pod passes, in one sentence without a full stop
	// Test is the test of internal/testing/cnilayout that builds such a node in a kernel and
	// runs planec's rules on it; "" is that none has run.
	Test string
	// Limit is what Services and policies lack on such nodes, as that test or one beside it
	// shows, in one sentence without a full stop; "" is that golden flows go as they should.
	Limit string
}

// The names of layouts.
const (
	Bridge        = "bridge"
	VethProxyARP  = "veth-proxy-arp"
	VethPrefix    = "veth-prefix"
	IPVLAN        = "ipvlan"
	MACVLAN       = "macvlan"
	OverlayVXLAN  = "overlay-vxlan"
	OverlayGeneve = "overlay-geneve"
	OVS           = "ovs"
)

// Layouts returns all layouts.
func Layouts() []Layout {
	return []Layout{
		{Name: Bridge, Doc: "pods are ports of a Linux bridge, which is their gateway", Test: "TestBridge", Limit: bridgeLimit},
		{Name: VethProxyARP, Doc: "a pod's veth has no bridge; its gateway is a link-local address that the veth answers for", Test: "TestVethProxyARP"},
		{Name: VethPrefix, Doc: "a pod's veth has no bridge, and a name with the plugin's prefix", Test: "TestVethPrefix"},
		{Name: IPVLAN, Doc: "pods are sub-interfaces of a network card; the node does not see all of their packets", Test: "TestIPVLAN", Limit: ipvlanLimit},
		{Name: MACVLAN, Doc: "pods have a hardware address of their own on a network card; the node does not see their packets", Test: "TestMACVLAN", Limit: macvlanLimit},
		{Name: OverlayVXLAN, Doc: "packets to pods of other nodes leave by a VXLAN device", Test: "TestOverlayVXLAN"},
		{Name: OverlayGeneve, Doc: "packets to pods of other nodes leave by a Geneve tunnel", Test: "TestOverlayGeneve"},
		{Name: OVS, Doc: "pods are ports of an Open vSwitch bridge; packets to the node come by a port of it", Test: "TestOVS", Limit: ovsLimit},
	}
}

const (
	bridgeLimit = "where `bridge-nf-call-iptables` is off, rules do not see answers between two pods of the node: a Service that gives one the other fails, " +
		"and no policy holds between them (`TestBridgeWithoutRules`); the socket programs of backend ebpf serve them (`TestSocketsBesideTheNode`). " +
		"A bridge without hairpin mode loses connections of a pod to itself where `bridge-nf-call-iptables` is on (`TestBridgeWithoutHairpin`)"
	ipvlanLimit = "in mode L2 as with macvlan; in mode L3 rules translate what pods send and do not see the answers, so that pods have neither Services nor masqueraded egress; " +
		"in mode L3S pods have both, but for endpoints on the same node (`TestIPVLANL3S`). A plugin that gives pods a veth for Services beside it was not run"
	macvlanLimit = "pods have no Services by rules, and no policies; the node does not reach its own pods, so that they are no endpoints for it. " +
		"The socket programs of backend ebpf serve such pods (`TestSocketsBesideTheNode`), its programs at interfaces do not (`TestProgramsNeedAnInterface`)"
	ovsLimit = "the kernel's datapath with fixed flows was run, without ovs-vswitchd and without a plugin's own flows. Where flows switch packets from pod to pod, " +
		"it is as on a bridge without `bridge-nf-call-iptables` (`TestOVSSwitched`)"
)

// Tests returns what is known of a row's layouts: the name of the test for each, and
// whether that has limits, or "not run".
func (s *System) Tests() []string {
	var out []string
	for _, name := range s.Layouts {
		for _, l := range Layouts() {
			if l.Name != name {
				continue
			}
			test := l.Test
			if test == "" {
				test = "not run"
			}
			if l.Limit != "" {
				test += " (limits)"
			}
			out = append(out, name+": "+test)
		}
	}
	return out
}
