// Package clusterset says what a mesh would write into a cluster of several, offline: the slices
// of other clusters for global Services of Cilium (pkg/clustermesh/endpointslicesync) and for
// ServiceImports (KEP-1645), and the pods of other clusters that policies may name. It also finds
// ranges of pods that two clusters have.
package clusterset
