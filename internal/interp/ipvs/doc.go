// Package ipvs interprets the files of the IPVS backend: it follows a packet
// through the kernel's hooks, evaluates the rules with internal/interp/iptables,
// and lets IPVS select an endpoint. It shares no code with the emitter, so that
// each can reveal mistakes of the other.
//
//	              mangle, nat                    mangle, filter
//	arrives ─▶ PREROUTING ─▶ local? ──yes──▶ INPUT ─▶ IPVS ─▶ OUTPUT ─▶ POSTROUTING
//	                           └──no──▶ FORWARD ─▶ POSTROUTING  (an endpoint elsewhere)
//	sent by the node ─▶ OUTPUT mangle, nat ─▶ IPVS ─▶ OUTPUT filter ─▶ POSTROUTING
//
// IPVS handles a packet between the tables of a hook (ip_vs_core.c, ip_vs_ops): in
// INPUT after filter, in OUTPUT before it. Translated packets pass OUTPUT again,
// but not its nat table, because the addresses of the connection are already set.
//
// An unknown line, option or set is an error and never skipped.
package ipvs
