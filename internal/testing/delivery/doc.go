// Package delivery has the tests of what is delivered beside the programs: files
// for clusters, nodes and CI.
package delivery
