// Package diffreport is the result of comparing two states of a cluster, as
// data. All output formats share its order and words.
package diffreport
