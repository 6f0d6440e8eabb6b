// Package golden contains and reads the corpus of test cases that defines planec's
// behaviour. Each directory below cases is one case:
//
//	input*.yaml       Kubernetes objects
//	config.yaml       a NodeConfig, where the case needs settings
//	flows.yaml        the node, and connections with the verdict each must get
//	diagnostics.txt   golden: what is said about the input
//	ir.txt            golden: the program, in its text form
//	<backend>/<file>  golden: what each backend emits
//
// The tests compile every case from shuffled objects, compare the results with the
// goldens (-update rewrites them), evaluate every flow, and make every flow a real
// connection in a real kernel. Review golden changes like code: a commit that
// changes them must say why the rules change.
package golden
