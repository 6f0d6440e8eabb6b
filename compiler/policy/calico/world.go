package calico

import (
	"net/netip"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/policy/calico/selector"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// world is whom Calico's selectors choose from: pods and network sets, with the labels
// that Calico gives them. It does not change but for its caches, and is safe for
// concurrent use.
type world struct {
	cluster *clause.Cluster
	// accounts are the labels of service accounts.
	accounts map[objects.Name]map[string]string
	sets     []*netSet

	// The indexes are made when they are first needed.
	setsOnce, portsOnce, slicesOnce sync.Once
	labelledSets                    map[clause.Label][]*netSet
	withPort                        map[string][]*clause.Pod
	slices                          map[objects.Name][]*discoveryv1.EndpointSlice
	// groups caches the pods with a named port: groupKey to []portGroup.
	groups sync.Map
}

// netSet is a network set that was accepted.
type netSet struct {
	labels    map[string]string
	namespace *clause.Namespace // nil for a global one
	nets      []netip.Prefix    // without host bits
}

// newWorld reads network sets and service accounts. It reports sets that Calico would
// refuse, which do not exist then.
func newWorld(c *clause.Cluster, diags *diag.List) *world {
	w := &world{cluster: c, accounts: make(map[objects.Name]map[string]string)}
	for _, a := range c.Objects.ServiceAccounts {
		w.accounts[objects.NameOf(a.Object)] = a.Object.Labels
	}
	for _, s := range c.Objects.CalicoNetworkSets {
		ns := c.Namespace(s.Object.Namespace)
		if ns == nil { // labels of its namespace are not known
			ns = &clause.Namespace{Name: s.Object.Namespace}
		}
		w.addSet(&s.Object.ObjectMeta, &s.Object.Spec, ns, objects.Origin("NetworkSet", s), diags)
	}
	for _, s := range c.Objects.CalicoGlobalNetworkSets {
		w.addSet(&s.Object.ObjectMeta, &s.Object.Spec, nil, objects.Origin("GlobalNetworkSet", s), diags)
	}
	return w
}

func (w *world) addSet(m *metav1.ObjectMeta, spec *calicov3.NetworkSetSpec, ns *clause.Namespace, at ir.Origin, diags *diag.List) {
	if errs := ValidateSet(m, spec); len(errs) > 0 {
		for _, e := range errs {
			diags.Add(diag.RefusedCalico, at.At(e.Field), e.ErrorBody())
		}
		return
	}
	set := &netSet{labels: m.Labels, namespace: ns}
	for _, text := range spec.Nets {
		if n, err := parseSetNet(text); err == nil {
			set.nets = append(set.nets, n)
		}
	}
	w.sets = append(w.sets, set)
}

// Get implements [selector.Labels]: a set's own labels, its namespace, and the labels of
// that (libcalico-go/lib/backend/syncersv1/updateprocessors/networksetprocessor.go).
func (s *netSet) Get(name string) (string, bool) {
	if s.namespace != nil && name == labelNamespace {
		return s.namespace.Name, true
	}
	if value, there := s.labels[name]; there || s.namespace == nil {
		return value, there
	}
	return ofNamespace(s.namespace, name)
}

// ofNamespace returns a label that comes from a namespace.
func ofNamespace(n *clause.Namespace, name string) (string, bool) {
	key, prefixed := strings.CutPrefix(name, prefixNamespace)
	if prefixed && key == labelName {
		return n.Name, true
	}
	value, there := n.Labels[key]
	return value, there && prefixed
}

// podLabels are the labels of a pod as Calico has them.
type podLabels struct {
	world *world
	pod   *clause.Pod
}

// Get implements [selector.Labels]. A pod's own labels that look like those of its
// namespace or its service account do not count (updateprocessors/workloadendpointprocessor.go).
func (l podLabels) Get(name string) (string, bool) {
	account := l.pod.Object.Spec.ServiceAccountName
	switch {
	case name == labelNamespace:
		return l.pod.Namespace.Name, true
	case name == labelOrchestrator:
		return "k8s", true
	case name == labelServiceAccount && account != "":
		return account, true
	case strings.HasPrefix(name, prefixNamespace):
		return ofNamespace(l.pod.Namespace, name)
	case !strings.HasPrefix(name, prefixServiceAccount):
		value, there := l.pod.Labels[name]
		return value, there
	case account == "":
		return "", false
	}
	key := strings.TrimPrefix(name, prefixServiceAccount)
	if key == labelName {
		return account, true
	}
	value, there := l.world.accounts[objects.Name{Namespace: l.pod.Namespace.Name, Name: account}][key]
	return value, there
}

func (w *world) matches(s *selector.Selector, p *clause.Pod) bool {
	return s.Matches(podLabels{w, p})
}

// own reports whether a label is one that pods have themselves.
func own(label string) bool {
	return label != labelNamespace && label != labelOrchestrator && label != labelServiceAccount &&
		!strings.HasPrefix(label, prefixNamespace) && !strings.HasPrefix(label, prefixServiceAccount)
}

// onlyNamespace returns the namespace in which all selected pods are, or "".
func onlyNamespace(s *selector.Selector) string {
	for _, r := range s.Requires() {
		if r.Label == labelNamespace || r.Label == prefixNamespace+labelName {
			return r.Value
		}
	}
	return ""
}

// ownLabels returns labels that all selected pods have themselves.
func ownLabels(s *selector.Selector) []clause.Label {
	var out []clause.Label
	for _, r := range s.Requires() {
		if own(r.Label) {
			out = append(out, clause.Label{Key: r.Label, Value: r.Value})
		}
	}
	return out
}

// pods returns the pods that a selector selects, in the order of the cluster. A required
// label, or a required namespace, narrows the search.
func (w *world) pods(s *selector.Selector) []*clause.Pod {
	var out []*clause.Pod
	for _, p := range w.candidates(s) {
		if w.matches(s, p) {
			out = append(out, p)
		}
	}
	return out
}

func (w *world) candidates(s *selector.Selector) []*clause.Pod {
	return w.cluster.Among(onlyNamespace(s), ownLabels(s), ownChoices(s)...)
}

// ownChoices returns the labels of pods of which everything selected has one.
func ownChoices(s *selector.Selector) [][]clause.Label {
	var out [][]clause.Label
	for _, c := range s.Choices() {
		if !own(c.Label) {
			continue
		}
		labels := make([]clause.Label, len(c.Values))
		for i, v := range c.Values {
			labels[i] = clause.Label{Key: c.Label, Value: v}
		}
		out = append(out, labels)
	}
	return out
}

func (w *world) indexSets() {
	w.labelledSets = make(map[clause.Label][]*netSet)
	for _, s := range w.sets {
		for k, v := range s.labels {
			l := clause.Label{Key: k, Value: v}
			w.labelledSets[l] = append(w.labelledSets[l], s)
		}
	}
}

// candidateSets returns network sets among which those that a selector selects are.
func (w *world) candidateSets(s *selector.Selector) []*netSet {
	best := w.sets
	if len(best) == 0 {
		return nil
	}
	w.setsOnce.Do(w.indexSets)
	for _, l := range ownLabels(s) {
		if have := w.labelledSets[l]; len(have) < len(best) {
			best = have
		}
	}
	return best
}

// networks returns the networks of the sets that a selector selects.
func (w *world) networks(s *selector.Selector) []netip.Prefix {
	var out []netip.Prefix
	for _, set := range w.candidateSets(s) {
		if s.Matches(set) {
			out = append(out, set.nets...)
		}
	}
	return out
}

// selects reports whether an address of a pod is selected: by the pod's labels, or by a
// network set.
func (w *world) selects(s *selector.Selector, p *clause.Pod, a netip.Addr) bool {
	return w.matches(s, p) || slices.ContainsFunc(w.candidateSets(s), func(set *netSet) bool { return ir.ContainsAddr(set.nets, a) && s.Matches(set) })
}

// namedPorts returns the named ports of a pod's containers and init containers, all of
// them (conversion/workload_endpoint_default.go, appendEndpointPorts).
func namedPorts(p *clause.Pod) []corev1.ContainerPort {
	var out []corev1.ContainerPort
	for _, list := range [][]corev1.Container{p.Object.Spec.Containers, p.Object.Spec.InitContainers} {
		for _, c := range list {
			for _, port := range c.Ports {
				if port.Name != "" && port.ContainerPort > 0 && port.ContainerPort < 65536 {
					out = append(out, port)
				}
			}
		}
	}
	return out
}

// numbers returns what the name of a port means on a pod; protocol 0 is any.
func numbers(p *clause.Pod, name string, of ir.Protocol) []ir.PortRange {
	var out []ir.PortRange
	for _, port := range namedPorts(p) {
		proto, err := ir.ParseProtocol(string(port.Protocol))
		if port.Protocol == "" {
			proto, err = ir.TCP, nil
		}
		if err == nil && port.Name == name && (of == 0 || of == proto) {
			out = append(out, ir.PortRange{Protocol: proto, First: uint16(port.ContainerPort), Last: uint16(port.ContainerPort)})
		}
	}
	return distinct(out)
}

// NamedPort returns what the name of a port means on a pod; protocol 0 is any.
func NamedPort(p *clause.Pod, name string, of ir.Protocol) []ir.PortRange {
	return numbers(p, name, of)
}
