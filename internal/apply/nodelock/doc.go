// Package nodelock lets the planec processes of a node take turns.
//
// There are two locks for each network namespace: that of changes, which an apply,
// a rollback or a clean holds while it works, and that of the agent, which the agent
// holds while it runs. Both are flock(2) on files named after the namespace, in
// [RunDir] and in the state directory: processes share one of them even where a
// container has a /run of its own, or where they were given different state
// directories. The kernel unlocks for a process that dies.
//
// A directory that cannot be written to is left out and said ([Lock.Notes]); with
// none left a lock keeps nothing out, and work goes on all the same: a node must
// come up.
package nodelock
