package diag

// aboutPolicyLint explains lint's codes of policies: PLC072x, and PLC0744 and above.
var aboutPolicyLint = map[Code]Explanation{
	PeerNobody: {
		"There are pods where the peer looks, and none has the labels: the rule lets nothing in or out by it. A dash more or less in the list of peers is the usual cause.",
		"ingress:\n- from:\n  - namespaceSelector: {matchLabels: {team: blue}}\n  - podSelector: {matchLabels: {app: client}}    # two peers, where one was meant",
	},
	PeerElsewhere: {
		"The pods may lie in another repository, or be made by an operator, so nothing can be said about the peer.",
		"from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]",
	},
	EmptyBlock: {
		"Every address of the block is in one of its exceptions.",
		"ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/9, 10.128.0.0/9]}",
	},
	CoveredRule: {
		"What the rule allows is allowed by a wider one of the policy. Mostly the wider one is wider than its author thinks.",
		"ingress:\n- from: [{podSelector: {matchLabels: {app: client}}}]\n- ports: [{port: 80}]        # from everywhere, the client too",
	},
	IdlePolicy: {
		"Policies only add. If this one was written to close something, the other one leaves it open. A policy without rules for the same pods, a default deny, is not reported.",
		"# deny-admin: podSelector app=admin without rules; beside it\nspec: {podSelector: {}, ingress: [{}]}",
	},
	UnreachableRule: {
		"Rules of ClusterNetworkPolicies are asked in order, and an earlier one decides every packet that this one is about.",
		"ingress:\n- {action: Deny, from: [{namespaces: {}}]}\n- {action: Accept, from: [{namespaces: {matchLabels: {team: blue}}}]}",
	},
	BlocksDNS: {
		"A pod that may connect to others by name and may not ask for names fails with timeouts, slowly. Where the input has the DNS Service, its pods' real port counts: OpenShift's listen on 5353 behind port 53. By TCP alone, or at the Service's address, nothing is answered.",
		"policyTypes: [Egress]\negress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]",
	},
	NoSuchPolicyPort: {
		"Named ports stand for what the destination's containers call so. None of these pods does, so the rule matches nothing.",
		"ingress: [{ports: [{port: http}]}]   # the containers call it web",
	},
	PolicyServiceIP: {
		"Connections to a Service have been translated to an endpoint before policies are asked, so a block with the Service's address never matches: in a rule it opens nothing, and as an exception it closes nothing.",
		"egress: [{to: [{ipBlock: {cidr: 10.96.0.10/32}}]}]    # the ClusterIP of kube-dns",
	},
	PolicyServicePort: {
		"Connections to a Service arrive at the pod on the targetPort. The port or nodePort of the Service is one that the pods do not have, so the rule does not let its clients in.",
		"# Service: port 80, targetPort 8080, nodePort 30080\ningress: [{ports: [{port: 80}]}]",
	},
	UnenforcedRules: {
		"The API server stores rules for a direction that policyTypes leaves out, and nothing reads them: the direction is open.",
		"policyTypes: [Ingress]\negress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]",
	},
	RuleOfNoFamily: {
		"A packet has one family, the pods have addresses of the other one only, and so the rule lets nothing in or out.",
		"ingress: [{from: [{ipBlock: {cidr: \"2001:db8::/32\"}}]}]    # pods of IPv4",
	},
	BlockOfNoFamily: {
		"Policies that are used in many clusters list blocks of both families. In this one, blocks of the other family match nothing.",
		"ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}, {ipBlock: {cidr: \"::/0\"}}]}]",
	},
	UnknownIgnored: {
		"A slip in a code leaves the finding there, and a code that was never one hides nothing.",
		"metadata: {annotations: {planec.io/ignore: PLC711}}",
	},
	MirroredEndpoints: {
		"A cluster mirrors Endpoints of a Service without a selector into EndpointSlices, which are what proxies read. --synth does the same, so that the Service is what it will be there. An object with the label endpointslice.kubernetes.io/skip-mirror is left alone.",
		"kind: Endpoints\nsubsets: [{addresses: [{ip: 198.51.100.78}], ports: [{port: 8080}]}]",
	},
	EngineBlock: {
		"By Kubernetes' text a block matches every address in it. To Cilium it means addresses outside of the cluster, and no pods and no nodes, unless an option says so: the rule lets fewer in there, and an exception in a rule that denies leaves more open.",
		"# beside a CiliumNetworkPolicy\negress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]    # also to pods; not with Cilium",
	},
	EngineLabel: {
		"Cilium leaves some labels of pods out of what it selects by, such as pod-template-hash and most of kubernetes.io/. A policy whose podSelector asks for one selects no pod there, and isolates none.",
		"podSelector: {matchLabels: {statefulset.kubernetes.io/pod-name: db-0}}",
	},
	EngineBaseline: {
		"What a NetworkPolicy isolates never comes to the Baseline tier, by the text of network-policy-api. Cilium asks that tier for what no rule matched, so its Accept opens what the NetworkPolicy was to close.",
		"spec: {tier: Baseline, subject: {namespaces: {}}, ingress: [{action: Accept, from: [{namespaces: {}}]}]}    # beside a default deny",
	},
	EnginePort: {
		"Kubernetes counts the ports of containers and sidecars. Calico counts those of all init containers too, Cilium those of containers alone, and of several with one name the last.",
		"initContainers: [{restartPolicy: Always, ports: [{name: metrics, containerPort: 9090}]}]\n# in the policy\ningress: [{ports: [{port: metrics}]}]",
	},
	EngineShared: {
		"The text of NetworkPolicy says that what no NetworkPolicy allows is denied to an isolated pod. Beside policies of Calico and Cilium that holds for all of them together: theirs can allow more, and can deny what it allows.",
		"# NetworkPolicy: podSelector app=web, ingress from app=front; beside it\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nspec: {endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEntities: [world]}]}",
	},
}
