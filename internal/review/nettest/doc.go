// Package nettest handles tests of a cluster's network: which connections must
// work, and which must not. It parses the files, compares expected and actual
// results, and writes them; its callers trace the connections.
package nettest
