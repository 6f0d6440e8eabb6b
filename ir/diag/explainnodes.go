package diag

// aboutNodes explains the codes of nodes, configuration and backends: PLC03xx to
// PLC05xx.
var aboutNodes = map[Code]Explanation{
	UnknownNode: {
		"Rules for a node that is not there lack its addresses, its zone and every endpoint that is local to it, and still look right.",
		"planec compile --node node-z     # the input has node-a and node-b",
	},
	NodeWithoutIP: {
		"nodePorts are served at the node's addresses, and the Node object has none.",
		"kind: Node\nstatus: {addresses: [{type: Hostname, address: node-a}]}",
	},
	BadNodeIP: {
		"An address of the node cannot be read; nodePorts are not served there.",
		"status: {addresses: [{type: InternalIP, address: 192.0.2.300}]}",
	},
	NoDetector: {
		"Which route a packet takes, and whether it is masqueraded, depends on whether it comes from a pod. Without a way to recognise pods all traffic counts as from outside. planec takes the range around the podCIDRs of all Nodes where every Node has them, and says so as a note; the agent, which may not see them all, takes settings only, and so do apply and verify, which say what compile would take. To lint this is a note: settings are not manifests.",
		"planec compile -f manifests/     # without --cluster-cidr",
	},
	BadNodeCIDR: {
		"The node's range of pod addresses cannot be read, so its pods are not recognised by it.",
		"kind: Node\nspec: {podCIDR: 10.244.1.0}",
	},
	BadServiceCIDR: {
		"The range of ClusterIPs cannot be read. Packets to addresses of it that no Service has are not refused.",
		"kind: ServiceCIDR\nspec: {cidrs: [10.96.0.0]}",
	},
	NoNodes: {
		"Nodes say where nodePorts are served, in which zone endpoints are, and where pods have their addresses.",
		"planec lint -f manifests/        # a repository holds no Nodes: use --synth",
	},
	PodCIDRClash: {
		"A route leads to one node only. The older node keeps its range, and nothing reaches the pods of the other; a node never gives away its own range.",
		"kind: Node\nmetadata: {name: node-b}\nspec: {podCIDR: 10.244.0.0/16}     # node-a has 10.244.1.0/24",
	},
	UnroutableCIDR: {
		"A route to this range would take packets away from what they are meant for: from nodes, or from networks that are not the cluster's.",
		"kind: Node\nspec: {podCIDR: 0.0.0.0/0}",
	},
	UnroutedNode: {
		"A route leads from a podCIDR to an address of the same family. The node's pods are reached by no other node.",
		"kind: Node\nspec: {podCIDRs: [10.244.1.0/24, 'fd00:1::/64']}\nstatus: {addresses: [{type: InternalIP, address: 192.0.2.1}]}     # no IPv6",
	},
	OutsideSubnet: {
		"Without encapsulation the next hop is the other node itself, which the kernel reaches only in a subnet of its own.",
		"planec-agent --pod-routes native     # nodes 192.0.2.1/24 and 198.51.100.1/24",
	},
	PodRouteLimit: {
		"planec bounds what a list of Nodes can make a node's kernel hold.",
		"planec compile --pod-routes vxlan     # a cluster of 30,000 nodes",
	},
	NodeAddressClash: {
		"Packets for two nodes would get to one of them. The older node keeps the address, and the own node always.",
		"kind: Node\nstatus: {addresses: [{type: InternalIP, address: 192.0.2.1}]}     # node-a has it too",
	},
	MasqueradedPods: {
		"Policies on the other node judge by the pod's address, and see the node's. The ranges of ip-masq-agent's default hold private addresses only.",
		"kind: NodeConfig\npodRoutes: native\nmasqAgent: {nonMasqueradeCIDRs: [192.168.0.0/16]}     # podCIDR 10.244.1.0/24",
	},
	ForeignRoute: {
		"planec changes only its own routes. Two programs that both mean to route to pods would undo each other's work.",
		"ip route show 10.244.2.0/24          # proto static, and not proto 112",
	},
	NoSubnet: {
		"Manifests say a node's address and not its subnet. The agent and apply ask the kernel; compile cannot.",
		"planec compile -f manifests/ --pod-routes auto",
	},
	LoopbackNodePort: {
		"Rules of these backends do not see connections to loopback addresses. The agent forwards TCP there; other protocols are not served.",
		"--nodeport-addresses 127.0.0.0/8",
	},
	IgnoredSetting: {
		"The field of kube-proxy's configuration is about something that planec does otherwise or not at all.",
		"kind: KubeProxyConfiguration\noomScoreAdj: -999",
	},
	DeprecatedMode: {
		"kube-proxy is to lose this mode, so a node that goes back to kube-proxy will need another one.",
		"kind: KubeProxyConfiguration\nmode: ipvs",
	},
	NetworkServes: {
		"The plugin translates connections to Services by its own flows or programs. Beside planec a connection meets whichever is first, and the answers may pass the other one.",
		"planec-agent --cni ovn-kubernetes",
	},
	MarkCollision: {
		"planec tells its own later rules by one bit of the packet mark that a packet is to be masqueraded, and backend ipvs by 14 more which virtual service it goes to. A plugin that uses the same bits makes packets look so, or planec makes packets look like the plugin's. Where the plugin looks for kube-proxy's bit 14, planec must use it too.",
		"planec-agent --cni calico --masquerade-bit 20",
	},
	UnknownNetwork: {
		"The preset of the plugin leaves open how packets of the node's own pods are told from others: nothing that could be read says so. Which route a packet takes, and whether it is masqueraded, depends on it.",
		"planec-agent --cni contiv        # without --detect-local",
	},
	NetworkFound: {
		"--cni auto looked at the node's CNI configurations and interfaces. The message has the plugin, the file that decided, and the settings that follow.",
		"planec-agent --cni auto",
	},
	NoNetworkFound: {
		"--cni auto found no CNI configuration, one of a plugin that planec does not know, or interfaces of several plugins. Plugins are often installed after the agent has begun to serve: it looks again.",
		"planec-agent --cni auto          # before the plugin's DaemonSet has written /etc/cni/net.d",
	},
	UnreadNetwork: {
		"The file is no JSON object of a network, or larger or deeper than any configuration is. Runtimes differ in what they do then, so pods may be made by another plugin than planec takes to be there.",
		"/etc/cni/net.d/10-broken.conflist",
	},
	NotExpressible: {
		"The backend has no way to do what the object asks for. It is given up safely: a Service refuses connections, a policy closes what it selects.",
		"planec lint --backend ebpf       # a pool larger than its maps",
	},
	Approximated: {
		"The backend does nearly what the object asks for; the message says what is different. Only users of that backend are concerned, so lint counts it for backends that --backend names.",
		"planec lint --backend ipvs       # a LoadBalancer: its address is bound, so other ports of it reject",
	},
	KernelRefused: {
		"The kernel did not take the rules of this object, and took all others. It is given up safely and tried again.",
		"planec-agent on a kernel without SCTP, with a Service of SCTP",
	},
	Unserved: {
		"Another process has the port, or the address is not up. Health checks or nodePorts on loopback are not answered until it is free.",
		"ss -ltnp 'sport = :10256'",
	},
	KeptVersion: {
		"The file was right before. Its last good objects stay in force, so that a slip does not take Services away.",
		"vi /etc/planec/manifests/web.yaml    # saved in the middle of an edit",
	},
	NothingToServe: {
		"The input would remove everything that the kernel serves. That is nearly always a wrong directory or an empty mount.",
		"planec-agent --manifest-dir /mnt/empty",
	},
}
