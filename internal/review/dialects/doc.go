// Package dialects answers a question about a connection by the policies of each dialect
// alone, and by the engines of Calico and Cilium, which read policies of Kubernetes in
// their own way where planec follows the texts.
//
// Each answer is a trace through a cluster that has other policies than the input:
// nothing here decides about packets.
package dialects
