// Package ipvs answers what the files of the IPVS backend do to a packet: it
// follows the packet through the kernel's hooks, where internal/interp/iptables
// runs the rules, and lets IPVS choose an endpoint. It shares no code with the
// emitter, so that the two can find each other's mistakes.
//
//	              mangle, nat                    mangle, filter
//	arrives ─▶ PREROUTING ─▶ local? ──yes──▶ INPUT ─▶ IPVS ─▶ OUTPUT ─▶ POSTROUTING
//	                           └──no──▶ FORWARD ─▶ POSTROUTING  (an endpoint elsewhere)
//	sent by the node ─▶ OUTPUT mangle, nat ─▶ IPVS ─▶ OUTPUT filter ─▶ POSTROUTING
//
// IPVS sees a packet between the tables of a hook (ip_vs_core.c, ip_vs_ops): in
// INPUT after filter, in OUTPUT before it. What it translates it sends through
// OUTPUT again, where nat is not asked a second time because the connection has
// its addresses already.
//
// A line, option or set that is not known is an error, never skipped.
package ipvs
