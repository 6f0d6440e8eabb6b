// Package diffreport is what a comparison of two states of a cluster found, as
// data: its order and its words are the same in every output.
package diffreport
