package cni

// sdns are plugins that belong to a controller of networks outside of Kubernetes.
func sdns() []System { return []System{contrail(), jaguar(), knitter(), romana()} }

func contrail() System {
	return System{
		Name: "contrail", Aliases: []string{"tungsten-fabric", "tungstenfabric", "tf", "opencontrail"}, Title: "Contrail, Tungsten Fabric",
		DetectLocal: Unknown, Why: "the vRouter's kernel module forwards packets of pods; which of them reach the node's rules was not read",
		Egress: ByPlugin, Policy: ByPlugin, Services: UnknownServices,
		Give:    []string{"detectLocal: cluster-cidr with the pod network's range, or what holds on the node", "whether the cluster has kube-proxy: planec takes its place where it has"},
		Devices: []string{"vhost0", "tap*"}, Layouts: []string{OVS},
		Signs: Signs{
			Types: []string{"contrail-k8s-cni"}, Files: []string{"10-contrail"}, Interfaces: []string{"vhost0"},
			Images: []string{"contrail-vrouter-agent", "contrail-kubernetes-cni-init"}, Fallback: true,
		},
		Sources: []string{"https://docs.tungsten.io/en/latest/", github("tungstenfabric/tf-container-builder", "containers/kubernetes/cni-init/entrypoint.sh")},
		Sure:    Reported,
		Doubts:  []string{"articles say that the vRouter balances connections of pods to ClusterIPs by ECMP; no file was read that says when kube-proxy is left out", "marks and ports of its tunnels were not read"},
	}
}

func jaguar() System {
	return System{
		Name: "jaguar", Title: "Jaguar (OpenDaylight)",
		DetectLocal: Unknown, Why: "nothing of the project could be read but its description: an overlay by VXLAN, an address for each pod",
		Egress: ByUnknown, Policy: ByUnknown, Services: UnknownServices,
		Give:    []string{"detectLocal, and whatever else differs from the defaults"},
		Layouts: []string{OVS, OverlayVXLAN},
		Sources: []string{"https://kubernetes.io/docs/concepts/cluster-administration/networking/"},
		Sure:    HardlyRead,
		Doubts:  []string{"the type of its plugin, its files, marks, chains and ports are not known, so that it is not detected"},
	}
}

func knitter() System {
	return System{
		Name: "knitter", Title: "Knitter",
		DetectLocal: Unknown, Why: "pods are ports of Open vSwitch bridges; how their packets come to the node was not read",
		Egress: ByUnknown, Policy: ByUnknown, Services: UnknownServices,
		Give:    []string{"detectLocal, and masqAgent where nothing else masquerades egress"},
		Layouts: []string{OVS},
		Signs:   Signs{Types: []string{"knitter"}, Files: []string{"10-knitter"}, Fallback: true},
		Sources: []string{github("ZTE/Knitter", "README.md")},
		Sure:    Read,
		Doubts:  []string{"marks, chains, ports and who serves Services were not read"},
	}
}

func romana() System {
	return System{
		Name: "romana", Title: "Romana",
		DetectLocal: Unknown, Why: "every pod has a veth with a route of its own on the node; the names of the veths were not read",
		Egress: ByUnknown, Policy: ByPlugin, Services: LeavesServices,
		Give:   []string{"detectLocal: cluster-cidr with Romana's network, or prefix:NAME of the veths"},
		Chains: []string{"ROMANA-*"}, Layouts: []string{VethPrefix},
		Signs:   Signs{Types: []string{"romana"}, Files: []string{"10-romana"}, Networks: []string{"romana-k8s-network"}, DaemonSets: []string{"romana-agent"}, Images: []string{"romana/agent"}, Fallback: true},
		Sources: []string{github("romana/romana", "containerize/targets/agent/10-romana.conf"), github("romana/romana", "containerize/specs/romana-kubeadm.yml"), github("romana/core", "README.md")},
		Sure:    Read,
		Doubts:  []string{"who masquerades egress, and which devices it makes, was not read"},
	}
}
