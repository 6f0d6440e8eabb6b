// Package proofmutants makes wrong files and wrong programs, for tests of proofs: each has
// one small fault of a kind that emitters and hands make. A proof must refute every one
// that does anything else with any packet.
package proofmutants
