// Package clusterlist lists the objects of a cluster once, for commands: it reads and never
// watches or writes. What it gets goes through the reader of manifests, so an object of a
// cluster means what the same object in a file means.
//
// # Limits
//
// A list is read page by page; the pages of one kind are of one moment, and those of two kinds
// may not be. A kind that may not be listed is unread, and said.
package clusterlist
