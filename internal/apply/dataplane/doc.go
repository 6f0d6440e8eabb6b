// Package dataplane lists the backends whose artifacts can be applied to this
// system's kernel. Only here does internal/apply/applier meet backends/*/live.
//
// All four are a [plane], which translates errors of live packages for the applier and
// caches artifacts and kernel state. A [kernel] contains the differences: the calls of
// the live package, and how to ignore similar objects of other backends. ebpf has three
// parts, of which the rules for packets are nftables'.
package dataplane
