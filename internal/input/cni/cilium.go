package cni

// ciliums are Cilium's own datapath, Cilium behind another plugin, and Google's Dataplane
// V2, which is made of it.
func ciliums() []System { return []System{cilium(), ciliumChained(), gkeDataplaneV2()} }

// ciliumMarks are the bits of Cilium's marks. Bits 12 to 15 are Kubernetes': Cilium leaves
// kube-proxy's masquerade bit alone and reads it.
func ciliumMarks() []Mark {
	return []Mark{
		{Mask: 0x0f00, Use: "where a packet comes from or goes to: host, proxy, overlay, encryption"},
		{Mask: 0xffff0000, Use: "the identity of the source, low 16 bits; or the port of the proxy"},
		{Mask: 0x00ff, Use: "the identity of the source, high 8 bits"},
		{Value: 0x4000, Mask: 0x4000, Use: "kube-proxy's masquerade", Shared: true},
	}
}

func cilium() System {
	return System{
		Name: "cilium", Title: "Cilium, own datapath",
		DetectLocal: "prefix:lxc", Why: "every pod has a veth lxc… on the node",
		Egress: ByPlugin, Policy: ByPlugin, Services: MayServe,
		SwitchOff: []string{
			"kubeProxyReplacement (kube-proxy-replacement in ConfigMap cilium-config), which serves Services at sockets and network cards",
			"socketLB, nodePort, externalIPs and hostPort, where they were switched on one by one",
		},
		Marks: ciliumMarks(), Chains: []string{"CILIUM_*", "OLD_CILIUM_*"},
		Devices: []string{"lxc*", "cilium_host", "cilium_net", "cilium_vxlan", "cilium_geneve"},
		Ports:   []Port{vxlan(8472), geneve(), {"TCP", 4240, "health checks"}},
		Layouts: []string{VethPrefix, OverlayVXLAN},
		Signs: Signs{
			Types: []string{"cilium-cni"}, Files: []string{"05-cilium"}, Interfaces: []string{"cilium_host", "cilium_net"},
			DaemonSets: []string{"cilium"}, Images: []string{"cilium/cilium", "cilium/cilium-ci"}, Fallback: true,
		},
		Sources: []string{github("cilium/cilium", "pkg/datapath/linux/linux_defaults/mark.go"), "https://docs.cilium.io/en/stable/network/kubernetes/kubeproxy-free/"},
		Sure:    Read,
		Doubts: []string{
			"with enable-host-legacy-routing off, packets between pods and the network card pass eBPF programs and not the rules of a backend: planec sees them only if Cilium hands them to the node",
			"enable-bpf-masquerade and enable-ipv4-masquerade decide who masquerades egress; both are in cilium-config, which detection on a node does not see",
		},
	}
}

func ciliumChained() System {
	s := cilium()
	s.Name, s.Title = "cilium-chained", "Cilium behind another plugin (generic-veth, aws-cni, portmap)"
	s.DetectLocal, s.Why = Unknown, "the first plugin of the chain makes the pods' interfaces; detection takes its value"
	s.Egress, s.Policy = ByDelegate, ByPlugin
	s.Give = []string{"detectLocal of the first plugin of the chain, where the plugin is not detected"}
	s.Devices, s.Ports = []string{"cilium_host", "cilium_net"}, []Port{{"TCP", 4240, "health checks"}}
	s.Layouts = []string{VethPrefix}
	s.Signs = Signs{}
	s.Sources = append(s.Sources, "https://docs.cilium.io/en/stable/installation/cni-chaining/")
	return s
}

func gkeDataplaneV2() System {
	s := cilium()
	s.Name, s.Title = "gke-dataplane-v2", "GKE Dataplane V2"
	s.Aliases = []string{"gke-dpv2"}
	s.DetectLocal, s.Why = "node-cidr", "the node's podCIDR is the range of host-local in its CNI configuration"
	s.Egress, s.Services = ByAddOn, ReplacesServices
	s.SwitchOff = []string{"Dataplane V2 of the cluster: its nodes have no kube-proxy whose place planec could take"}
	s.Devices, s.Ports, s.Layouts = []string{"gke*", "cilium_host", "cilium_net"}, nil, []string{VethPrefix}
	s.Signs = Signs{Networks: []string{"gke-pod-network"}, DaemonSets: []string{"anetd"}}
	s.Sources = []string{"https://cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2", github("GoogleCloudPlatform/netd", "README.md")}
	s.Sure = Reported
	s.Doubts = []string{"marks, chains and ports are taken to be Cilium's; Google's build is not public as a whole", "who masquerades egress depends on the cluster: ip-masq-agent's DaemonSet, or a policy of Google's"}
	return s
}
