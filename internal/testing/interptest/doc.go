// Package interptest compares interpreters of emitted files with the evaluator, on
// random clusters and packets.
package interptest
