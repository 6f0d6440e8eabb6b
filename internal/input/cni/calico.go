package cni

// calicos are Calico's three dataplanes, and Canal, which is its policies over flannel's
// network.
func calicos() []System {
	return []System{calicoIPTables(), calicoNFTables(), calicoEBPF(), canal()}
}

// calicoBase is what Calico's dataplanes have in common.
func calicoBase() System {
	return System{
		DetectLocal: "prefix:cali", Why: "every pod has a veth cali… on the node, with proxy ARP",
		Egress: ByPlugin, Policy: ByPlugin, Services: LeavesServices,
		Give:    []string{"detectLocal, where FELIX_INTERFACEPREFIX is not cali"},
		Devices: []string{"cali*", "tunl0", "vxlan.calico", "wireguard.cali"},
		Ports:   []Port{bgp(), vxlan(4789), {"TCP", 5473, "Typha"}},
		Layouts: []string{VethProxyARP, OverlayVXLAN},
		Sources: []string{github("projectcalico/calico", "felix/config/config_params.go"), "https://docs.tigera.io/calico/latest/getting-started/kubernetes/requirements"},
		Sure:    Read,
		Doubts:  []string{"an IP pool without natOutgoing leaves egress as it is; which pools have it is not in the node's files"},
	}
}

// calicoMarks is the mask that Felix takes its bits from, as long as iptablesMarkMask says no other.
func calicoMarks() []Mark {
	return []Mark{{Mask: 0xffff0000, Use: "Felix takes its bits from this mask (IptablesMarkMask)"}}
}

func calicoIPTables() System {
	s := calicoBase()
	s.Name, s.Title = "calico", "Calico, iptables dataplane"
	s.Aliases = []string{"calico-iptables"}
	s.Marks, s.Chains = calicoMarks(), []string{"cali-*"}
	s.Signs = Signs{
		Types: []string{"calico"}, Files: []string{"10-calico"}, Interfaces: []string{"cali*"},
		DaemonSets: []string{"calico-node"}, Images: []string{"calico/node"}, Fallback: true,
	}
	return s
}

func calicoNFTables() System {
	s := calicoBase()
	s.Name, s.Title = "calico-nftables", "Calico, nftables dataplane"
	s.Marks, s.Tables = calicoMarks(), []string{"ip calico", "ip6 calico"}
	s.Doubts = append(s.Doubts, "files and interfaces are those of the iptables dataplane, so that detection says calico; the settings are the same")
	return s
}

func calicoEBPF() System {
	s := calicoBase()
	s.Name, s.Title = "calico-ebpf", "Calico, eBPF dataplane"
	s.Services = ReplacesServices
	s.SwitchOff = []string{"bpfEnabled in FelixConfiguration (or linuxDataplane: BPF of the operator)"}
	s.Marks = []Mark{
		{Mask: 0x1ff00000, Use: "programs and rules tell each other what was decided"},
		{Value: 0x41000000, Mask: 0xff000000, Use: "to the device bpfout.cali"},
		{Mask: 0xffff0000, Use: "Felix takes its other bits from this mask (IptablesMarkMask)"},
	}
	s.Chains = []string{"cali-*"}
	s.Devices = append(s.Devices, "bpfin.cali", "bpfout.cali")
	s.Signs = Signs{Types: []string{"calico"}, Files: []string{"10-calico"}, Interfaces: []string{"cali*", "bpfin.cali"}}
	s.Sources = append(s.Sources, github("projectcalico/calico", "felix/bpf-gpl/bpf.h"), "https://docs.tigera.io/calico/latest/operations/ebpf/enabling-ebpf")
	return s
}

func canal() System {
	s := calicoBase()
	s.Name, s.Title = "canal", "Canal: Calico's policies over flannel's network"
	s.Marks = append(calicoMarks(), flannelMark())
	s.Chains = []string{"cali-*", "FLANNEL-POSTRTG", "FLANNEL-FWD"}
	s.Devices, s.Ports = []string{"cali*", "flannel.1"}, []Port{vxlan(8472)}
	s.Signs = Signs{
		Types: []string{"calico"}, Files: []string{"10-canal"}, Interfaces: []string{"cali*", "flannel.1"},
		DaemonSets: []string{"canal", "rke2-canal"},
	}
	s.Sources = []string{github("projectcalico/calico", "manifests/canal.yaml"), github("flannel-io/flannel", "pkg/trafficmngr/iptables/iptables.go")}
	s.Doubts = nil
	return s
}
