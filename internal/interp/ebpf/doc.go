// Package ebpf interprets map images: it evaluates a packet as a program in the
// kernel would with the same bytes.
//
// It uses the layouts (backends/ebpf/layout) and the image's reader, but not the
// code that makes images from an ir.Program. It needs no privileges and no kernel.
// An evaluation makes these look-ups:
//
//	svc  address, port ──no──▶ svc  *, port, if addr and prefix say nodePort ──no──▶ svc, meta, prefix:
//	 │ yes                      │ yes                                         ClusterIP? service range?
//	 ▼                          ▼                                             own masquerade?
//	source  source ranges ─▶ route: internal or external ─▶ ep base .. base+count ─▶ masquerade, hairpin
//
// If the image has policies, each packet that passes or gets an endpoint is judged by
// the egress policies of the source and then the ingress policies of the destination:
//
//	pod  source, destination ──▶ class  peer ──▶ row  profile, direction, class ──▶ port  row, protocol, port
package ebpf
