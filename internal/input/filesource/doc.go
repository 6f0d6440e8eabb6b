// Package filesource reads a cluster's objects from a directory of manifests and
// follows its changes: for a node without an API server, or one that must not
// depend on it.
//
// A file counts when it is complete. If a process has it open for writing, the
// source waits (the kernel then refuses a lease on it). A file that cannot be opened
// or parsed keeps its previous content. Renaming a new file over the old one, as
// editors and ConfigMaps do, takes effect at once.
//
// The inbox is complete once every file was read: a starting agent must not remove
// the rules of a file that it could not read. Entries that are not files (a dangling
// link, a pipe, a directory) are skipped and reported.
//
// # Limits
//
// On a file system without leases (some network file systems), a file counts
// when it was not written for a while. Linux only.
package filesource
