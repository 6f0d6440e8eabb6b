package diag

// aboutCilium explains the codes of Cilium's policies: PLC0680 to PLC0699.
var aboutCilium = map[Code]Explanation{
	RefusedCIDRGroup: {
		"The cluster does not have the group. Policies that name it find no network: what they would allow stays closed, and what they would deny is open.",
		"apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: bad}\nspec: {externalCIDRs: [198.51.100.10]}",
	},
	UnseenEntity: {
		"Cilium's agent gives these identities to its own endpoints and to pods that it has not seen yet. No object of Kubernetes has them.",
		"spec: {ingress: [{fromEntities: [health]}]}",
	},
	ProxyRule: {
		"The kernel's rules see addresses and ports. Without a proxy the rest of the rule would not be checked, so the rule accepts nothing unless --l7 says otherwise.",
		"spec: {ingress: [{toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: [{method: GET}]}}]}]}",
	},
	NoDomain: {
		"Cilium learns addresses from the DNS answers that pods get. planec reads them from a file, or its agent from what a resolver tells it.",
		"spec: {egress: [{toFQDNs: [{matchName: api.example.com}]}]}",
	},
	CloudGroup: {
		"Cilium's operator asks the cloud for the group's addresses. planec does not.",
		"spec: {egress: [{toGroups: [{aws: {securityGroupsNames: [db]}}]}]}",
	},
	NoService: {
		"Cilium replaces a Service by its endpoints. Without any the rule has no peers, and with ports Cilium then opens these to everybody.",
		"spec: {egress: [{toServices: [{k8sService: {serviceName: gone, namespace: shop}}], toPorts: [{ports: [{port: \"80\"}]}]}]}",
	},
	OpenQuirk: {
		"Some spellings mean more to Cilium's agent than they say, or deny less. planec opens no more than is written.",
		"spec: {egress: [{toFQDNs: [], toPorts: [{ports: [{port: \"443\"}]}]}]}    # everybody to Cilium",
	},
	CiliumOption: {
		"Options of the agent change what policies mean. planec reads those of the ConfigMap cilium-config in kube-system that are listed in docs/policies/cilium.md.",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\ndata: {policy-audit-mode: \"true\"}",
	},
	NodePolicy: {
		"Without its host firewall Cilium does not look at what nodes send and get. What the policy was to close is open.",
		"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nspec: {nodeSelector: {}, ingress: [{fromEntities: [cluster]}]}",
	},
	FilteredLabel: {
		"Cilium makes identities of some labels only, so that pods of one workload share one. A selector finds no other label: what demands it matches nothing, and what excludes it excludes nothing.",
		"spec: {endpointSelector: {matchLabels: {pod-template-hash: 5d4f8}}}",
	},
	NoCIDRGroup: {
		"The entry has no network, so a rule that allows opens nothing by it, and one that denies closes nothing.",
		"spec: {ingress: [{fromCIDRSet: [{cidrGroupRef: gone}]}]}",
	},
	EmptyRule: {
		"In a NetworkPolicy an empty rule allows everything. In a policy of Cilium it allows nothing, and the pods are isolated.",
		"spec: {endpointSelector: {}, ingress: [{}]}",
	},
	OtherNamespace: {
		"A policy of a namespace is about pods of that namespace. Cilium replaces another one by the policy's own, and selects pods there.",
		"metadata: {name: p, namespace: shop}\nspec: {endpointSelector: {matchLabels: {\"k8s:io.kubernetes.pod.namespace\": pay}}}",
	},
}
