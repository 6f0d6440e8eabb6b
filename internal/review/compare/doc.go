// Package compare says what a change of manifests does to the network: which
// objects differ, which paths open and close and which policy's line is
// responsible, what becomes of each Service, and how the rules of each backend
// differ.
//
// Paths are compared for classes of pods, nodes and networks that no policy of
// either state tells apart, and for all ports at once: package resolve has the
// verdict of every port for every class. Who is responsible is what package eval
// answers for one packet of each difference.
package compare
