// Package randomcluster makes clusters that no person would write: small, seeded, and
// with every field of Services, slices and policies set to something. Property tests
// compile them and compare what the evaluator, the emitted rules and a real
// kernel do with them.
package randomcluster
