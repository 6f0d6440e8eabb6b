// Package lint finds valid Services that are probably not as meant. It works on
// the objects, not on a node's program, because a Service without a ClusterIP
// can already be wrong. Findings about policies are in compiler/policy, which
// has them in compiled form.
//
// A missing pod label or port is only reported if pods are known: given, or made
// by internal/input/synth.
package lint
