package diag

// aboutClusters explains the codes about several clusters.
var aboutClusters = map[Code]Explanation{
	BadClusterAffinity: {
		"Cilium says nothing about an unknown word and uses the endpoints of all clusters, and so does planec: connections leave the cluster that were meant to stay.",
		"metadata: {annotations: {service.cilium.io/global: \"true\", service.cilium.io/affinity: locale}}",
	},
}
