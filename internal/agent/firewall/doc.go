// Package firewall looks at what other programs' chains do with the packets of
// Services: those that drop what no rule of theirs accepts, as Docker and ufw make
// them of FORWARD and INPUT.
//
// planec's iptables and IPVS rules accept their own packets there, before the
// others' rules. In nftables each base chain decides for itself, and a drop of one
// is final whatever another accepts: so nothing can be done from planec's tables,
// and the node's owner has to be told what to accept where.
package firewall
