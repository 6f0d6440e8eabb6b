package diag

// aboutPools explains the codes of addresses for Services of type LoadBalancer: PLC0131 to
// PLC0138.
var aboutPools = map[Code]Explanation{
	BadPool: {
		"What cannot be read has no addresses to give. The pool's other addresses are given, and a Service keeps an address that no pool has any more only if another controller wrote it.",
		"apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: lan}\nspec: {addresses: [192.0.2.20-192.0.2.10]}    # ends before it begins",
	},
	PoolConflict: {
		"An address of two pools would be given twice, or by the rules of the wrong pool. Cilium disables the younger pool, MetalLB refuses its whole configuration.",
		"kind: CiliumLoadBalancerIPPool\nspec: {blocks: [{cidr: 192.0.2.0/24}, {start: 192.0.2.255, stop: 198.51.100.9}]}",
	},
	PoolExhausted: {
		"Every address of the pools that select the Service belongs to another Service. Services that have an address keep it, so the one that comes last has none, and is not reachable from outside.",
		"kind: CiliumLoadBalancerIPPool\nspec: {blocks: [{cidr: 192.0.2.1/32}]}    # and two Services",
	},
	NoPool: {
		"Pools say which Services they are for: by labels, namespaces and families, and some only for Services that ask for them. No pool gives this Service an address.",
		"kind: CiliumLoadBalancerIPPool\nspec: {serviceSelector: {matchLabels: {zone: a}}, blocks: [{cidr: 192.0.2.0/24}]}    # the Service has zone: b",
	},
	RefusedAddress: {
		"The address is in no pool, or in one that does not select the Service; or another Service has it; or it is of a family that the Service does not have. No other address is given instead, since the Service asks for this one.",
		"kind: Service\nmetadata: {annotations: {lbipam.cilium.io/ips: 203.0.113.1}}    # no pool has it",
	},
	RefusedSharing: {
		"With a sharing key several Services have one address. Packets must tell them apart by port, and a node that drops packets of one must not drop those of another.",
		"metadata: {annotations: {metallb.io/allow-shared-ip: web, metallb.io/loadBalancerIPs: 192.0.2.1}}    # two of them, both with port 80",
	},
	BadAddressRequest: {
		"What the Service asks for cannot be known. An address of its own choice is not what it asked for, so it gets none.",
		"kind: Service\nspec: {type: LoadBalancer, loadBalancerIP: 192.0.2.300}",
	},
	ForeignAddress: {
		"Two controllers that write one status change it for ever. An address outside of all pools, or a domain name, was written by another one, unless the Service has the condition planec.io/AddressesAllocated.",
		"kind: Service\nstatus: {loadBalancer: {ingress: [{hostname: lb.example.com}]}}",
	},
}
