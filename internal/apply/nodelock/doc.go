// Package nodelock serializes the planec processes of a node.
//
// Each network namespace has two locks. An apply, a rollback or a clean holds the
// lock of changes while it works; the agent holds the lock of the agent while it
// runs. Both are flock(2) on files named after the namespace, in [RunDir] and in the
// state directory: processes share at least one of them even if a container has its
// own /run, or if they use different state directories. The kernel releases the
// locks of a process that dies.
//
// A directory that cannot be written to is skipped and reported ([Lock.Notes]).
// If none is left, there is no mutual exclusion, and work goes on: a node must
// come up.
package nodelock
