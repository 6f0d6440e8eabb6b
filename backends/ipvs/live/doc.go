// Package live puts the files of the ipvs backend into a kernel, and takes them
// out: virtual services and addresses over netlink, sysctls in /proc/sys, sets
// and rules by backends/xtables/live. Linux only, but for reading files and
// planning.
//
// # Order
//
// IPVS has no transactions. An apply is in an order in which no flow to a Service
// that does not change meets anything half done:
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
// A destination that stays with weight 0 drains: its connections go on, no new
// ones come. Plans leave it alone until its last connection is forgotten (two
// minutes after it closed); the next apply removes it then. A plan that does only
// that is Empty, and has steps. Destinations of UDP and SCTP are removed at once.
//
// # Whose is it
//
// Virtual services have no names, and others may have some. Ours are those whose
// address, protocol and port are in plc-4-services or plc-6-services as the kernel
// has them, those whose marks are in plc-N-routes-*, and what the wanted artifact
// has. Those sets are swapped before services that leave them are gone, and marked
// services come before the sets know them: while an apply is on its way,
// plc-tmp-own-N and plc-tmp-marks-N (marks, written as IPv4 addresses) name these,
// so that the next apply knows them when this one is killed. The device
// planec-ipvs0 is ours with all addresses but link-local ones.
//
// Rules and sets share their prefixes with those of the iptables backend: one of
// the two is in a kernel. [OwnSet] tells the sets apart that matter.
//
// # Changes
//
// [Held] plans from what was applied, without a look at the kernel but for the
// destinations that drain: their services are asked with each change, whether
// they can go. A fragment of the artifact changes destinations and Services whose
// addresses stay; marks, addresses of the device and Services beside policies
// need the whole.
//
// # Limits
//
//   - IPVS knows a reply by the client's address and port and the endpoint's. A
//     client that is not masqueraded and has two connections from one port at a
//     time, to two virtual addresses that lead to one endpoint, has two that are
//     one to the endpoint: the second times out. Clients' kernels choose ports for
//     each destination apart, so that it happens, rarely. No apply has to do with
//     it, and rules for DNAT give such a connection another port.
//   - A mark that goes from a Service to another leads, where the one gives it up
//     because of a third, for the time of two netlink requests to the endpoints of
//     the one who had it.
//   - Thresholds of connections, which nothing of ours has, are not looked at:
//     /proc/net/ip_vs, which lists all destinations at once, does not have them.
//   - Sysctls stay when all else is cleaned away.
package live
