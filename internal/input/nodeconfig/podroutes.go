package nodeconfig

import (
	"github.com/planec/planec/ir/podnet"
)

// podRoutes reads the settings of routes to pods of other nodes.
func (o *object) podRoutes() podnet.Settings {
	return podnet.Settings{
		Mode:    parsed(o.get("podRoutes"), podnet.ParseMode),
		Subnets: parsedItems(o.get("podRoutesSubnets"), ParseCIDR),
		MTU:     o.get("podRoutesMTU").checked(podnet.CheckMTU),
		VNI:     o.get("podRoutesVNI").checked(podnet.CheckVNI),
		Port:    o.get("podRoutesPort").checked(podnet.CheckPort),
	}
}

// checked reads a number; one that is not there is 0.
func (v value) checked(check func(int) error) int {
	if !v.isSet() {
		return 0
	}
	n := v.int()
	if err := check(n); err != nil {
		v.fail("%v", err)
	}
	return n
}

// podRoutes are the settings about routes to pods of other nodes.
func podRoutes() []Setting {
	return []Setting{
		{
			Name: "podRoutes", Flag: "pod-routes", Type: "string", Doc: "make routes to the pods of other nodes, from their podCIDRs: off (the default), native (all nodes are in one subnet), vxlan, geneve, or auto and auto-geneve (native within the node's subnets, else vxlan and geneve)", Default: "off",
			Words: append([]string{"off"}, podnet.Modes()...), Value: func(c *NodeConfig) any { return some(string(c.PodRoutes.Mode)) },
		},
		{
			Name: "podRoutesSubnets", Flag: "pod-routes-subnets", Type: "list", Doc: "the node's own subnets, with commas between, whose nodes are reached without a router", Default: "for the agent and apply, those of the node's addresses in the kernel; for other commands not known",
			Value: func(c *NodeConfig) any { return texts(c.PodRoutes.Subnets) },
		},
		{
			Name: "podRoutesMTU", Flag: "pod-routes-mtu", Type: "integer", Range: [2]int{podnet.MinMTU, podnet.MaxMTU}, Doc: "MTU of the VXLAN or Geneve devices", Default: "that of the node's interface (1500 where it is not known), less 50 over IPv4 and 70 over IPv6",
			Value: func(c *NodeConfig) any { return some(c.PodRoutes.MTU) },
		},
		{
			Name: "podRoutesVNI", Flag: "pod-routes-vni", Type: "integer", Range: [2]int{1, podnet.MaxVNI}, Doc: "network identifier of VXLAN or Geneve, the same on all nodes", Default: "83",
			Value: func(c *NodeConfig) any { return some(c.PodRoutes.VNI) },
		},
		{
			Name: "podRoutesPort", Flag: "pod-routes-port", Type: "integer", Range: [2]int{1, podnet.MaxPort}, Doc: "UDP port of VXLAN or Geneve, the same on all nodes", Default: "4789 for VXLAN, 6081 for Geneve",
			Value: func(c *NodeConfig) any { return some(c.PodRoutes.Port) },
		},
	}
}
