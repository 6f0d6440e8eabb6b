// Package xtables holds what the backends with iptables and ipset text share: the
// names and roles of chains and sets, the jumps to the chains, and the matches for
// local packets.
package xtables
