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
	UnservedImport: {
		"planec serves addresses of ServiceImports only in the networks that the setting names: the author of an import could otherwise take any address of the world. Most implementations derive a Service of each import, and that Service is served as any other.",
		"kind: ServiceImport\nspec: {type: ClusterSetIP, ips: [241.0.0.1], ports: [{port: 80}]}      # and no setting serviceImportCIDR",
	},
}
