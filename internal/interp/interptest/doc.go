// Package interptest compares an interpreter of emitted files with the
// evaluator, on clusters and packets that nobody chose.
package interptest
