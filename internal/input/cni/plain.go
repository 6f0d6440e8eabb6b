package cni

// plains are plugins that use what Linux has: bridges, veths, routes and overlays.
func plains() []System {
	return []System{linuxBridge(), flannel(), kindnet(), kubeRouter(), coil(), weave()}
}

// privateNetworks are the destinations that ip-masq-agent leaves alone by default.
func privateNetworks() []string { return []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} }

func linuxBridge() System {
	return System{
		Name: "bridge", Aliases: []string{"linux-bridge", "cni0"}, Title: "Linux bridge (the plugin bridge)",
		DetectLocal: "bridge:cni0", Why: "pods are ports of the bridge cni0, or of the one that the configuration names, which detection reads",
		Egress: ByNode, NonMasquerade: prefixes(privateNetworks()...), Policy: ByNone, Services: LeavesServices,
		Give:   []string{"detectLocal, where the bridge has another name and the plugin is not detected", "masqAgent, where other networks than the private ones are reached without masquerade"},
		Chains: []string{"CNI-*"}, Devices: []string{"cni0", "veth*"}, Layouts: []string{Bridge},
		Signs:   Signs{Types: []string{"bridge"}, Fallback: true},
		Sources: []string{github("containernetworking/plugins", "plugins/main/bridge/bridge.go"), "https://www.cni.dev/plugins/current/main/bridge/"},
		Sure:    Read,
		Doubts:  []string{"with ipMasq the plugin masquerades itself; detection reads it"},
	}
}

// flannelMark is kube-proxy's bit, which flannel looks for so as not to masquerade twice.
func flannelMark() Mark {
	return Mark{Value: 0x4000, Mask: 0x4000, Use: "kube-proxy's masquerade, which flannel leaves alone", Shared: true}
}

func flannel() System {
	return System{
		Name: "flannel", Aliases: []string{"kube-flannel"}, Title: "flannel",
		DetectLocal: "bridge:cni0", Why: "flannel calls the plugin bridge, whose bridge is cni0 unless delegate names another one, which detection reads",
		Egress: ByPlugin, Policy: ByNone, Services: LeavesServices,
		Give:    []string{"detectLocal, where delegate names another bridge and the plugin is not detected"},
		Marks:   []Mark{flannelMark()},
		Tables:  []string{"ip flannel-ipv4", "ip6 flannel-ipv6"},
		Chains:  []string{"FLANNEL-POSTRTG", "FLANNEL-FWD"},
		Devices: []string{"flannel.1", "cni0"}, Ports: []Port{vxlan(8472)},
		Layouts: []string{Bridge, OverlayVXLAN},
		Signs: Signs{
			Types: []string{"flannel"}, Files: []string{"10-flannel"}, Interfaces: []string{"flannel.1", "cni0"},
			DaemonSets: []string{"kube-flannel-ds", "kube-flannel-ds-amd64", "kube-flannel"}, Images: []string{"flannel/flannel", "coreos/flannel"}, Fallback: true,
		},
		Sources: []string{github("flannel-io/flannel", "pkg/trafficmngr/iptables/iptables.go"), github("flannel-io/flannel", "Documentation/kube-flannel.yml"), github("flannel-io/flannel", "Documentation/backends.md")},
		Sure:    Read,
		Doubts:  []string{"without --ip-masq flannel masquerades nothing", "a masqueradeBit other than 14 makes flannel and planec both masquerade a packet"},
	}
}

func kindnet() System {
	return System{
		Name: "kindnet", Aliases: []string{"kind", "kindnetd"}, Title: "kindnet (kind)",
		DetectLocal: "node-cidr", Why: "host-local gives pods addresses of the node's podCIDR",
		Egress: ByPlugin, Policy: ByPlugin, Services: LeavesServices,
		Tables: []string{"inet kindnet-ipmasq", "inet kindnet-network-policies"}, Chains: []string{"KIND-MASQ-AGENT"}, Devices: []string{"veth*"},
		Layouts: []string{VethPrefix},
		Signs: Signs{
			Types: []string{"ptp"}, Files: []string{"10-kindnet"}, Networks: []string{"kindnet"}, DaemonSets: []string{"kindnet"}, Images: []string{"kindnetd"},
		},
		Sources: []string{github("kubernetes-sigs/kind", "images/kindnetd/cmd/kindnetd/cni.go"), github("kubernetes-sigs/kind", "images/kindnetd/cmd/kindnetd/masq.go")},
		Sure:    Read,
		Doubts:  []string{"older versions enforce no policies"},
	}
}

