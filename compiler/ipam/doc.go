// Package ipam gives addresses of pools to Services of type LoadBalancer, as Cilium's LB-IPAM
// and MetalLB's controller do.
//
// # Values in, values out
//
// [Allocate] turns objects into addresses. It has no memory: what a Service has is in its status,
// and it keeps that unless there is a cause. So the same objects give the same result in any order,
// and the result of a result is the result.
//
// # Order
//
// What others have is reserved first: addresses of Services that are not planec's to serve. Then
// Services keep what they have, then those that ask for addresses get them, then all others. Within
// each step the older Service comes first, then the one whose name sorts first. A Service that
// comes therefore takes nothing from one that has an address.
//
// # Whose status it is
//
// A status with an address outside of all pools, or with a domain name, is another controller's,
// unless the condition [objects.AllocatedCondition] says that planec wrote it: it is left alone.
//
// # What differs between the projects
//
// Pools of Cilium have no priority and give each family an address of its own; pools of MetalLB
// are asked for both families together first. Pools that overlap are refused by MetalLB as a whole
// and disabled by Cilium: here the younger pool gives no new address. A Service may use the
// annotations of both projects.
//
// # Cost
//
// Pools are kept as intervals and never written out: each has a mark below which nothing is free.
// With S Services, B blocks of pools and P pools the work is S log S + B log B, and S times P
// selectors.
//
// Sources: operator/pkg/lbipam of Cilium, internal/allocator, internal/config and controller of
// MetalLB.
package ipam
