// Package lint looks for what is valid in Services and probably not what was
// meant. It works on the objects, not on a node's program: a Service that has no
// ClusterIP yet can be wrong already. What it says of policies is in
// compiler/policy, which has them compiled.
//
// That no pod has a label or a port is said only where pods are known: given, or
// made by internal/input/synth.
package lint
