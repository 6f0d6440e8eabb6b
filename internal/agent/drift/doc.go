// Package drift tells when another program may have changed planec's rules.
//
// nftables tells who committed a transaction and what was in it: one that has
// something of our table and was not made by this program is a drift. Of the
// other backends' rules the kernel tells nothing; xtables' legacy tables can be
// asked for their size, which is cheap enough to do every second.
//
// A notice is a reason to compare, not a finding: it can come for a change that
// changed nothing. What gives no notice is found by the next whole comparison.
package drift
