// Package dataplane lists the backends whose artifacts can be put into this
// system's kernel: the one place where internal/apply/applier meets backends/*/live.
//
// All four are one [plane], which knows what a live package's errors mean to the
// applier and remembers what was read and what the kernel has. A [kernel] is what is
// different: the live package's own calls, and what of other backends looks like its own.
package dataplane
