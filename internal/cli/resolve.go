package cli

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// end is one end of a connection, resolved from the user's words.
type end struct {
	addrs []netip.Addr
	// node is its node; "" is unknown or outside the cluster.
	node string
	// host reports that its addresses are the node's (the node itself, or a pod
	// on the host's network).
	host bool
	pod  bool
	svc  *corev1.Service
}

// resolve interprets the words of the command line.
func (l *loaded) resolve(from, to, port string) (netpath.Connection, error) {
	var c netpath.Connection
	src, err := l.end(from, false)
	if err != nil {
		return c, fmt.Errorf("--from %s: %w", from, err)
	}
	if src.svc != nil {
		return c, fmt.Errorf("--from %s: a Service opens no connections%s", from, l.podsBehind(src.svc))
	}
	dst, err := l.destination(to)
	if err != nil {
		return c, fmt.Errorf("--to %s: %w", to, err)
	}
	if c.Src, c.Dst, err = commonFamily(src.addrs, dst.addrs); err != nil {
		return c, fmt.Errorf("from %s to %s: %w", from, to, err)
	}
	if err := parsePort(&c, port, dst.svc); err != nil {
		return c, fmt.Errorf("--port %s: %w", port, err)
	}
	c.Node, err = l.firstNode(src, dst)
	c.Only = l.input.nodeName != ""
	c.FromHost = src.host && src.node == c.Node
	return c, err
}

// firstNode returns the node whose rules the packet meets first: --node, or the
// source's node, or, from outside, the node of the settings, the destination's
// node, or the only one.
func (l *loaded) firstNode(src, dst end) (string, error) {
	if l.input.nodeName != "" {
		return l.input.nodeName, nil
	}
	if src.pod || src.host {
		return src.node, nil
	}
	for _, name := range []string{l.nodeName, dst.node} {
		if name != "" {
			return name, nil
		}
	}
	if nodes := l.cluster.Nodes(); len(nodes) == 1 {
		return nodes[0], nil
	}
	if dst.pod {
		return dst.node, nil // it is not scheduled yet
	}
	return "", fmt.Errorf("--node is missing: say which node the packet reaches")
}

// end resolves namespace/pod, node/NAME, a DNS name or an address; of a destination errors
// suggest Services too.
func (l *loaded) end(s string, destination bool) (end, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return l.endOfAddr(addr.Unmap()), nil
	}
	kind, name, ok := strings.Cut(s, "/")
	switch {
	case !ok && strings.Contains(s, "."):
		return l.endAtName(s)
	case !ok:
		return end{}, fmt.Errorf("want namespace/pod, node/NAME, a DNS name or an IP address%s", suggest.InFull(s, l.endNames()))
	case kind == "svc":
		namespace, name, ok := strings.Cut(name, "/")
		if !ok {
			return end{}, fmt.Errorf("want svc/namespace/name%s", suggest.InFull(strings.TrimPrefix(s, "svc/"), l.serviceNames()))
		}
		return l.endAtService(objects.Name{Namespace: namespace, Name: name})
	case kind == "node":
		return l.endAtNode(name)
	}
	return l.endAtPod(objects.Name{Namespace: kind, Name: name}, destination)
}

