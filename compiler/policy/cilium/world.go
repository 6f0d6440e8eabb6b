package cilium

import (
	"net/netip"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// world is whom selectors choose from. It does not change but for its caches, and is safe
// for concurrent use.
type world struct {
	cluster  *clause.Cluster
	options  *options
	services *services
	groups   []*cidrGroup
	remote   []remotePod

	// apiNodes are the addresses of API servers that are a node's, by node; apiOutside
	// are those that are neither a node's nor a pod's.
	apiNodes   map[*clause.Node][]netip.Addr
	apiOutside []netip.Addr

	// The index of pods by ports is made when it is first needed.
	portsOnce sync.Once
	withPort  map[string][]*clause.Pod
	// numbers caches the pods with a named port: text to []numberGroup.
	numbers sync.Map
	// nodeViews caches what selectors make of the nodes: text to nodeView.
	nodeViews sync.Map
}

func newWorld(c *clause.Cluster, o *options) *world {
	w := &world{cluster: c, options: o, apiNodes: make(map[*clause.Node][]netip.Addr)}
	w.services = newServices(c.Objects)
	if len(c.Objects.Others) > 0 {
		w.remote = w.withoutOwn(remotePods(c.Objects.Others, o.podFilter.counts))
	}
	w.findAPIServers()
	return w
}

// findAPIServers finds the endpoints of the Service kubernetes (pkg/k8s/watchers).
func (w *world) findAPIServers() {
	addresses := w.services.addresses(objects.Name{Namespace: "default", Name: "kubernetes"})
	if len(addresses) == 0 {
		return
	}
	owners := make(map[netip.Addr]*clause.Node)
	for _, n := range w.cluster.Nodes {
		for _, a := range n.Addresses {
			owners[a] = n
		}
	}
	pods := make(map[netip.Addr]bool)
	for _, p := range w.cluster.Pods {
		for _, a := range p.Addresses {
			pods[a] = true
		}
	}
	for _, a := range addresses {
		switch n := owners[a]; {
		case n != nil:
			w.apiNodes[n] = append(w.apiNodes[n], a)
		case !pods[a]:
			w.apiOutside = append(w.apiOutside, a)
		}
	}
}

// podLabels are the labels of a pod as Cilium has them (pkg/k8s/labels.go,
// pkg/k8s/utils/utils.go, SanitizePodLabels).
type podLabels struct {
	world *world
	pod   *clause.Pod
}

func (l podLabels) lookup(source, key string) (string, bool) {
	if source != sourceK8s && source != sourceAny {
		return "", false
	}
	var value string
	there := true
	switch rest, ofNamespace := strings.CutPrefix(key, prefixNamespaceLabel); {
	case ofNamespace:
		value, there = l.pod.Namespace.Labels[rest]
	case key == labelNamespace:
		value = l.pod.Namespace.Name
	case key == labelServiceAccount:
		value = l.pod.Object.Spec.ServiceAccountName
		there = value != ""
	case key == labelCluster:
		value = l.world.options.clusterName
	case isOwned(key):
		return "", false
	default:
		value, there = l.pod.Labels[key]
	}
	if !there || !l.world.options.podFilter.counts(key) {
		return "", false
	}
	return value, true
}

// nodeLabels are the labels of a node as a peer (pkg/node/manager/manager.go,
// nodeIdentityLabels); own says that the rules are for it, and api that they are those of
// an address of an API server. The own node has that label with all of its addresses,
// another node with those that the Service kubernetes names (pkg/ipcache/metadata.go).
type nodeLabels struct {
	world    *world
	node     *clause.Node
	own, api bool
}

func (l nodeLabels) lookup(source, key string) (string, bool) {
	is := func(s string) bool { return source == s || source == sourceAny }
	if is(sourceReserved) && (key == reservedHost && l.own || key == reservedRemoteNode && !l.own || key == reservedAPIServer && l.api) {
		return "", true
	}
	if !l.world.options.nodeLabels {
		return "", false
	}
	if value, there := l.node.Labels[key]; there && is(sourceNode) && l.world.options.nodeFilter.counts(key) {
		return value, true
	}
	if is(sourceK8s) && key == labelCluster {
		return l.world.options.clusterName, true
	}
	return "", false
}

// hostLabels are the labels of a node as the subject of a policy
// (pkg/endpoint/endpoint.go, InitWithNodeLabels): the filter is that of pods.
type hostLabels struct {
	world *world
	node  *clause.Node
}

func (l hostLabels) lookup(source, key string) (string, bool) {
	if key == reservedHost && (source == sourceReserved || source == sourceAny) {
		return "", true
	}
	value, there := l.node.Labels[key]
	there = there && (source == sourceK8s || source == sourceAny) && l.world.options.podFilter.counts(key)
	if !there {
		return "", false
	}
	return value, true
}

// outsideLabels are the labels of addresses outside of the cluster, of one family.
type outsideLabels struct {
	world     *world
	family    ir.Family
	apiServer bool
}

func (l outsideLabels) lookup(source, key string) (string, bool) {
	if source != sourceReserved && source != sourceAny {
		return "", false
	}
	name := reservedWorldIPv4
	switch {
	case !l.world.options.ipv4 || !l.world.options.ipv6:
		name = reservedWorld
	case l.family == ir.IPv6:
		name = reservedWorldIPv6
	}
	return "", key == name || key == reservedAPIServer && l.apiServer
}

// families are those that the cluster has.
func (w *world) families() []ir.Family {
	var out []ir.Family
	if w.options.ipv4 {
		out = append(out, ir.IPv4)
	}
	if w.options.ipv6 {
		out = append(out, ir.IPv6)
	}
	return out
}

// onlyPods reports whether the selector demands a label that only pods have.
func onlyPods(s selector) bool {
	return slices.ContainsFunc(s, func(r requirement) bool {
		return r.demands() && r.source != sourceReserved && (r.key == labelNamespace || strings.HasPrefix(r.key, prefixNamespaceLabel) || r.key == labelServiceAccount)
	})
}

// noPods reports whether the selector demands a label that no pod has.
func noPods(s selector) bool {
	return slices.ContainsFunc(s, func(r requirement) bool {
		return r.demands() && r.source != sourceK8s && r.source != sourceAny
	})
}

// onlyNamespace returns the namespace that all selected pods are in, or "".
func onlyNamespace(s selector) string {
	for _, r := range s {
		if r.key == labelNamespace && r.source != sourceReserved && r.operator == opIn && len(r.values) == 1 {
			return r.values[0]
		}
	}
	return ""
}

// ownLabels returns labels that all selected pods have themselves.
func (w *world) ownLabels(s selector) []clause.Label {
	var out []clause.Label
	for _, c := range w.ownChoices(s) {
		if len(c) == 1 {
			out = append(out, c[0])
		}
	}
	return out
}

// ownChoices returns the labels of which all selected pods have one themselves.
func (w *world) ownChoices(s selector) [][]clause.Label {
	var out [][]clause.Label
	for _, r := range s {
		if r.operator != opIn || isOwned(r.key) || !w.options.podFilter.counts(r.key) || r.source != sourceK8s && r.source != sourceAny {
			continue
		}
		labels := make([]clause.Label, len(r.values))
		for i, v := range r.values {
			labels[i] = clause.Label{Key: r.key, Value: v}
		}
		out = append(out, labels)
	}
	return out
}

// pods returns the pods that a selector selects, in the order of the cluster. A required
// label, or a required namespace, narrows the search.
func (w *world) pods(s selector) []*clause.Pod {
	var out []*clause.Pod
	for _, p := range w.candidates(s) {
		if s.matches(podLabels{w, p}) {
			out = append(out, p)
		}
	}
	return out
}

// candidates returns at least the pods that a selector selects.
func (w *world) candidates(s selector) []*clause.Pod {
	if noPods(s) {
		return nil
	}
	return w.cluster.Among(onlyNamespace(s), nil, w.ownChoices(s)...)
}

// withNamedPort returns the pods that have a port of the name, in the order of the cluster.
func (w *world) withNamedPort(name string) []*clause.Pod {
	w.portsOnce.Do(func() {
		w.withPort = make(map[string][]*clause.Pod)
		for _, p := range w.cluster.Pods {
			for _, c := range p.Object.Spec.Containers {
				for _, port := range c.Ports {
					if have := w.withPort[port.Name]; port.Name != "" && (len(have) == 0 || have[len(have)-1] != p) {
						w.withPort[port.Name] = append(have, p)
					}
				}
			}
		}
	})
	return w.withPort[name]
}

// number returns what the name of a port means on a pod, and whether it means a port of
// the protocol. Only containers count, and of several ports with one name the last
// (pkg/k8s/labels.go, GetPodMetadata; pkg/types/portmap.go).
func number(p *clause.Pod, name string, of ir.Protocol) (uint16, bool) {
	var last *corev1.ContainerPort
	for i := range p.Object.Spec.Containers {
		ports := p.Object.Spec.Containers[i].Ports
		for j := range ports {
			if port := &ports[j]; strings.EqualFold(port.Name, name) && port.ContainerPort > 0 && port.ContainerPort < 65536 {
				last = port
			}
		}
	}
	if last == nil {
		return 0, false
	}
	proto := ir.TCP
	if last.Protocol != "" {
		var err error
		if proto, err = ir.ParseProtocol(string(last.Protocol)); err != nil {
			return 0, false
		}
	}
	return uint16(last.ContainerPort), proto == of
}
