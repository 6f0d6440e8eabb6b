package cni

// Layout is a way in which a plugin joins pods and other nodes to a node.
type Layout struct {
	Name string // the word in System.Layouts
	Doc  string // what a packet of a pod passes, in one sentence without a full stop
	// Test is the test of internal/testing/cnilayout that builds such a node in a kernel and
	// runs planec's rules on it; "" is that none has run.
	Test string
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

// Layouts returns all layouts. A later change that adds a test of one names it here.
func Layouts() []Layout {
	return []Layout{
		{Name: Bridge, Doc: "pods are ports of a Linux bridge, which is their gateway"},
		{Name: VethProxyARP, Doc: "a pod's veth has no bridge; its gateway is a link-local address that the veth answers for"},
		{Name: VethPrefix, Doc: "a pod's veth has no bridge, and a name with the plugin's prefix"},
		{Name: IPVLAN, Doc: "pods are sub-interfaces of a network card; the node does not see all of their packets"},
		{Name: MACVLAN, Doc: "pods have a hardware address of their own on a network card; the node does not see their packets"},
		{Name: OverlayVXLAN, Doc: "packets to pods of other nodes leave by a VXLAN device"},
		{Name: OverlayGeneve, Doc: "packets to pods of other nodes leave by a Geneve tunnel"},
		{Name: OVS, Doc: "pods are ports of an Open vSwitch bridge; packets to the node come by a port of it"},
	}
}

// Tests returns what is known of a row's layouts: the name of the test for each, or
// "not run".
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
			out = append(out, name+": "+test)
		}
	}
	return out
}
