// Package interptest compares an interpreter of emitted files with the
// evaluator, on clusters and packets made at random.
package interptest
