// Package filesource reads a cluster's objects from a directory of manifests, for
// as long as they change: a node without an API server, or one that must not
// depend on it.
//
// A file counts when it is whole. One that a process has open for writing is waited
// for (the kernel says so, by refusing a lease on it); one that cannot be opened, or
// read as what it should be, keeps saying what it said before. Renaming a new file
// over the old one, as editors and ConfigMaps do, works at once.
//
// The inbox is complete once every file could be read, and not before: an agent that
// starts must not take the rules of a file away that it could not read. What is no
// file at all (a link that leads nowhere, a pipe, a directory) is skipped, and said.
//
// # Limits
//
// Where the file system has no leases (some network file systems), a file counts
// when nothing was written for a while. Linux only.
package filesource
