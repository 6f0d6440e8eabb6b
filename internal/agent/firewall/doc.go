// Package firewall finds chains of other programs that drop the packets of Services
// because no rule accepts them: Docker and ufw set such a policy on FORWARD and INPUT.
//
// planec's iptables and IPVS rules accept their own packets there, before the
// others' rules. In nftables each base chain decides for itself, and a drop of one
// is final whatever another accepts: so nothing can be done from planec's tables,
// and the node's owner has to be told what to accept where.
package firewall
