// Package layer2 says which nodes may answer for which addresses of Services on layer 2, by ARP
// and NDP, as MetalLB's L2Advertisement and Cilium's CiliumL2AnnouncementPolicy have it. Which
// one of them does is decided while the cluster runs (internal/agent/layer2).
//
// A node is a candidate if an object selects it and it may announce the address at all
// (compiler/announce). An address that Services share has the candidates that all of them have.
//
// Sources: speaker/layer2_controller.go of MetalLB, pkg/l2announcer of Cilium.
package layer2
