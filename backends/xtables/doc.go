// Package xtables has what backends that write iptables and ipset text share:
// the names of chains and sets.
package xtables
