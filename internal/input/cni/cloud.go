package cni

// clouds are the plugins of cloud providers.
func clouds() []System {
	return []System{awsVPC(), azure(), kubenet(), gkePTP(), ipvlanVPC()}
}

func awsVPC() System {
	return System{
		Name: "aws-vpc-cni", Aliases: []string{"aws", "aws-cni", "amazon-vpc-cni"}, Title: "AWS VPC CNI",
		DetectLocal: "prefix:eni", Why: "every pod has a veth eni… on the node; AWS_VPC_K8S_CNI_VETHPREFIX names another prefix",
		Egress: ByPlugin, Policy: ByPlugin, Services: LeavesServices,
		Give:   []string{"detectLocal, where AWS_VPC_K8S_CNI_VETHPREFIX is not eni and the plugin is not detected"},
		Marks:  []Mark{{Value: 0x80, Mask: 0x80, Use: "answers of nodePorts leave by the primary network card (AWS_VPC_K8S_CNI_CONNMARK, restored from the connection)"}},
		Chains: []string{"AWS-SNAT-CHAIN-*", "AWS-CONNMARK-CHAIN-*"}, Devices: []string{"eni*", "vlan*"},
		Layouts: []string{VethPrefix},
		Signs: Signs{
			Types: []string{"aws-cni"}, Files: []string{"10-aws"}, Interfaces: []string{"eni*"},
			DaemonSets: []string{"aws-node"}, Images: []string{"amazon-k8s-cni"}, Fallback: true,
		},
		Sources: []string{github("aws/amazon-vpc-cni-k8s", "pkg/networkutils/network.go"), github("aws/amazon-vpc-cni-k8s", "misc/10-aws.conflist")},
		Sure:    Read,
		Doubts: []string{
			"pods with a security group of their own have interfaces vlan…, which prefix:eni does not see; their traffic counts as from outside",
			"AWS_VPC_K8S_CNI_EXTERNALSNAT leaves egress to the network's own gateway",
			"policies are enforced by the plugin's node agent only where it is switched on",
			"current versions can write nftables instead of the chains; the names of its tables were not read",
		},
	}
}

func azure() System {
	return System{
		Name: "azure-cni", Aliases: []string{"azure", "azure-vnet"}, Title: "Azure CNI",
		DetectLocal: "prefix:azv", Why: "in transparent mode every pod has a veth azv… on the node; in bridge mode pods are ports of azure0, which detection reads in the configuration",
		Egress: ByAddOn, Policy: ByAddOn, Services: LeavesServices,
		Give:    []string{"detectLocal: bridge:azure0 in bridge mode, where the plugin is not detected"},
		Devices: []string{"azv*", "azure0"}, Layouts: []string{VethPrefix, Bridge},
		Signs: Signs{
			Types: []string{"azure-vnet"}, Files: []string{"10-azure"}, Interfaces: []string{"azv*"},
			DaemonSets: []string{"azure-cns", "azure-cni"}, Images: []string{"azure-cns", "azure-cni"}, Fallback: true,
		},
		Sources: []string{github("Azure/azure-container-networking", "cni/azure-linux.conflist"), github("Azure/azure-container-networking", "cni/azure-linux-swift-overlay-consolidated.conflist")},
		Sure:    Read,
		Doubts: []string{
			"egress is masqueraded by AKS' own build of ip-masq-agent, which is not the plugin's; without it, give masqAgent",
			"marks and chains of Azure's network policy manager were not read",
			"with Cilium on AKS the row is cilium or cilium-chained",
		},
	}
}

func kubenet() System {
	return System{
		Name: "kubenet", Aliases: []string{"cbr0", "gce"}, Title: "kubenet, cbr0 on GCE",
		DetectLocal: "bridge:cbr0", Why: "pods are ports of the bridge cbr0",
		Egress: ByNode, NonMasquerade: prefixes("10.0.0.0/8"), Policy: ByNone, Services: LeavesServices,
		Give:   []string{"masqAgent, where other networks than 10.0.0.0/8 are reached without masquerade (the kubelet's --non-masquerade-cidr)"},
		Chains: []string{"KUBE-DEDUP"}, Devices: []string{"cbr0", "veth*"}, Layouts: []string{Bridge},
		Signs:   Signs{Types: []string{"bridge"}, Bridges: []string{"cbr0"}, Interfaces: []string{"cbr0"}},
		Sources: []string{github("kubernetes/kubernetes", "pkg/kubelet/dockershim/network/kubenet/kubenet_linux.go"), "https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/network-plugins/"},
		Sure:    Read,
		Doubts:  []string{"the kubelet had it until Kubernetes 1.23 and wrote the masquerade rule itself; on later nodes it is a name for the bridge plugin with cbr0"},
	}
}

func gkePTP() System {
	return System{
		Name: "gke", Aliases: []string{"gke-ptp", "gke-dataplane-v1"}, Title: "GKE without Dataplane V2 (netd)",
		DetectLocal: "node-cidr", Why: "the node's podCIDR is the range of host-local in its CNI configuration",
		Egress: ByAddOn, Policy: ByAddOn, Services: LeavesServices,
		Devices: []string{"gke*"}, Layouts: []string{VethPrefix},
		Signs:   Signs{Types: []string{"ptp", "gke"}, Files: []string{"10-gke-ptp", "10-gke-cni"}, Networks: []string{"gke-pod-network"}, DaemonSets: []string{"netd"}, Images: []string{"netd"}},
		Sources: []string{github("GoogleCloudPlatform/netd", "README.md")},
		Sure:    Reported,
		Doubts:  []string{"egress is ip-masq-agent's, or netd's where enable_masquerade is on", "policies are Calico's, where the cluster has them"},
	}
}

func ipvlanVPC() System {
	return System{
		Name: "cni-ipvlan-vpc-k8s", Aliases: []string{"lyft-vpc", "ipvlan-vpc"}, Title: "cni-ipvlan-vpc-k8s",
		DetectLocal: "prefix:veth", Why: "packets of pods to Services come to the node by a veth… of each pod, beside its ipvlan interface",
		Egress: ByPlugin, Policy: ByNone, Services: LeavesServices,
		Marks:  []Mark{{Value: 0x2000, Mask: 0x2000, Use: "answers of nodePorts leave by the primary network card (nodePortMark, restored from the connection)"}},
		Chains: []string{"CNI-*"}, Devices: []string{"veth*"},
		Layouts: []string{IPVLAN},
		Signs:   Signs{Types: []string{"cni-ipvlan-vpc-k8s-ipam", "cni-ipvlan-vpc-k8s-ipvlan"}, Fallback: true},
		Sources: []string{github("lyft/cni-ipvlan-vpc-k8s", "README.md"), github("lyft/cni-ipvlan-vpc-k8s", "plugin/unnumbered-ptp/unnumbered-ptp.go")},
		Sure:    Read,
		Doubts: []string{
			"egress is masqueraded where ipMasq of cni-ipvlan-vpc-k8s-unnumbered-ptp is on",
			"connections of pods to addresses of the VPC leave by ipvlan and pass no rules of the node",
			"the mark of a connection is restored as a whole, over what other programs have marked before",
		},
	}
}
