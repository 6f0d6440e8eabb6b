// Package golden holds the corpus of cases that says what planec does, and
// reads it. Each directory below cases is one:
//
//	input*.yaml       Kubernetes objects
//	config.yaml       a NodeConfig, where the case needs settings
//	flows.yaml        the node, and connections with the verdict each must get
//	diagnostics.txt   golden: what is said about the input
//	ir.txt            golden: the program, in its text form
//	<backend>/<file>  golden: what each backend emits
//
// The tests compile every case from shuffled objects, compare with the goldens
// (-update rewrites them), ask the evaluator for every flow, and make every flow
// a real connection in a real kernel. Goldens are read, not only updated: a
// commit that changes them says why the rules change.
package golden
