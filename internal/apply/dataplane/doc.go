// Package dataplane lists the backends whose artifacts can be put into this
// system's kernel: the one place where internal/apply/applier meets backends/*/live.
package dataplane
