// Package foreign interprets rules that another program than planec has written, as the
// kernel lists them: `nft list ruleset`, `iptables-save`, and for IPVS also `ipset save`,
// `ipvsadm-save -n` and `ip -o addr show dev kube-ipvs0`. It knows what kube-proxy 1.37
// writes, and more of both languages where it costs nothing.
//
// Both languages become chains of the same statements. What is not known becomes a statement
// without a meaning: a packet that comes to it ends the evaluation with an error that names
// the line. So rules of other programs may stand in a listing as long as no packet
// comes to what is not understood, and [Rules.Skipped] lists what no packet came to.
//
//	ParseNFT       nft's listing -> chains    (package nftlist has the syntax)
//	ParseIPTables  iptables-save -> chains    (package text/iptables has it)
//	listings       a file -> the listings in it
//	ipSet          ipset save -> tables
//	balancer       IPVS's virtual services (package interp/virtual) and its place in the hooks
//	Eval, EvalAll  the hooks in their order, for one packet or for all of a box
package foreign
