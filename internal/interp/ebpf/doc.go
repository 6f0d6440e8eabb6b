// Package ebpf interprets map images: a packet in, a verdict out, as a program
// in the kernel would decide it from the same bytes.
//
// It knows the layouts (backends/ebpf/layout) and the image's reader, and
// nothing of how images are made from programs: no ir.Program is looked at. It
// needs no privileges and no kernel. A decision takes these lookups:
//
//	svc  address, port ──no──▶ svc  *, port, if addr and prefix say nodePort ──no──▶ addr, prefix:
//	 │ yes                      │ yes                                         ClusterIP? service range?
//	 ▼                          ▼                                             own masquerade?
//	prefix  source ranges ─▶ route: internal or external ─▶ ep base .. base+count ─▶ masquerade, hairpin
//
// What passes or gets an endpoint is judged by policies where the image has
// them, egress of the source and then ingress of the destination:
//
//	pod  source, destination ──▶ class  peer ──▶ row  profile, direction, class ──▶ port  row, protocol, port
package ebpf
