// Package iptables emits text for iptables-restore, ip6tables-restore and ipset:
// the nat, filter and mangle chains of one node, which coexist with foreign rules.
// iptables-legacy and iptables-nft accept it from version 1.8.9 on. The text is
// canonical: iptables-save prints planec's chains back byte for byte.
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
// ipset.rules and the two *.rules files are idempotent, whatever program and
// options were loaded before: they name only objects of planec and replace them,
// one table or one set at a time, all or nothing. They never touch a built-in
// chain. The eight jumps from built-in chains are the same for every program. They
// are in a separate file, because iptables-restore has no "insert if missing": for
// a foreign chain it can only add or remove one rule, and no sequence of these
// operations is correct both with and without the rule. Therefore, the loader
// finds the missing jumps and loads only those.
//
// A removed Service or policy leaves chains and sets that no rule refers to (PLC-S-…,
// PLC-ROW-…, plc-af-…). The artifact cannot list them, because it does not depend on
// earlier programs. They use memory but have no effect. The following script, run
// after a load, finds them in the kernel's listing and removes them:
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
// The *-clean.rules files, and then ipset-clean.rules, remove everything of the
// program that they were emitted with, jumps first. Run the sweep before them to
// remove everything of planec.
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
// With 30,000 Services, a new connection passes 23 rules before it gets an
// endpoint; a linear list would need 15,000 on average. A connection to another
// destination passes 29. Membership tests use ipsets. The program's sets are
// filled under a temporary name and swapped in.
//
// A new Service adds its own rules, and the chains that do not exist yet. The
// rules of other Services do not change, with these exceptions:
//
//   - The address tree gets deeper with a family's 9th, 97th, 769th and 6145th
//     frontend; the nodePort tree with the 9th, 130th and 520th. The frontends of an
//     address with more than four ports count as one. A deeper tree moves all rules
//     of the tree, with the same effect.
//   - An address gets its own chain with its fifth port; the 17th port divides that
//     chain. This affects only the Services that share the address.
//   - More than 64 rules for addresses with equal last bits are divided by prefix, and
//     the division is computed anew for each change. This takes deliberately chosen
//     addresses, and concerns up to 49,152 frontends.
//
// No packet passes a long list, whatever the addresses are. iptables-nft accepts
// the tree: the kernel's nf_tables allows 15 nested chains.
//
// Names are fixed words, prefixes and ports, or hashes of identities; two equal
// hashes are an error. Names of Services appear only in comments, escaped and with
// bounded length.
//
// # Policies
//
// Policies judge a packet after Services have refused or translated it, and before
// masquerading; package xtpolicy describes their layout and cost. A program
// without policies for a family's pods has no policy chains and sets in that
// family. Accepted packets RETURN to FORWARD or INPUT, where planec's ACCEPT rules
// and foreign rules follow. Policies judge all packets except those of accepted
// connections; INVALID and UNTRACKED packets are judged.
//
// # Affinity
//
// Each endpoint of a Service with affinity has a set of clients. Rules add the
// entries and set their timeouts; all addresses, routes and nodePorts of the
// Service share the set. kube-proxy uses xt_recent, which remembers 100 clients of
// an endpoint (ip_list_tot) and forgets the oldest client for each additional one.
// A load keeps the sets. A client whose endpoint is not in the route's pool is
// bound to another endpoint, and its old binding is removed.
//
// # Limits
//
//   - Each of the three tables, and the sets, is a separate transaction. In between, a
//     node has parts of two programs: a pod whose profile is new or has changed may be
//     judged by the rules of a third profile until the filter table is loaded.
//   - A client of a removed endpoint is bound to another one. If the removed endpoint
//     comes back before the timeout, the first of the two in the pool is used.
//   - The rules test the endpoints of a Service with affinity one after the other.
//   - An endpoint has at most 1,048,576 bound clients; further clients are served
//     without affinity.
//   - A set cannot hold an affinity longer than 2,147,483 seconds. Each endpoint with
//     affinity needs a set: at most 1,024 per Service and 8,192 in total. Check reports
//     Services beyond these limits, and Emit refuses them.
//   - Rules have no word for ICMP's type 255 and for protocol 0. Packets of that type are
//     treated as those of most other types, and Check names the policies.
//   - Without a local detector for the family, "unless-local-source" means "always".
package iptables
