// Package ipvs emits what a node needs to balance in the kernel's IPVS: virtual
// services for ipvsadm, sets for ipset, rules for iptables, the addresses of a
// dummy device and sysctls.
//
//	sysctl -p sysctl.conf
//	ipset -exist restore < ipset.rules
//	ip -force -batch addresses.batch         (the first line fails on a reload)
//	ipvsadm -R < ipvsadm.rules               (a reload: ipvsadm -C first, or the difference)
//	iptables-restore --noflush < iptables.rules          and ip6tables
//	iptables-restore --noflush < iptables-jumps.rules    once; they stay
//
// # Layout
//
// What differs between programs is in the virtual services and the sets. The
// rules ask the sets, and change with the node's settings and with policies only.
//
//	arrives ─▶ PREROUTING nat     @masq-*: set the mark's bit
//	  └─▶ INPUT mangle            local pods and the node: @routes-* sets the mark
//	  └─▶ INPUT filter            @restricted and not @ranges: drop
//	  │                           @drop-*, @reject-*: routes without endpoints
//	  │                           @vips and not @services: reject
//	  └─▶ IPVS                    by mark, else by address, protocol and port
//	        └─▶ OUTPUT, POSTROUTING   take our mark away, masquerade, @hairpin
//	sent by the node ─▶ OUTPUT mangle (drops and marks), nat (the bit) ─▶ IPVS
//	                 ─▶ OUTPUT filter (rejects) ─▶ POSTROUTING
//
// IPVS sees what is delivered to the node, so every virtual address is bound to
// planec-ipvs0 as a network of its own; it has no wildcard, so a nodePort is a
// virtual service on each of the node's addresses that serve nodePorts.
//
// # Two routes
//
// A virtual service has one list of endpoints for all clients. It has those of the
// external route. Where local pods and the node get others (the usual case:
// externalTrafficPolicy Local), a set maps the frontend to a mark of 14 bits that
// selects a virtual service of its own; all addresses of a Service port share it.
// IPVS compares whole marks, so such a packet loses what others put into its mark
// from INPUT (or OUTPUT) to IPVS; afterwards only our masquerade bit is left. Two
// virtual services are there where some of those packets are masqueraded and some
// are not: the bit is part of what is compared. Marks come from the Service
// port's identity and stay when other Services come and go.
//
// # Policies
//
// They are those of the iptables backend (backends/xtpolicy), where a packet has
// its last destination:
//
//	FORWARD filter     both directions, after @cluster-ips and @service-cidrs
//	OUTPUT filter      both, for what IPVS has given an endpoint; what the node
//	                   sends itself has a source that is no pod's, and that is
//	                   LOCAL
//	INPUT filter       egress, after all answers (PLC-ANSWERS), but for @services,
//	                   which IPVS takes
//
// One thing never comes by there: an endpoint that is the node itself, which IPVS
// delivers from INPUT. The set @denied-own therefore has the virtual services,
// with pods, that lead to such an endpoint that the pod's egress denies.
//
// Chains and sets of policies that have gone stay, and nothing leads to them.
// This, after a load, takes them away:
//
//	set -e # sweep
//	for c in iptables ip6tables; do
//	    $c-save -t filter | awk '/^[*]/ {t = $1}
//	        NR == FNR {if (/^:PLC-/) keep[t $1]; next}
//	        /^[*]/ {print; x = ""}
//	        /^:PLC-/ && !((t $1) in keep) {print $1, "- [0:0]"; x = x "-X " substr($1, 2) "\n"}
//	        /^COMMIT/ {printf "%s", x; print}' $c.rules - | $c-restore --noflush
//	done
//	ipset list -n | awk 'NR == FNR {keep[$2]; next}
//	    /^plc-/ && !($1 in keep) {print "destroy", $1}' ipset.rules - | ipset restore
//
// # Limits
//
// Check reports all but the last four, by Service port or address.
//
//   - Ports of a bound address that no Service has are rejected: eval passes them
//     on, where the address is none of a Service range, and the node cannot,
//     because the address is its own now. That also is so where the address is the
//     node's without the program knowing: name it with --local-address.
//   - A load-balancer address or external IP that is another node's, or an endpoint's,
//     is not served: it would have to be bound, and nothing on the node reached its
//     owner any more.
//   - Affinity is IPVS's persistence, at each virtual service for itself: a client
//     may have another endpoint at another address of the Service. Where a mark
//     selects the virtual service, it is a hash of the client's address (mh),
//     without a time-out, because persistent services of that kind do not translate
//     ports. Connections that go on keep their client's binding, as new ones do.
//   - Affinity is at most 31 days.
//   - nodePorts are served on the known addresses of the node that are in
//     nodePortAddresses; a new address needs new files.
//   - At most 8192 Service ports of a family can have two routes, and 1024 of one
//     Service: what is beyond is refused, the Services with the most first.
//   - A pod that policies keep from an endpoint that is the node itself, and not
//     from the others of the virtual service, is refused all of them.
//   - rr becomes wrr where weights differ; lc does not heed them.
//   - A client on the node that binds no source address gets the virtual address as
//     its own, since that is local. It is masqueraded always; source ranges and
//     affinity see the virtual address.
//   - Masquerade bit 31: ipvsadm lists marks as signed numbers, so marked services
//     look different from what was loaded.
//   - Sets with comments and sets without cannot be swapped: destroy them before
//     that option is changed.
//   - The jumps of INPUT and OUTPUT are for NEW packets, and stay so: INVALID and
//     UNTRACKED ones to the node itself are not judged, forwarded ones are.
//   - Between the load of the sets and that of the rules, a pod whose policies
//     changed may be judged by neither the old ones nor the new.
package ipvs
