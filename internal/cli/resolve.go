package cli

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// place is one end of a connection, resolved from what the user wrote.
type place struct {
	addrs []netip.Addr
	// node is the node it is on; "" is unknown or outside the cluster.
	node string
	// host is whether it has the node's own addresses (the node, or a pod on
	// the host's network).
	host bool
	pod  bool
	svc  *corev1.Service
}

// query is a connection seen from one node.
type query struct {
	node     string
	from     place
	src, dst netip.Addr
	protocol ir.Protocol
	port     uint16
}

// resolve finds out what the words of the command line mean.
func (l *loaded) resolve(from, to, port string) (query, error) {
	src, err := l.place(from)
	if err != nil {
		return query{}, fmt.Errorf("--from %s: %w", from, err)
	}
	if src.svc != nil {
		return query{}, fmt.Errorf("--from %s: a Service opens no connections", from)
	}
	dst, err := l.destination(to)
	if err != nil {
		return query{}, fmt.Errorf("--to %s: %w", to, err)
	}
	q := query{from: src}
	if q.port, q.protocol, err = parsePort(port, dst.svc); err != nil {
		return query{}, fmt.Errorf("--port %s: %w", port, err)
	}
	if q.src, q.dst, err = commonFamily(src.addrs, dst.addrs); err != nil {
		return query{}, fmt.Errorf("from %s to %s: %w", from, to, err)
	}
	q.node, err = l.viewpoint(src, dst)
	return q, err
}

// viewpoint chooses the node whose rules decide: --node, or where the packet
// starts, or where it arrives, or the only one there is.
func (l *loaded) viewpoint(src, dst place) (string, error) {
	for _, name := range []string{l.nodeName, src.node, dst.node} {
		if name != "" {
			return name, nil
		}
	}
	if nodes := l.cluster.Nodes(); len(nodes) == 1 {
		return nodes[0], nil
	}
	return "", fmt.Errorf("--node is missing: say which node the packet reaches")
}

// packet is the query as the node meets it.
func (q query) packet(p *ir.Program) eval.Packet {
	out := eval.Packet{Src: q.src, Dst: q.dst, Protocol: q.protocol, Port: q.port, From: eval.FromOutside}
	switch {
	case q.from.node == q.node && q.from.host:
		out.From = eval.FromNode
	case q.from.node == q.node && q.from.pod:
		out.From = eval.FromPod
		out.Interface = p.Node.Local.Interface
	}
	return out
}

// place resolves namespace/pod, node/NAME or an address.
func (l *loaded) place(s string) (place, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return l.placeOfAddr(addr.Unmap()), nil
	}
	kind, name, ok := strings.Cut(s, "/")
	switch {
	case !ok:
		return place{}, fmt.Errorf("want namespace/pod, node/NAME or an IP address")
	case kind == "svc":
		return l.servicePlace(name)
	case kind == "node":
		return l.nodePlace(name)
	}
	return l.podPlace(kind, name)
}

// destination is a place a packet can go to; of a pod that means its address,
// wherever it is.
func (l *loaded) destination(s string) (place, error) {
	p, err := l.place(s)
	if err == nil && len(p.addrs) == 0 {
		err = fmt.Errorf("it has no address")
	}
	return p, err
}

// placeOfAddr recognises addresses of pods and nodes.
func (l *loaded) placeOfAddr(a netip.Addr) place {
	for i := range l.objects.Nodes {
		n := l.objects.Nodes[i].Object
		if containsAddr(nodeAddrs(n), a) {
			return place{addrs: []netip.Addr{a}, node: n.Name, host: true}
		}
	}
	for i := range l.objects.Pods {
		pod := l.objects.Pods[i].Object
		if !pod.Spec.HostNetwork && !finished(pod) && containsAddr(podAddrs(pod), a) {
			return place{addrs: []netip.Addr{a}, node: pod.Spec.NodeName, pod: true}
		}
	}
	return place{addrs: []netip.Addr{a}}
}

