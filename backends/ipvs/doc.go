// Package ipvs emits the files for load balancing with the kernel's IPVS: virtual
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
// Programs differ in the virtual services and the sets. The rules match the sets;
// they depend only on the node's settings and on policies.
//
//	arrives ─▶ PREROUTING nat     @masq-*: set the mark's bit
//	  └─▶ INPUT mangle            local pods and the node: @routes-* sets the mark
//	  └─▶ INPUT filter            @restricted and not @ranges: drop
//	  │                           @drop-*, @reject-*: routes without endpoints
//	  │                           @vips and not @services: reject
//	  └─▶ IPVS                    by mark, else by address, protocol and port
//	       └─▶ OUTPUT, POSTROUTING   remove planec's mark, masquerade, @hairpin
//	sent by the node ─▶ OUTPUT mangle (drops and marks), nat (the bit) ─▶ IPVS
//	                 ─▶ OUTPUT filter (rejects) ─▶ POSTROUTING
//
// IPVS sees only packets that are delivered to the node, so every virtual address
// is bound to planec-ipvs0 with full prefix length. IPVS has no wildcard, so a
// nodePort is a virtual service on each address of the node that serves nodePorts.
//
// # Two routes
//
// A virtual service has one list of endpoints for all clients: those of the
// external route. If local pods and the node get other endpoints (usually because
// of externalTrafficPolicy: Local), a set maps the frontend to a mark of 14 bits
// that selects another virtual service; all addresses of a Service port share it.
// IPVS compares whole marks, so such a packet loses foreign mark bits between
// INPUT (or OUTPUT) and IPVS; afterwards only planec's masquerade bit remains.
// Because this bit is part of the mark, there are two virtual services if some of
// these packets are masqueraded and others are not. Marks derive from the identity
// of the Service port and do not change when other Services are added or removed.
//
// # Policies
//
// Policies are those of the iptables backend (backends/xtpolicy). They judge a
// packet where its destination is final:
//
//	FORWARD filter     both directions, after @cluster-ips and @service-cidrs
//	OUTPUT filter      both, for what IPVS has given an endpoint; what the node
//	                   sends itself has a source that is no pod's, and that is
//	                   LOCAL
//	INPUT filter       egress, after all answers (PLC-ANSWERS), but for @services,
//	                   which IPVS takes
//
// IPVS delivers packets to an endpoint that is the node itself from INPUT, where
// no policy rule sees them. Therefore, the set @denied-own pairs virtual services
// that have such an endpoint with the pods whose egress policies deny it. A Service
// is refused if the ingress policies of the node itself deny any packet to it there.
//
// Chains and sets of removed policies stay without effect. The following script,
// run after a load, removes them:
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
//   - Packets to other ports of a bound address are rejected. eval forwards them if the
//     address is not in a Service range, but the node cannot forward packets to an
//     address of its own. The same applies to a node address that the program does not
//     know: name it with --local-address.
//   - A load-balancer address or external IP that belongs to another node or to an
//     endpoint is not served: binding it would make its owner unreachable from the node.
//   - Affinity is IPVS's persistence, separate for each virtual service: a client may
//     get different endpoints at different addresses of a Service. If a mark selects the
//     virtual service, the endpoint is chosen by a hash of the client's address (mh),
//     without a timeout, because persistent services with a mark do not translate ports.
//     Existing connections extend the binding of their client, as new ones do.
//   - Affinity is at most 31 days.
//   - nodePorts are served on the known addresses of the node that are in
//     nodePortAddresses; a new address needs new files.
//   - At most 8192 Service ports of a family, and 1024 of one Service, can have two
//     routes. Beyond that, the Services with the most such ports are refused.
//   - If policies deny a pod an endpoint that is the node itself, the pod is refused all
//     endpoints of the virtual service. If they deny it to some source ports, the pod is
//     refused it from all. Log rules about it write nothing.
//   - A Service that has an endpoint on the node itself, to which the node's own ingress
//     policies deny any packet, is refused.
//   - rr becomes wrr if weights differ; lc ignores weights.
//   - A client on the node that binds no source address gets the virtual address as its
//     source, because that address is local. It is always masqueraded; source ranges and
//     affinity see the virtual address.
//   - Masquerade bit 31: ipvsadm lists marks as signed numbers, so marked services look
//     different from what was loaded.
//   - Sets with comments cannot be swapped with sets without: destroy them before
//     changing that option.
//   - The jumps in INPUT and OUTPUT match only NEW packets: INVALID and UNTRACKED
//     packets to the node itself are not judged, forwarded ones are.
//   - After the sets are loaded and before the rules are, a pod with changed policies may
//     be judged neither by the old policies nor by the new ones.
package ipvs
