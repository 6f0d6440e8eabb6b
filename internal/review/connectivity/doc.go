// Package connectivity says who can reach whom, on every port: all packets that
// policies admit from one workload or network outside to another one, and what an
// Ingress or a route of a Gateway leads into the cluster.
//
// Pods of one workload that policies treat alike are one [End], and ends that policies
// treat alike are one class, so that the work grows with what policies tell apart and
// not with the number of pods. Ports are whole sets, by package clusterwide.
package connectivity
