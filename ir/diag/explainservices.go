package diag

// aboutServices explains the compiler's codes of Services and EndpointSlices: PLC01xx
// and PLC02xx.
var aboutServices = map[Code]Explanation{
	BadServiceIP: {
		"The Service has no frontend at an address that is none: no client reaches it there. The API server refuses such an object.",
		"spec: {clusterIP: 10.96.0.999}",
	},
	BadServicePort: {
		"A port with an impossible number, an unknown protocol or the name of another one has no meaning in the kernel. The Service's other ports are served.",
		"spec: {ports: [{port: 70000}]}",
	},
	BadSourceRange: {
		"The list says who may use the load balancer. Leaving the bad range out could let in too many or too few, so the load balancer's addresses are closed until it is right.",
		"spec: {loadBalancerSourceRanges: [192.0.2.0-192.0.2.255]}",
	},
	ClaimedFrontend: {
		"A packet to this address and port can go to one Service only. The order of claims is fixed, so it is always the same one, and the other gets nothing there.",
		"# web and cart\nspec: {externalIPs: [198.51.100.1], ports: [{port: 80}]}",
	},
	BadAffinity: {
		"Clients cannot be kept with an endpoint for the time that is written. The Service works, and each connection may go to another endpoint.",
		"spec: {sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}}",
	},
	BadExternalIP: {
		"The address is none, or one that a node must not take from others, as loopback. The Service is not served there.",
		"spec: {externalIPs: [127.0.0.1]}",
	},
	BadIngressIP: {
		"The load balancer's address in the status is none, or one that a node must not take. The Service is not served there.",
		"status: {loadBalancer: {ingress: [{ip: 0.0.0.0}]}}",
	},
	SourceRangeFamily: {
		"Ranges restrict their own family only. With IPv4 ranges alone, the IPv6 address of the load balancer is open to everyone, which is seldom meant.",
		"spec: {ipFamilies: [IPv4, IPv6], loadBalancerSourceRanges: [192.0.2.0/24]}",
	},
	BadHealthPort: {
		"Load balancers ask this port whether the node has endpoints. Without a valid one they do not learn it, and send to nodes that drop.",
		"spec: {externalTrafficPolicy: Local, healthCheckNodePort: 70000}",
	},
	BadPolicy: {
		"A traffic policy says which endpoints may be used; guessing one could send traffic where it must not go. The Service is left out.",
		"spec: {internalTrafficPolicy: Nearest}",
	},
	NoClusterIP: {
		"ClusterIPs are given by the API server, so manifests seldom have them. Rules for the Service need one; --synth makes one up.",
		"kind: Service\nspec: {ports: [{port: 80}]}",
	},
	DeniedExternalIP: {
		"Who may write externalIPs can take connections to any address (CVE-2020-8554), so the setting external-ips says which are allowed, and this one is not.",
		"planec compile --external-ips 198.51.100.0/24    # and spec.externalIPs: [203.0.113.9]",
	},
	FrontendBudget: {
		"One Service must not cost the node more than a thousand ordinary ones. This one has too many addresses, ports or source ranges.",
		"spec: {externalIPs: [...]}       # thousands",
	},
	EndpointBudget: {
		"Every endpoint costs rules once for each port. Endpoints times ports are more than one Service is given.",
		"spec: {ports: [...]}             # hundreds, with thousands of endpoints",
	},
	BadEndpoint: {
		"The endpoint's address is none, of another family than its slice, or one that cannot be forwarded to. Connections go to the other endpoints.",
		"addressType: IPv4\nendpoints: [{addresses: [\"fd00::1\"]}]",
	},
	DuplicateEndpoint: {
		"While slices are rebuilt an endpoint may be in two of them, with different conditions. It is used once.",
		"# in web-a and web-b\nendpoints: [{addresses: [10.1.0.5]}]",
	},
	OrphanSlice: {
		"Slices belong to the Service that their label names. Without it their endpoints get no traffic.",
		"kind: EndpointSlice\nmetadata: {name: web-a}     # no label kubernetes.io/service-name",
	},
	BadSlicePort: {
		"The port of the endpoints has an impossible number or an unknown protocol, so they are not used for it.",
		"ports: [{name: http, port: 0}]",
	},
	BadAddressType: {
		"Endpoints that are domain names exist for other readers; the kernel forwards to addresses only.",
		"addressType: FQDN",
	},
	BadAnnouncement: {
		"The addresses that it would announce are not answered for, unless another object announces them.",
		"kind: CiliumL2AnnouncementPolicy\nspec: {interfaces: [\"eth(\"]}",
	},
	FQDNLimit: {
		"The agent keeps 10,000 names and 50,000 addresses of what a resolver answers, of names that policies have. A pattern may have any number of them.",
		"spec: {egress: [{toFQDNs: [{matchPattern: \"*\"}]}]}",
	},
	BGPNotLoaded: {
		"The agent could not write frr.conf, or FRR did not load all of it, so routers may know addresses that are not served here, or lack some.",
		"planec-agent --bgp frr --frr-dir /etc/frr     # and /etc/frr/frr.conf is an administrator's",
	},
	NoDNSRecord: {
		"A client that asks for the name gets no answer. DNS has names of letters in lower case, digits and dashes, of at most 63 characters between two dots.",
		"spec: {type: ExternalName, externalName: 203.0.113.7}     # an address is no name",
	},
}
