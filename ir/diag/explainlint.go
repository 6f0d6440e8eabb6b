package diag

// aboutLint explains the codes of synth and of lint about Services: PLC070x, PLC071x
// and PLC073x to PLC0743.
var aboutLint = map[Code]Explanation{
	SynthLimit: {
		"A number in a file must not fill the memory, so no more pods are made. What is said of the workload is about those that were made.",
		"kind: Deployment\nspec: {replicas: 50000}",
	},
	SynthRangeFull: {
		"The range has fewer addresses or ports than there are objects, so some have none, and no rules.",
		"planec lint --synth --service-cidr 10.96.0.0/30",
	},
	SelectsNothing: {
		"There are pods in the namespace, and none has these labels. A Service has no endpoints then, and a policy protects nothing. Mostly it is a label that was changed in one place only.",
		"kind: Service\nspec: {selector: {app: web}}         # the template has app: webapp",
	},
	PodsElsewhere: {
		"Pods with these labels may well exist: an operator makes them, the workload has no replicas, or it lies in another repository. So nothing can be said about them.",
		"kind: Service\nspec: {selector: {postgresql.cnpg.io/cluster: orders}}    # beside a Cluster of that operator",
	},
	NoSuchTargetPort: {
		"The name is looked up in the containers of the selected pods. None has it, so the port of the Service has no endpoints.",
		"kind: Service\nspec: {ports: [{port: 80, targetPort: http}]}    # the containers call it web",
	},
	NodePortClash: {
		"A nodePort is one for the whole cluster. The API server refuses the second Service that asks for it.",
		"# in two Services\nspec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}",
	},
	IdleSourceRange: {
		"Its author thinks that clients are restricted, and they are not, or not by this range.",
		"spec: {type: NodePort, loadBalancerSourceRanges: [192.0.2.0/24]}",
	},
	LocalNowhere: {
		"With Local only endpoints of the node that got the packet are used. Where no endpoint is on a node of the input, all drop.",
		"spec: {type: NodePort, externalTrafficPolicy: Local}    # endpoints without nodeName",
	},
	VIPInServiceRange: {
		"The API server may give this address to a Service as its ClusterIP, and then one of the two gets nothing.",
		"spec: {externalIPs: [10.96.0.77]}    # --service-cidr 10.96.0.0/16",
	},
	VIPOfNode: {
		"Connections to the node on this port go to the Service. That is how bare-metal clusters are made reachable, and it takes what listens there on the node.",
		"spec: {externalIPs: [192.0.2.1], ports: [{port: 22}]}",
	},
	VIPOfAPIServer: {
		"The Service takes connections to the API server on its ports, from pods as from nodes (CVE-2020-8554).",
		"spec: {externalIPs: [192.0.2.12], ports: [{port: 6443}]}",
	},
	VIPOfService: {
		"The address belongs to another Service, which is asked first on every port of it.",
		"spec: {externalIPs: [10.96.0.10]}    # the ClusterIP of kube-dns",
	},
	VIPOfPod: {
		"The Service takes connections to the pod on its ports, so the pod cannot be reached there.",
		"spec: {externalIPs: [10.1.0.5]}",
	},
	NoSlicePort: {
		"Ports of slices belong to the Service's port of the same name and protocol. These match none, so the Service rejects though it has endpoints.",
		"# Service: ports: [{name: pg, port: 5432}]\nkind: EndpointSlice\nports: [{name: \"\", port: 5432}]",
	},
	OutsideClusterCIDR: {
		"Traffic of these pods counts as from outside: it is masqueraded, and Local traffic policies drop it.",
		"--cluster-cidr 10.244.0.0/16, and a pod at 10.34.3.3",
	},
	TakenEndpoint: {
		"Connections to the endpoint go to this Service instead, those of the other Service among them.",
		"spec: {externalIPs: [10.1.0.6], ports: [{port: 8080}]}    # an endpoint of another Service",
	},
	EndpointIsClusterIP: {
		"A packet is translated once. Whether it is translated again at the other Service depends on the proxy, so it works in one cluster and not in the next.",
		"kind: EndpointSlice\nendpoints: [{addresses: [10.96.0.90]}]",
	},
	HealthPortIsNodePort: {
		"The load balancer's questions go to the other Service's endpoints, whose answers are taken for this one's health.",
		"spec: {type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 31500}",
	},
	FamilyWithoutEndpoints: {
		"Clients that resolve the name to both addresses may try the one that rejects first.",
		"spec: {ipFamilies: [IPv4, IPv6]}     # and slices of IPv4 only",
	},
	NothingBehind: {
		"Connections are rejected: nothing says which endpoints the Service has.",
		"kind: Service\nspec: {ports: [{port: 80}]}    # neither a selector nor slices",
	},
	FurtherAddresses: {
		"The API allows a list and every consumer uses the first address, so the others get no traffic.",
		"endpoints: [{addresses: [10.1.0.6, 10.1.0.7]}]",
	},
}
