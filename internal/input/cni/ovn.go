package cni

// ovns are plugins on top of OVN, which balances connections in logical switches.
func ovns() []System { return []System{kubeOVN(), ovnKubernetes(), nodus()} }

func kubeOVN() System {
	return System{
		Name: "kube-ovn", Aliases: []string{"kubeovn"}, Title: "Kube-OVN",
		DetectLocal: "bridge:ovn0", Why: "packets of the node's pods to the node and beyond come by the port ovn0",
		Egress: ByPlugin, Policy: ByPlugin, Services: MayServe,
		SwitchOff: []string{"enable-lb of kube-ovn-controller, with which OVN serves ClusterIPs to pods", "enable-lb-svc, where Services of type LoadBalancer are planec's"},
		Marks: []Mark{
			{Value: 0x4000, Mask: 0x4000, Use: "packets of pods to Services, which it masquerades as kube-proxy does", Shared: true},
			{Value: 0x90001, Mask: 0x90003, Use: "natOutgoing policies: masquerade (1) or forward (2), and TPROXY"},
		},
		Chains:  []string{"OVN-PREROUTING", "OVN-POSTROUTING", "OVN-OUTPUT", "OVN-MASQUERADE", "OVN-NAT-*"},
		Devices: []string{"ovn0", "genev_sys_6081", "mirror0"}, Ports: []Port{geneve()},
		Layouts: []string{OVS, OverlayGeneve},
		Signs: Signs{
			Types: []string{"kube-ovn"}, Files: []string{"01-kube-ovn", "00-kube-ovn"}, Interfaces: []string{"ovn0"},
			DaemonSets: []string{"kube-ovn-cni"}, Images: []string{"kubeovn/kube-ovn"}, Fallback: true,
		},
		Sources: []string{github("kubeovn/kube-ovn", "pkg/daemon/gateway_linux.go"), github("kubeovn/kube-ovn", "pkg/util/const.go")},
		Sure:    Read,
		Doubts:  []string{"a masqueradeBit other than 14 takes from planec what Kube-OVN says of packets", "current versions can write nftables instead of the chains; the names of its tables were not read"},
	}
}

func ovnKubernetes() System {
	return System{
		Name: "ovn-kubernetes", Aliases: []string{"ovnk", "ovn-k8s", "openshift-ovn"}, Title: "OVN-Kubernetes",
		DetectLocal: "bridge:ovn-k8s-mp0", Why: "packets of pods to the node come by the management port ovn-k8s-mp0",
		Egress: ByPlugin, Policy: ByPlugin, Services: ReplacesServices,
		SwitchOff: []string{"OVN-Kubernetes on these nodes as a whole: Services are load balancers of OVN and flows of the gateway's bridge"},
		Marks:     []Mark{{Value: 0x3f0, Mask: 0x3f0, Use: "packets that are to have the node's address (EgressIP, EgressService)"}},
		Chains:    []string{"OVN-KUBE-NODEPORT", "OVN-KUBE-EXTERNALIP", "OVN-KUBE-ETP", "OVN-KUBE-EGRESSIP"},
		Devices:   []string{"ovn-k8s-mp0", "br-ex", "breth0", "genev_sys_6081"}, Ports: []Port{geneve()},
		Layouts: []string{OVS, OverlayGeneve},
		Signs: Signs{
			Types: []string{"ovn-k8s-cni-overlay"}, Files: []string{"10-ovn-kubernetes"}, Interfaces: []string{"ovn-k8s-mp0"},
			DaemonSets: []string{"ovnkube-node", "ovnkube-single-node-zone"}, Images: []string{"ovn-kube-ubuntu", "ovn-kube-fedora"}, Fallback: true,
		},
		Sources: []string{github("ovn-org/ovn-kubernetes", "docs/design/host_to_services_OpenFlow.md"), github("ovn-org/ovn-kubernetes", "docs/INSTALL.KUBEADM.md")},
		Sure:    Read,
		Doubts:  []string{"its mark is compared as a whole, so that a packet with a bit of planec's is no longer seen as marked"},
	}
}

func nodus() System {
	return System{
		Name: "nodus", Aliases: []string{"ovn4nfv", "ovn4nfv-k8s-plugin"}, Title: "Nodus (OVN4NFV-K8s-Plugin)",
		DetectLocal: Unknown, Why: "pods are ports of OVN's switches; how their packets come to the node was not read",
		Egress: ByUnknown, Policy: ByUnknown, Services: UnknownServices,
		Give:    []string{"detectLocal: cluster-cidr with the range of the default network, or what holds on the node"},
		Layouts: []string{OVS, OverlayGeneve},
		Signs: Signs{
			Types: []string{"ovn4nfvk8s-cni"}, Networks: []string{"ovn4nfv-k8s-plugin"},
			Images: []string{"ovn4nfv-k8s-plugin"}, Fallback: true,
		},
		Sources: []string{github("opnfv/ovn4nfv-k8s-plugin", "README.md")},
		Sure:    Reported,
		Doubts:  []string{"marks, chains, ports and who serves Services were not read"},
	}
}
