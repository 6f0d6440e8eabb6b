package cni

// openVSwitches are plugins that make pods ports of an Open vSwitch bridge, with flows of
// their own.
func openVSwitches() []System {
	return []System{aci(), antrea(), contiv(), kVSwitch(), nsxT(), openVSwitch()}
}

func aci() System {
	return System{
		Name: "aci", Aliases: []string{"cisco-aci", "opflex"}, Title: "Cisco ACI CNI",
		DetectLocal: "cluster-cidr", Why: "pods have addresses of the fabric's pod subnet; packets to the node come by Open vSwitch",
		Egress: ByUnknown, Policy: ByPlugin, Services: PodServices,
		Give:    []string{"clusterCIDR: pod_subnet of acc-provision's file"},
		Layouts: []string{OVS, OverlayVXLAN},
		Signs: Signs{
			Types: []string{"opflex-agent-cni"}, Files: []string{"10-opflex-cni", "01-opflex-cni"},
			DaemonSets: []string{"aci-containers-host", "aci-containers-openvswitch"}, Fallback: true,
		},
		Sources: []string{github("noironetworks/acc-provision", "doc/features/README.md"), github("noironetworks/aci-containers", "pkg/hostagent/01-base.conf")},
		Sure:    Reported,
		Doubts:  []string{"articles say that Open vSwitch balances connections of pods to Services; which of them still reach the node's rules was not read", "marks, chains and the tunnel's port were not read"},
	}
}

func antrea() System {
	return System{
		Name: "antrea", Title: "Antrea",
		DetectLocal: "node-cidr", Why: "host-local gives pods addresses of the node's podCIDR, which Antrea requires",
		Egress: ByPlugin, Policy: ByPlugin, Services: PodServices,
		SwitchOff: []string{"antreaProxy.proxyAll, which serves all Services", "antreaProxy.enable, where planec is to serve connections of pods too (policies to Services then no longer see the pod behind)"},
		Marks: []Mark{
			{Value: 1 << 31, Mask: 1 << 31, Use: "packets of the node itself"},
			{Value: 1 << 30, Mask: 1 << 30, Use: "answers of Egress to other nodes"},
			{Mask: 0x2fff0000, Use: "the peer node of the layer 2 dispatch"},
			{Mask: 0xff, Use: "the ID of the SNAT address of Egress"},
		},
		Chains: []string{"ANTREA-*"}, Devices: []string{"antrea-gw0", "antrea-tun0", "genev_sys_6081"},
		Ports:   []Port{geneve(), {"TCP", 10350, "antrea-agent's API"}, {"TCP", 10351, "members of the cluster"}, {"UDP", 10351, "members of the cluster"}},
		Layouts: []string{OVS, OverlayGeneve},
		Signs: Signs{
			Types: []string{"antrea"}, Files: []string{"10-antrea"}, Interfaces: []string{"antrea-gw0"},
			DaemonSets: []string{"antrea-agent"}, Images: []string{"antrea/antrea-agent-ubuntu", "antrea/antrea-agent-ubi", "antrea/antrea-ubuntu"}, Fallback: true,
		},
		Sources: []string{
			github("antrea-io/antrea", "pkg/agent/types/marks.go"), github("antrea-io/antrea", "build/charts/antrea/conf/antrea-cni.conflist"),
			github("antrea-io/antrea", "docs/network-requirements.md"),
		},
		Sure:   Read,
		Doubts: []string{"older versions use bit 0 for packets of the node itself", "noSNAT leaves egress as it is"},
	}
}

func contiv() System {
	return System{
		Name: "contiv", Title: "Contiv netplugin",
		DetectLocal: Unknown, Why: "pods are ports of Open vSwitch bridges; how their packets come to the node was not read",
		Egress: ByUnknown, Policy: ByPlugin, Services: UnknownServices,
		Give:    []string{"detectLocal: cluster-cidr with the range of the default network, or what holds on the node"},
		Layouts: []string{OVS, OverlayVXLAN},
		Signs: Signs{
			Types: []string{"contivk8s", "contivk8s.bin"}, DaemonSets: []string{"contiv-netplugin"}, Images: []string{"contiv/netplugin"}, Fallback: true,
		},
		Sources: []string{github("contiv/install", "install/k8s/k8s1.6/contiv.yaml")},
		Sure:    Read,
		Doubts:  []string{"marks, chains, ports and whether it balances Services itself were not read"},
	}
}

func kVSwitch() System {
	return System{
		Name: "k-vswitch", Title: "k-vswitch",
		DetectLocal: "node-cidr", Why: "pods have addresses of the node's podCIDR, which kube-controller-manager allocates",
		Egress: ByUnknown, Policy: ByPlugin, Services: LeavesServices,
		Devices: []string{"k-vswitch0"}, Layouts: []string{OVS, OverlayVXLAN},
		Signs: Signs{
			Types: []string{"k-vswitch-cni"}, Interfaces: []string{"k-vswitch0"}, DaemonSets: []string{"k-vswitchd"}, Images: []string{"k-vswitchd"}, Fallback: true,
		},
		Sources: []string{github("k-vswitch/k-vswitch", "README.md")},
		Sure:    Read,
		Doubts:  []string{"marks and who masquerades egress were not read", "overlays are GRE or VXLAN; the port was not read"},
	}
}

func nsxT() System {
	return System{
		Name: "nsx-t", Aliases: []string{"nsx", "ncp"}, Title: "VMware NSX-T (NCP)",
		DetectLocal: Unknown, Why: "pods are ports of Open vSwitch with logical switches of NSX; their ranges are the manager's",
		Egress: ByPlugin, Policy: ByPlugin, Services: ReplacesServices,
		SwitchOff: []string{"the container nsx-kube-proxy of DaemonSet nsx-node-agent, which serves ClusterIPs by flows"},
		Give:      []string{"detectLocal: cluster-cidr with the IP blocks of NCP, or what holds on the node"},
		Layouts:   []string{OVS, OverlayGeneve},
		Signs:     Signs{Types: []string{"nsx"}, Files: []string{"10-nsx"}, DaemonSets: []string{"nsx-node-agent"}, Images: []string{"nsx-ncp", "nsx-ncp-ubuntu", "nsx-ncp-rhel"}, Fallback: true},
		Sources:   []string{github("vmware/nsx-container-plugin-operator", "README.md")},
		Sure:      Reported,
		Doubts:    []string{"the plugin is not open source: its container nsx-kube-proxy is seen in manifests of users, its marks and flows are not", "whether it works without that container is not known"},
	}
}

func openVSwitch() System {
	return System{
		Name: "ovs", Aliases: []string{"openvswitch", "open-vswitch", "ovs-cni"}, Title: "Open vSwitch (ovs-cni)",
		DetectLocal: Unknown, Why: "pods are ports of a bridge that the operator makes; a plugin for further networks, behind Multus",
		Egress: ByUnknown, Policy: ByNone, Services: LeavesServices,
		Give:    []string{"detectLocal: bridge:NAME of the bridge's internal port, where it is the pods' gateway"},
		Layouts: []string{OVS},
		Signs:   Signs{Types: []string{"ovs"}, DaemonSets: []string{"ovs-cni-amd64"}, Images: []string{"ovs-cni-plugin"}, Fallback: true},
		Sources: []string{github("k8snetworkplumbingwg/ovs-cni", "docs/cni-plugin.md")},
		Sure:    Reported,
		Doubts:  []string{"which addresses pods have, and who routes them, is the operator's own making"},
	}
}
