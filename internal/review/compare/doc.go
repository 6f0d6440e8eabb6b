// Package compare determines what a change of manifests does to the network:
// which objects differ, which paths open and close and which line of a policy
// is responsible, how Services change, and how the rules of each backend
// differ.
//
// Paths are compared for classes of pods, nodes and networks that no policy of either
// state distinguishes, and for all ports at once: package resolve has the verdict of
// every port for every class. Package eval then explains one packet of each difference.
// answers for one packet of each difference.
package compare