// podsBehind suggests the pods that a Service selects, or says nothing.
func (l *loaded) podsBehind(svc *corev1.Service) string {
	if len(svc.Spec.Selector) == 0 {
		return ""
	}
	var names []string
	selector := labels.SelectorFromSet(svc.Spec.Selector)
	for i := range l.objects.Pods {
		if p := l.objects.Pods[i].Object; p.Namespace == svc.Namespace && selector.Matches(labels.Set(p.Labels)) {
			names = append(names, objects.NameOf(p).String())
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return ", but the pods behind it: did you mean " + suggest.Or(names) + "?"
}

// endNames are the names of all ends: pods, then Services, then nodes.
func (l *loaded) endNames() []string {
	var names []string
	for i := range l.objects.Pods {
		names = append(names, objects.NameOf(l.objects.Pods[i].Object).String())
	}
	names = append(names, l.serviceNames()...)
	for i := range l.objects.Nodes {
		names = append(names, "node/"+l.objects.Nodes[i].Object.Name)
	}
	return names
}

func (l *loaded) serviceNames() []string {
	var names []string
	for i := range l.objects.Services {
		names = append(names, "svc/"+objects.NameOf(l.objects.Services[i].Object).String())
	}
	return names
}

// destination resolves an end to which a packet can go; a pod stands for its
// address on any node.
func (l *loaded) destination(s string) (end, error) {
	p, err := l.end(s, true)
	if err == nil && len(p.addrs) == 0 {
		err = fmt.Errorf("it has no address")
	}
	return p, err
}

// endOfAddr recognises addresses of pods and nodes.
func (l *loaded) endOfAddr(a netip.Addr) end {
	owner := l.network.Owner(a)
	return end{addrs: []netip.Addr{a}, node: owner.Node, host: owner.Host, pod: owner.Pod}
}

func (l *loaded) endAtNode(name string) (end, error) {
	var names []string
	for i := range l.objects.Nodes {
		names = append(names, l.objects.Nodes[i].Object.Name)
		if n := l.objects.Nodes[i].Object; n.Name == name {
			addrs := objects.NodeIPs(n, nil)
			if len(addrs) == 0 {
				return end{}, fmt.Errorf("the node has no InternalIP or ExternalIP")
			}
			return end{addrs: addrs, node: name, host: true}, nil
		}
	}
	return end{}, fmt.Errorf("the input has no such node%s", suggest.DidYouMean(name, names))
}

func (l *loaded) endAtPod(of objects.Name, destination bool) (end, error) {
	var names []string
	for i := range l.objects.Pods {
		pod := l.objects.Pods[i].Object
		names = append(names, objects.NameOf(pod).String())
		if objects.NameOf(pod) != of {
			continue
		}
		addrs := netpath.PodAddresses(pod)
		if len(addrs) == 0 {
			return end{}, fmt.Errorf("the pod has no address yet")
		}
		return end{addrs: addrs, node: pod.Spec.NodeName, host: pod.Spec.HostNetwork, pod: true}, nil
	}
	return end{}, l.noPod(of, names, destination)
}

func (l *loaded) endAtService(of objects.Name) (end, error) {
	var names []string
	for i := range l.objects.Services {
		s := l.objects.Services[i].Object
		names = append(names, "svc/"+objects.NameOf(s).String())
		if objects.NameOf(s) != of {
			continue
		}
		addrs := netpath.ParseAddresses(append([]string{s.Spec.ClusterIP}, s.Spec.ClusterIPs...))
		if len(addrs) == 0 {
			return end{}, fmt.Errorf("the Service has no ClusterIP")
		}
		return end{addrs: addrs, svc: s}, nil
	}
	return end{}, fmt.Errorf("the input has no such Service%s", suggest.DidYouMean("svc/"+of.String(), names))
}

// commonFamily chooses a source and a destination of one family, the first
// family of the destination that fits.
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

// parsePort parses N[/protocol], the name of a Service's port, or "icmp",
// which stands for an echo request.
func parsePort(c *netpath.Connection, s string, svc *corev1.Service) error {
	if strings.EqualFold(s, "icmp") {
		c.Protocol, c.Type = ir.ICMP, icmpEcho
		if ir.FamilyOf(c.Dst) == ir.IPv6 {
			c.Protocol, c.Type = ir.ICMPv6, icmpv6Echo
		}
		return nil
	}
	value, proto, hasProto := strings.Cut(s, "/")
	c.Protocol = ir.TCP
	if hasProto {
		var err error
		if c.Protocol, err = ir.ParseProtocol(proto); err != nil {
			return err
		}
	}
	if n, err := strconv.ParseUint(value, 10, 16); err == nil && n > 0 {
		c.Port = uint16(n)
		return nil
	}
	if svc != nil {
		for _, p := range svc.Spec.Ports {
			named, err := ir.ParseProtocol(string(p.Protocol))
			if p.Name == value && err == nil && (!hasProto || named == c.Protocol) && p.Port > 0 && p.Port < 65536 {
				c.Port, c.Protocol = uint16(p.Port), named
				return nil
			}
		}
	}
	return fmt.Errorf("want a number from 1 to 65535 or the name of the Service's port, with /tcp, /udp or /sctp; or icmp")
}

// Types of echo requests (RFC 792, RFC 4443).
const (
	icmpEcho   = 8
	icmpv6Echo = 128
)