func kubeRouter() System {
	return System{
		Name: "kube-router", Aliases: []string{"kuberouter"}, Title: "kube-router",
		DetectLocal: "bridge:kube-bridge", Why: "pods are ports of the bridge kube-bridge",
		Egress: ByPlugin, Policy: ByPlugin, Services: MayServe,
		SwitchOff: []string{"--run-service-proxy, which serves Services by IPVS"},
		Marks: []Mark{
			{Value: 0x10000, Mask: 0x10000, Use: "a policy allows the packet"},
			{Value: 0x20000, Mask: 0x20000, Use: "a policy was asked about the packet"},
		},
		Tables: []string{"ip kube-router-filter-ipv4", "ip6 kube-router-filter-ipv6"},
		Chains: []string{"KUBE-ROUTER-*", "KUBE-NWPLCY-*", "KUBE-POD-FW-*"}, Devices: []string{"kube-bridge", "kube-dummy-if", "tun-*"},
		Ports: []Port{bgp()}, Layouts: []string{Bridge},
		Signs: Signs{
			Types: []string{"bridge"}, Files: []string{"10-kuberouter"}, Bridges: []string{"kube-bridge"}, Interfaces: []string{"kube-bridge"},
			DaemonSets: []string{"kube-router"}, Images: []string{"cloudnativelabs/kube-router"},
		},
		Sources: []string{github("cloudnativelabs/kube-router", "docs/kubeadm.md"), github("cloudnativelabs/kube-router", "docs/nftables.md"), github("cloudnativelabs/kube-router", "docs/user-guide.md")},
		Sure:    Read,
		Doubts:  []string{"--enable-pod-egress decides whether it masquerades egress"},
	}
}

func coil() System {
	return System{
		Name: "coil", Title: "Coil",
		DetectLocal: "prefix:veth", Why: "every pod has a veth… on the node; Calico is told this prefix where it enforces policies beside Coil",
		Egress: ByPlugin, Policy: ByAddOn, Services: LeavesServices,
		Ports:   []Port{{"UDP", 5555, "egress NAT"}, {"TCP", 9384, "metrics"}, {"TCP", 9385, "health"}},
		Devices: []string{"veth*"}, Layouts: []string{VethPrefix},
		Signs:   Signs{Types: []string{"coil"}, Files: []string{"10-coil"}, DaemonSets: []string{"coild"}, Images: []string{"cybozu-go/coil", "cybozu/coil"}, Fallback: true},
		Sources: []string{github("cybozu-go/coil", "docs/cmd-coild.md"), github("cybozu-go/coil", "v2/netconf.json")},
		Sure:    Read,
		Doubts:  []string{"only pods that ask for an Egress have their traffic translated; all others keep their address", "it has routing tables 116 and 119; the marks of its Egress pods are in their own namespaces"},
	}
}

func weave() System {
	return System{
		Name: "weave", Aliases: []string{"weave-net"}, Title: "Weave Net",
		DetectLocal: "bridge:weave", Why: "pods are ports of the bridge weave",
		Egress: ByPlugin, Policy: ByPlugin, Services: LeavesServices,
		Marks: []Mark{
			{Value: 0x40000, Mask: 0x40000, Use: "a policy allows the packet to leave"},
			{Value: 0x20000, Mask: 0x20000, Use: "the packet is to be encrypted (IPsec)"},
		},
		Chains: []string{"WEAVE", "WEAVE-*"}, Devices: []string{"weave", "vethwe*", "vxlan-6784", "datapath"},
		Ports:   []Port{{"TCP", 6783, "control"}, {"UDP", 6783, "data"}, vxlan(6784)},
		Layouts: []string{Bridge, OverlayVXLAN},
		Signs: Signs{
			Types: []string{"weave-net"}, Files: []string{"10-weave"}, Interfaces: []string{"weave"},
			DaemonSets: []string{"weave-net"}, Images: []string{"weaveworks/weave-kube"}, Fallback: true,
		},
		Sources: []string{github("weaveworks/weave", "npc/constants.go"), github("weaveworks/weave", "net/ipsec/ipsec.go")},
		Sure:    Read,
		Doubts:  []string{"ports of nodes with other settings than weave launch's defaults differ"},
	}
}
