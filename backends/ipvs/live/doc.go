// Package live loads the files of the ipvs backend into a kernel and removes their
// content: virtual services and addresses over netlink, sysctls in /proc/sys, sets
// and rules through backends/xtables/live. Reading files and planning work on
// every system, the rest only on Linux.
//
// # Order
//
// IPVS has no transactions. An apply orders its steps so that flows to unchanged
// Services never see a partial change:
//
//	sysctls                          those that differ
//	marked services that come        nothing leads to them yet
//	sets and rules that come         the sets send to marked services now
//	services and destinations        what comes, then what changes
//	addresses that come              what is delivered finds its service
//	destinations that go             with TCP connections: weight 0, and they stay
//	addresses, services that go
//	sets that go
//
// A destination that remains with weight 0 drains: its connections continue, and
// it gets no new ones. Plans keep it until the kernel forgets its last connection
// (two minutes after it closed); the next apply removes it. A plan with only such
// steps is Empty but has Steps. Destinations of UDP and SCTP are removed at once.
//
// # Ownership
//
// Virtual services have no names, and foreign ones may exist. planec owns those
// whose address, protocol and port are in the kernel's sets plc-4-services or
// plc-6-services, those whose marks are in plc-N-routes-*, and those in the wanted
// artifact. These sets change before removed services are deleted, and marked
// services are created before the sets contain them. Therefore, plc-tmp-own-N and
// plc-tmp-marks-N (marks, written as IPv4 addresses) record these services during
// an apply, so that the next apply finds them if this one is killed. planec owns
// the device planec-ipvs0 with all its addresses except link-local ones.
//
// Rules and sets have the same prefixes as those of the iptables backend, because
// a kernel has only one of the two. [OwnSet] recognizes the sets of this backend.
//
// # Changes
//
// [Held] plans from the last applied artifact, without reading the kernel, except
// for destinations that drain: each change checks whether they can be removed. A
// fragment of the artifact can change destinations, and Services whose addresses
// stay. Changes of marks, of the device's addresses, and of Services affected by
// policies need the whole artifact.
//
// # Limits
//
//   - IPVS identifies a reply by the client's address and port and the endpoint's. If a
//     client that is not masqueraded uses one port for connections to two virtual
//     addresses with the same endpoint, the endpoint cannot tell the two connections
//     apart, and the second one times out. This is rare, but it happens, because clients'
//     kernels choose ports per destination. It does not depend on applies. DNAT rules
//     would translate the port of the second connection.
//   - If a mark moves from one Service to another because of a third Service, packets
//     with that mark reach the old Service's endpoints during two netlink requests.
//   - Connection thresholds, which planec never sets, are not compared: /proc/net/ip_vs,
//     which lists all destinations at once, does not show them.
//   - Clean does not reset sysctls.
package live
