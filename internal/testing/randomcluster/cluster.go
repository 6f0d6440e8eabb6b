package randomcluster

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// Node is the node that the clusters are compiled for.
const Node = "node-1"

// nodes is the number of nodes; node i has the pod range 10.244.i.0/24.
const nodes = 3

// Cluster is one random cluster with random settings.
type Cluster struct {
	Objects objects.Set    // objects of every supported kind
	Config  objects.Config // settings that match the objects
}

// New returns the cluster of a seed; it depends only on the seed. Every second
// cluster has pods and policies.
func New(seed uint64) Cluster {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0x706c616e6563))}
	g.families = [][]ir.Family{{ir.IPv4}, {ir.IPv4, ir.IPv6}, {ir.IPv4, ir.IPv6}, {ir.IPv6}}[g.IntN(4)]
	for i := 1; i <= nodes; i++ {
		g.set.Nodes = append(g.set.Nodes, objects.Sourced[*corev1.Node]{Object: g.node(i)})
	}
	for i := range 2 + g.IntN(6) {
		g.service(i)
	}
	c := Cluster{Config: g.config()}
	if seed%2 == 1 {
		g.policed(seed)
	}
	c.Objects = g.set
	return c
}

type generator struct {
	*rand.Rand
	families []ir.Family
	set      objects.Set
	nodePort int32
}

// chance returns true with a probability of n percent.
func (g *generator) chance(n int) bool { return g.IntN(100) < n }

func oneOf[T any](g *generator, values ...T) T { return values[g.IntN(len(values))] }

func (g *generator) has(f ir.Family) bool { return slices.Contains(g.families, f) }

func nodeName(i int) string { return fmt.Sprintf("node-%d", i) }

// nodeAddr returns the InternalIP of node i.
func nodeAddr(f ir.Family, i int) netip.Addr {
	if f == ir.IPv4 {
		return netip.MustParseAddr(fmt.Sprintf("192.0.2.1%d", i))
	}
	return netip.MustParseAddr(fmt.Sprintf("2001:db8:1::1%d", i))
}

// podAddr returns the address of pod n on node i.
func podAddr(f ir.Family, i, n int) netip.Addr {
	if f == ir.IPv4 {
		return netip.MustParseAddr(fmt.Sprintf("10.244.%d.%d", i, n))
	}
	return netip.MustParseAddr(fmt.Sprintf("fd00:10:244:%d::%x", i, n))
}

func (g *generator) node(i int) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName(i), Labels: map[string]string{}}}
	if g.chance(90) {
		n.Labels[corev1.LabelTopologyZone] = g.zone()
	}
	for _, f := range g.families {
		n.Status.Addresses = append(n.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: nodeAddr(f, i).String()})
		cidr := netip.PrefixFrom(podAddr(f, i, 0), map[ir.Family]int{ir.IPv4: 24, ir.IPv6: 64}[f])
		n.Spec.PodCIDRs = append(n.Spec.PodCIDRs, cidr.Masked().String())
	}
	return n
}

func (g *generator) zone() string { return oneOf(g, "zone-1", "zone-2") }

func (g *generator) config() objects.Config {
	c := objects.Config{
		MasqueradeAll: g.chance(10),
		TCPBeLiberal:  g.chance(30),
		DetectLocal:   oneOf(g, objects.DetectLocal{}, objects.DetectLocal{}, objects.DetectLocal{Mode: objects.DetectByNodeCIDR}, objects.DetectLocal{Mode: objects.DetectByBridge, Interface: "cni0"}, objects.DetectLocal{Mode: objects.DetectByPrefix, Interface: "veth"}, objects.DetectLocal{Mode: objects.DetectByNone}),
	}
	if g.chance(90) {
		c.ClusterCIDRs = g.prefixes("10.244.0.0/16", "fd00:10:244::/48")
	}
	if g.chance(70) {
		c.ServiceCIDRs = g.prefixes("10.96.0.0/16", "fd00:10:96::/112")
	}
	switch g.IntN(4) {
	case 0:
		c.NodePortAddresses.CIDRs = g.prefixes("192.0.2.0/24", "2001:db8:1::/64")
	case 1:
		c.NodePortAddresses.CIDRs = g.prefixes("0.0.0.0/0", "::/0")
	}
	if g.chance(30) {
		c.Masquerade = ir.Masquerade{Families: g.families, Exclude: ir.DisjointPrefixes(g.prefixes("10.0.0.0/8", "fd00::/8"))}
	}
	return c
}

// prefixes returns the prefixes of the cluster's families.
func (g *generator) prefixes(v4, v6 string) []netip.Prefix {
	var out []netip.Prefix
	if g.has(ir.IPv4) {
		out = append(out, netip.MustParsePrefix(v4))
	}
	if g.has(ir.IPv6) {
		out = append(out, netip.MustParsePrefix(v6))
	}
	return out
}

func (g *generator) slice(service string, n int, f ir.Family, ports []discoveryv1.EndpointPort, endpoints []discoveryv1.Endpoint) {
	s := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("%s-%v-%d", service, f, n), Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		AddressType: map[ir.Family]discoveryv1.AddressType{ir.IPv4: discoveryv1.AddressTypeIPv4, ir.IPv6: discoveryv1.AddressTypeIPv6}[f],
		Ports:       ports,
		Endpoints:   endpoints,
	}
	g.set.EndpointSlices = append(g.set.EndpointSlices, objects.Sourced[*discoveryv1.EndpointSlice]{Object: s})
}
