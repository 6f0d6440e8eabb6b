// Package cni knows the network plugins that planec may find on a node: how each
// one's pods are recognised, who masquerades their traffic, which marks, chains and
// ports it takes, and whether it serves Services itself. From a row of the table it
// derives defaults for a node's settings ([Preset]); from a node's files and
// interfaces, or from the cluster's workloads, it finds the row ([Detect],
// [OfWorkloads]).
//
// The table is data: a function for each group of systems (calico.go, cilium.go,
// cloud.go, ...) returns its rows, and [Systems] puts them in order. A field that
// could not be read in a file or a document of the project is [Unknown] or empty, and
// [System.Doubts] says so; [System.Sure] says what the row as a whole rests on.
//
// # Detection
//
// The runtime takes the first file of /etc/cni/net.d by name that ends in .conflist,
// .conf or .json. So does this package. The type of the file's first plugin decides;
// its name, its network and its bridge tell systems apart that share a plugin (bridge
// is kubenet's, kube-router's, and the plain Linux bridge). Plugins behind the first one are helpers,
// except for cilium-cni, which takes pods over. Multus names the network that it
// delegates to, and that one is looked up. Where no file decides, interfaces do, if
// they are one system's alone.
//
// containerd gives up at a file that it cannot read, CRI-O goes to the next one; this
// package goes to the next one and says which file it left out.
//
// # Limits
//
// A directory with more than 1,000 entries is not read; of the others the first 64
// configurations are. A file has up to 1 MiB, 32 levels and 32 plugins. A delegate is
// followed 4 times. 4,096 interfaces of a node are looked at.
package cni
