package diag

// aboutCalico explains the codes of Calico's policies: PLC0660 to PLC0679.
var aboutCalico = map[Code]Explanation{
	UnknownTier: {
		"The tier says when a policy is asked, and what happens to packets that none of its rules matches. Without it, both would be guessed.",
		"apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: security.block}\nspec: {tier: security}    # and no Tier security",
	},
	RefusedCalico: {
		"The cluster does not have the object. A tier's policies are then left out, and a network set has no addresses.",
		"apiVersion: projectcalico.org/v3\nkind: GlobalNetworkSet\nmetadata: {name: bad}\nspec: {nets: [everywhere]}",
	},
	HostPolicy: {
		"Such a policy never judges connections of pods, neither with Calico nor here. What it was to close at the hosts is open.",
		"apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nspec: {preDNAT: true, applyOnForward: true, ingress: [{action: Deny}]}",
	},
	HTTPMatch: {
		"The kernel's rules see addresses and ports. Every request of the connection passes, not only those of the rule.",
		"spec: {ingress: [{action: Allow, http: {methods: [GET]}}]}",
	},
	PolicyServiceNobody: {
		"A rule for a Service is about the endpoints of its EndpointSlices. There are none, so the rule matches nothing.",
		"spec: {egress: [{action: Allow, destination: {services: {name: gone, namespace: shop}}}]}",
	},
	PolicyServiceNamespace: {
		"Calico's documentation says that the policy's own namespace is meant, and its agent looks for a Service without a namespace. planec opens nothing by it, and closes what was to be closed.",
		"spec: {egress: [{action: Deny, destination: {services: {name: db}}}]}",
	},
	EmptyServiceAccounts: {
		"Names and selector are asked for only if they are there, so an empty serviceAccounts restricts nothing.",
		"spec: {ingress: [{action: Allow, source: {serviceAccounts: {}}}]}",
	},
	CalicoOrder: {
		"In a cluster with Calico, an Allow of Calico's behind order 1000 still lets in what a NetworkPolicy does not, and a Deny before it closes what it allows.",
		"# beside a NetworkPolicy of Kubernetes\napiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nspec: {order: 3000, ingress: [{action: Allow}]}",
	},
}
