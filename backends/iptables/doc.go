// Package iptables emits text for iptables-restore, ip6tables-restore and
// ipset: the nat, filter and mangle chains of one node, beside whatever others
// have there. Both iptables-legacy and iptables-nft take it, from 1.8.9 on. It
// is canonical: iptables-save prints our chains back byte for byte.
//
// # Loading
//
//	set -e # load
//	ipset restore < ipset.rules
//	for c in iptables ip6tables; do
//	    $c-restore --noflush < $c.rules
//	    $c-save | awk '/^[*]/ {t = $1}
//	        NR == FNR {if (/^-A/) have[t substr($0, 3)]; next}
//	        !((t substr($0, 3)) in have)' - $c-jumps.rules | $c-restore --noflush
//	done
//
// ipset.rules and the two *.rules files may be loaded any number of times, over
// the files of any other program and options: they name only what is ours and
// replace it, a table or a set at a time and all or nothing. They never touch
// a built-in chain. The eight jumps from there are the same for every program,
// and stand in a file of their own because the language has no "insert unless
// it is there": all it can do to a foreign chain is to add or remove one rule,
// and no sequence of those makes one of both none and one. So the loader looks
// which are missing, and loads those lines only.
//
// What a Service or a policy leaves behind when it goes are chains and sets that
// nothing leads to (PLC-S-…, PLC-ROW-…, plc-af-…); their names are of the past
// and a pure file cannot know them. They cost memory and change nothing. The
// kernel's own listing knows them, so this, after a load, sweeps them up:
//
//	set -e # sweep
//	for c in iptables ip6tables; do
//	    $c-save | awk '/^[*]/ {t = $1}
//	        NR == FNR {if (/^:PLC-/) keep[t $1]; next}
//	        /^[*]/ {print; x = ""}
//	        /^:PLC-/ && !((t $1) in keep) {print $1, "- [0:0]"; x = x "-X " substr($1, 2) "\n"}
//	        /^COMMIT/ {printf "%s", x; print}' $c.rules - | $c-restore --noflush
//	done
//	ipset list -n | awk 'NR == FNR {keep[$2]; next}
//	    /^plc-/ && !($1 in keep) {print "destroy", $1}' ipset.rules - | ipset restore
//
// The *-clean.rules files, ipset-clean.rules last, remove everything of the
// program they were emitted with, jumps first; after a sweep that is
// everything.
//
// # Layout
//
//	mangle PREROUTING, OUTPUT                                   (before DNAT)
//	  └─ PLC-SOURCE-RANGES     in plc-restricted and not in plc-ranges: DROP
//	nat PREROUTING, OUTPUT
//	  └─ PLC-SERVICES          a tree over the last bits of the address
//	       ├─ PLC-LAST-5       … whose last octal digit is 5
//	       │    └─ PLC-LAST-35 … and the one before it 3: a list of frontends
//	       │         └─ PLC-DST-<hash>  an address with more than four ports
//	       └─ PLC-NODEPORTS    the same by port; nodePort addresses only
//	            └─ PLC-NP-tcp-29696-30719 …
//	            │ goto
//	  PLC-X-<hash>             the two routes differ: pods, the node, others
//	    └─ PLC-S-<hash>        mark; recall the client's endpoint; draw one
//	         ├─ PLC-G-<hash>     of more than 32 endpoints: first a group
//	         └─ PLC-E-<hash>     remember the client, DNAT (affinity)
//	nat POSTROUTING            marked, plc-hairpin, then PLC-EGRESS: MASQUERADE
//	filter INPUT, FORWARD, OUTPUT                               (after DNAT)
//	  ├─ PLC-UNSERVED          plc-reject, plc-drop: a route without endpoints
//	  ├─ PLC-CLUSTER-IPS       plc-cluster-ips: REJECT, service ranges: DROP
//	  ├─ PLC-POLICY            FORWARD; in INPUT PLC-POLICY-INPUT: policies
//	  └─ ACCEPT                FORWARD: marked, or of a connection; INPUT: plc-health
//
// A new connection meets 23 rules among 30,000 Services before it is given an
// endpoint, where a list would be walked for half of them; one to somewhere else
// meets 29. What only asks "is it one of these" is an ipset. Sets of the program
// are filled aside and swapped in.
//
// A Service that comes adds its rules, and the chains that lead to nothing else yet;
// rules of others stay where they are, except that
//
//   - the tree becomes deeper with a family's 9th frontend by address, and with its
//     97th, 769th and 6145th; that of the nodePorts with the 9th, 130th and 520th.
//     Frontends of an address with more than four ports count as one. All rules of
//     the tree move then, and do the same;
//   - an address gets a chain with its fifth port, which is divided with the 17th.
//     Others are concerned where they share that address;
//   - more than 64 rules for addresses whose last bits are the same are divided by
//     prefix, anew for each. An attacker must choose such addresses, up to 49,152
//     frontends.
//
// Whatever the addresses are, no packet meets a long list, and iptables-nft takes
// the tree: its kernel side allows 15 chains below each other.
//
// Names are fixed words, prefixes and ports, or hashes of identities; two equal
// hashes are an error. A Service's name occurs in comments only, escaped and
// bounded.
//
// # Policies
//
// They judge after Services have answered and translated, and before anything is
// masqueraded; package xtpolicy says how they are laid out and what they cost. A
// program without policies for pods of a family has none of their chains and
// sets in that family. What they accept RETURNs to FORWARD or INPUT, where our own
// ACCEPTs and the rules of others follow. All packets but those of accepted connections are
// judged, INVALID and UNTRACKED ones among them.
//
// # Affinity
//
// Each endpoint of a Service with affinity has a set of clients, whose entries
// the rules add and time out; all addresses, routes and nodePorts of the
// Service share it. xt_recent, which kube-proxy uses, remembers 100 clients of
// an endpoint (ip_list_tot) and forgets the oldest for each further one. The
// sets outlive a load. A client whose endpoint is not among those of a route
// is bound to another and let go by the first.
//
// # Limits
//
//   - One file is one transaction per table, and there are three tables and
//     the sets. Between them a node has parts of two programs for a moment: a
//     pod whose profile is new or another than before may be judged by a third
//     one's rules until the filter table is loaded.
//   - A client of an endpoint that left is bound to another; if the first comes
//     back before the timeout, the one that comes first in the pool wins.
//   - A Service with affinity is looked up endpoint by endpoint.
//   - An endpoint has at most 1,048,576 bound clients; further ones are served
//     without affinity.
//   - An affinity longer than 2,147,483 seconds is none that a set can hold, and
//     each endpoint with affinity is a set, of which one Service has 1,024 at most
//     and all together 8,192: Check reports the Service, which is refused.
//   - Without a local detector for the family "unless-local-source" is
//     "always".
package iptables
