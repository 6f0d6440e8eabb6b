// Package cnilayout runs golden flows on nodes as network plugins lay them out: each
// layout of internal/input/cni is built in namespaces by internal/testing/testkit, gets
// the settings of a preset, and serves every golden case. A layout that this machine's
// kernel lacks is built in User Mode Linux, and by make kernels in Debian's kernels, which have all
// layouts and all backends.
//
// One backend makes every flow of every case on each layout, the others those of a sample;
// -soak makes all of them.
package cnilayout
