package diag

// aboutPolicies explains the compiler's codes of policies and pods: PLC06xx.
var aboutPolicies = map[Code]Explanation{
	RefusedPolicy: {
		"The API server would not accept the policy, so the cluster does not have it, and what it was to close is open.",
		"spec: {podSelector: {}, ingress: [{ports: [{port: 80, endPort: 70}]}]}",
	},
	UnknownPeer: {
		"A later version of the API has kinds of peers that this planec does not know. It does not guess: the rule opens nothing by them.",
		"spec: {egress: [{action: Accept, to: [{services: {}}]}]}",
	},
	DomainNames: {
		"What a name stands for changes, and is known where it is asked for and not in the rules. Connections to such destinations are not allowed by the rule.",
		"spec: {egress: [{action: Accept, to: [{domainNames: [example.org]}]}]}",
	},
	EqualPriority: {
		"Which of two policies of one priority is asked first is left open by the API. Another implementation may decide otherwise.",
		"# in two ClusterNetworkPolicies\nspec: {tier: Admin, priority: 10}",
	},
	UnknownNamedPort: {
		"Named ports stand for what the destination's containers call so. No pod does, so the rule matches nothing.",
		"spec: {podSelector: {}, ingress: [{ports: [{port: metrics}]}]}",
	},
	SharedPodIP: {
		"Rules know pods by their addresses. Of two pods with one address only one can be meant.",
		"# in two Pods\nstatus: {phase: Running, podIPs: [{ip: 10.1.0.5}]}",
	},
	BadPodIP: {
		"Rules know pods by their addresses, and this is none: policies do not hold for the pod.",
		"status: {podIPs: [{ip: 10.1.0.500}]}",
	},
	NoNamespace: {
		"Namespace selectors ask for labels of the Namespace object. Without it, only its name is known.",
		"kind: Pod\nmetadata: {namespace: shop, name: web}    # and no Namespace shop",
	},
	HostNetworkPod: {
		"A pod on the host's network has the node's address, so a NetworkPolicy cannot tell it from the node, and does not protect it.",
		"kind: DaemonSet\nspec: {template: {spec: {hostNetwork: true}}}",
	},
	OpenPodRange: {
		"Addresses are closed one by one, and the range has too many. A new pod is open there until its policies are known.",
		"planec-agent --fail-closed       # with podCIDR 10.0.0.0/8, or of IPv6",
	},
	PolicyBudget: {
		"Peers times ports are more rules than one policy is given, so that one object cannot fill a node. It fails closed.",
		"spec: {ingress: [{from: [...], ports: [...]}]}    # thousands of each",
	},
	TooManyToCompare: {
		"Every rule may make every other superfluous, so the search is bounded. What was found is right; there may be more.",
		"planec lint -f cluster.yaml      # thousands of policies in one namespace",
	},
	NoSuchBackend: {
		"Requests for this host or path reach the controller and end there. It is reported where the input has other Services of the namespace, so that the missing one is no matter of what was given.",
		"kind: Ingress\nspec: {defaultBackend: {service: {name: wbe, port: {number: 80}}}}    # the Service is called web",
	},
	NoSuchBackendPort: {
		"An Ingress and a route name the port of the Service, not that of its pods. Requests for this host or path end at the controller.",
		"kind: Ingress\nspec: {defaultBackend: {service: {name: web, port: {number: 8080}}}}    # 8080 is the targetPort",
	},
}
