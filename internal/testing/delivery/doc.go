// Package delivery tests the files that are delivered beside the programs: for
// clusters, nodes and CI.
package delivery
