package diag

// aboutClusters explains the codes about several clusters.
var aboutClusters = map[Code]Explanation{
	BadClusterAffinity: {
		"Cilium says nothing about an unknown word and uses the endpoints of all clusters, and so does planec: connections leave the cluster that were meant to stay.",
		"metadata: {annotations: {service.cilium.io/global: \"true\", service.cilium.io/affinity: locale}}",
	},
	BadImport: {
		"The import does not say how it is reached, or at an address that no Service can have. Clients in this cluster do not reach the Service of the others there.",
		"kind: ServiceImport\nspec: {type: ClusterSetIP, ips: [127.0.0.1], ports: [{port: 80}]}",
	},
	NoImport: {
		"The mesh makes a ServiceImport in every cluster of the set. Without it the input does not say at which address this cluster would reach the Service.",
		"kind: ServiceExport\nmetadata: {namespace: shop, name: web}     # in west; and in east no ServiceImport shop/web",
	},
	ClusterOverlap: {
		"Packets to such an address stay in the own cluster, and what is allowed to a pod of the other one is allowed to the own one that has the address. Routes between clusters need ranges that differ.",
		"# east and west\nkind: Node\nspec: {podCIDR: 10.244.1.0/24}",
	},
	UnservedImport: {
		"planec serves addresses of ServiceImports only in the networks that the setting names: the author of an import could otherwise take any address of the world. Most implementations derive a Service of each import, and that Service is served as any other.",
		"kind: ServiceImport\nspec: {type: ClusterSetIP, ips: [241.0.0.1], ports: [{port: 80}]}      # and no setting serviceImportCIDR",
	},
}
