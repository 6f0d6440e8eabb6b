// Package firewall finds foreign chains that drop packets of Services by policy:
// Docker and ufw set such a policy on FORWARD and INPUT.
//
// planec's iptables and IPVS rules accept these packets in the same chains before
// the foreign rules. In nftables, each base chain decides separately, and a drop
// is final even if another chain accepts. So planec's tables cannot help, and
// planec tells the administrator what to accept in which chain.
package firewall
