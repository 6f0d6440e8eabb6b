// Package randomcluster generates unusual clusters: small, seeded, and with values
// in every field of Services, slices and policies. Property tests compile them and
// compare the results of the evaluator, the emitted rules and a real kernel.
package randomcluster