func (l *loaded) nodePlace(name string) (place, error) {
	for i := range l.objects.Nodes {
		if n := l.objects.Nodes[i].Object; n.Name == name {
			addrs := nodeAddrs(n)
			if len(addrs) == 0 {
				return place{}, fmt.Errorf("the node has no InternalIP")
			}
			return place{addrs: addrs, node: name, host: true}, nil
		}
	}
	return place{}, fmt.Errorf("the input has no such node")
}

func (l *loaded) podPlace(namespace, name string) (place, error) {
	for i := range l.objects.Pods {
		pod := l.objects.Pods[i].Object
		if pod.Namespace != namespace || pod.Name != name {
			continue
		}
		addrs := podAddrs(pod)
		if len(addrs) == 0 {
			return place{}, fmt.Errorf("the pod has no address yet")
		}
		return place{addrs: addrs, node: pod.Spec.NodeName, host: pod.Spec.HostNetwork, pod: true}, nil
	}
	return place{}, fmt.Errorf("the input has no such pod")
}

func (l *loaded) servicePlace(name string) (place, error) {
	namespace, name, ok := strings.Cut(name, "/")
	if !ok {
		return place{}, fmt.Errorf("want svc/namespace/name")
	}
	for i := range l.objects.Services {
		s := l.objects.Services[i].Object
		if s.Namespace != namespace || s.Name != name {
			continue
		}
		addrs := parseAddrs(append([]string{s.Spec.ClusterIP}, s.Spec.ClusterIPs...))
		if len(addrs) == 0 {
			return place{}, fmt.Errorf("the Service has no ClusterIP")
		}
		return place{addrs: addrs, svc: s}, nil
	}
	return place{}, fmt.Errorf("the input has no such Service")
}

func nodeAddrs(n *corev1.Node) []netip.Addr {
	var values []string
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			values = append(values, a.Address)
		}
	}
	return parseAddrs(values)
}

func podAddrs(p *corev1.Pod) []netip.Addr {
	values := []string{p.Status.PodIP}
	for _, ip := range p.Status.PodIPs {
		values = append(values, ip.IP)
	}
	return parseAddrs(values)
}

// finished pods have given their address back.
func finished(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// parseAddrs leaves out what is no address; the compiler reports those.
func parseAddrs(values []string) []netip.Addr {
	var out []netip.Addr
	for _, v := range values {
		if a, err := netip.ParseAddr(v); err == nil && !containsAddr(out, a.Unmap()) {
			out = append(out, a.Unmap())
		}
	}
	return out
}

func containsAddr(addrs []netip.Addr, a netip.Addr) bool {
	for _, have := range addrs {
		if have == a {
			return true
		}
	}
	return false
}

// commonFamily chooses a source and a destination of one family, the first of
// the destination that fits.
func commonFamily(src, dst []netip.Addr) (netip.Addr, netip.Addr, error) {
	for _, d := range dst {
		for _, s := range src {
			if ir.FamilyOf(s) == ir.FamilyOf(d) {
				return s, d, nil
			}
		}
	}
	return netip.Addr{}, netip.Addr{}, fmt.Errorf("no address family in common")
}

// parsePort reads N[/protocol], or the name of a Service's port.
func parsePort(s string, svc *corev1.Service) (uint16, ir.Protocol, error) {
	value, proto, hasProto := strings.Cut(s, "/")
	protocol := ir.TCP
	if hasProto {
		var err error
		if protocol, err = ir.ParseProtocol(proto); err != nil {
			return 0, 0, err
		}
	}
	if n, err := strconv.ParseUint(value, 10, 16); err == nil && n > 0 {
		return uint16(n), protocol, nil
	}
	if svc != nil {
		for _, p := range svc.Spec.Ports {
			named, err := ir.ParseProtocol(string(p.Protocol))
			if p.Name == value && err == nil && (!hasProto || named == protocol) && p.Port > 0 && p.Port < 65536 {
				return uint16(p.Port), named, nil
			}
		}
	}
	return 0, 0, fmt.Errorf("want a number from 1 to 65535 or the name of the Service's port, with /tcp, /udp or /sctp")
}
