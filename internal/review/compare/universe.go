package compare

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// universe holds the pods of two states and one stand-in for every other kind
// of pod that may exist. The stand-ins are ordinary objects, so the compiler
// judges them like pods.
type universe struct {
	standIns *standIns
	names    *namedPorts
	// extras are the stand-ins as pods, in both states.
	extras []extra
	// nodes are the stand-ins for nodes, in both states.
	nodes  []extraNode
	bounds []string
}

// extraNode is a stand-in for nodes outside of the input.
type extraNode struct {
	labels *combination
	node   *corev1.Node
}

// extra is a stand-in at one address.
type extra struct {
	kind    *standIn
	variant *portVariant
	// addresses has one address of each family of pods; network is the innermost
	// policy network of the first.
	addresses []netip.Addr
	network   netip.Prefix
	place     string
	pod       *corev1.Pod
}

// namespaces returns a state's namespaces; of duplicates, the one that the compiler uses.
func (s *State) namespaces() []objects.Sourced[*corev1.Namespace] {
	seen := make(map[string]bool)
	sorted := slices.SortedFunc(slices.Values(s.Objects.Namespaces), objects.CompareFirst)
	return slices.DeleteFunc(sorted, func(n objects.Sourced[*corev1.Namespace]) bool {
		again := seen[n.Object.Name]
		seen[n.Object.Name] = true
		return again
	})
}

// newUniverse makes the universe of two states. If no policy, pod or namespace
// differs, it has no stand-ins, because no path can change for them.
func newUniverse(before, after *State, ch changes) *universe {
	if !ch.ofPolicies() {
		return &universe{standIns: &standIns{namespaces: namedNamespaces([2]*State{before, after})}, names: &namedPorts{}}
	}
	return fullUniverse(before, after)
}

// fullUniverse makes a universe with all stand-ins.
func fullUniverse(before, after *State) *universe {
	reach := before.Cluster.PolicyReach().Union(after.Cluster.PolicyReach())
	u := &universe{standIns: newStandIns(before, after, &reach), names: newNamedPorts(&reach)}
	u.bounds = append(slices.Clone(u.standIns.bounds), u.names.bounds...)
	for _, what := range reach.Unsaid {
		u.bounds = append(u.bounds, "policies ask for "+what)
	}
	a := newAllotment(before, after, reach.Networks)
	u.bounds = append(u.bounds, a.bounds...)
	u.addNodes(a)
	u.populate(a, u.standIns.unnamed(&reach))
	for _, at := range slices.Concat(a.ranges[0], a.ranges[1]) {
		if at.short {
			u.bounds = append(u.bounds, fmt.Sprintf("%v has fewer addresses than there are kinds of pods that could have one", at.network))
		}
	}
	return u
}

// addNodes makes the nodes of the stand-ins, with addresses outside of policy
// networks.
func (u *universe) addNodes(a *allotment) {
	for i := range u.standIns.nodes {
		c := &u.standIns.nodes[i]
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("stand-in.%d", i), Labels: c.pod}}
		for _, r := range a.nodes {
			if addr, ok := r.next(a.taken); ok {
				n.Status.Addresses = append(n.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: addr.String()})
			}
		}
		u.nodes = append(u.nodes, extraNode{c, n})
	}
}

// populate makes the pods of the stand-ins. If there are too many, each kind gets one
// before any gets a second. Prefix starts the names of namespaces outside of the
// input.
func (u *universe) populate(a *allotment, prefix string) {
	for place := range a.places() {
		for v := range u.names.variants {
			for i, k := range u.standIns.list {
				if len(u.extras) == maxStandIns {
					u.bounds = append(u.bounds, fmt.Sprintf("more than %d stand-ins would be needed for pods that the input lacks", maxStandIns))
					return
				}
				addresses, network := a.addresses(place)
				if len(addresses) == 0 {
					continue
				}
				ns := k.namespace
				if ns == "" {
					ns = fmt.Sprintf("%s.%d", prefix, i)
				}
				x := extra{kind: k, variant: &u.names.variants[v], addresses: addresses, network: network, place: "stand-ins of " + k.namespace}
				x.pod = newPod(ns, fmt.Sprintf("stand-in.%d", len(u.extras)), k, x.variant, addresses)
				x.pod.Spec.NodeName = x.place
				u.extras = append(u.extras, x)
			}
		}
	}
}

func newPod(namespace, name string, k *standIn, v *portVariant, addresses []netip.Addr) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: k.own()},
		Spec:       corev1.PodSpec{Containers: v.containers, ServiceAccountName: k.pod[clause.AccountKey]},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
	for _, a := range addresses {
		p.Status.PodIPs = append(p.Status.PodIPs, corev1.PodIP{IP: a.String()})
	}
	p.Status.PodIP = p.Status.PodIPs[0].IP
	return p
}

// programs returns the policies for the pods and stand-ins of a state, as one
// program for each of its places.
func (u *universe) programs(s *State) []*ir.Program {
	var out []*ir.Program
	if len(u.extras) == 0 {
		for _, name := range s.places() {
			out = append(out, s.Network.Program(name))
		}
		return out
	}
	cluster := s.Cluster.With(u.objects(s))
	places := s.places()
	for i := range u.extras {
		places = append(places, u.extras[i].place)
	}
	slices.Sort(places)
	for _, name := range slices.Compact(places) {
		p, _ := cluster.Program(name)
		out = append(out, p)
	}
	return out
}

// objects returns a state's objects that matter to policies, and the stand-ins.
func (u *universe) objects(s *State) *objects.Set {
	out := *s.Objects
	out.Services, out.EndpointSlices, out.Workloads = nil, nil, nil
	out.Pods, out.Namespaces = slices.Clone(out.Pods), slices.Clone(out.Namespaces)
	have := make(map[string]bool)
	for i := range out.Namespaces {
		have[out.Namespaces[i].Object.Name] = true
	}
	add := func(name string, labels map[string]string) {
		if !have[name] {
			have[name] = true
			n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
			out.Namespaces = append(out.Namespaces, objects.Sourced[*corev1.Namespace]{Object: n})
		}
	}
	for i := range u.extras {
		x := &u.extras[i]
		if x.kind.namespace == "" {
			labels := withEntry(x.kind.combination.namespace, corev1.LabelMetadataName, x.pod.Namespace)
			maps.Copy(labels, x.kind.combination.namespace)
			add(x.pod.Namespace, labels)
		} else if n := u.standIns.namespaces[x.kind.namespace]; x.kind.only != nil {
			add(x.kind.namespace, n.labels[max(n.onlyIn(), 0)])
		}
		out.Pods = append(out.Pods, objects.Sourced[*corev1.Pod]{Object: x.pod})
	}
	out.Nodes = slices.Clone(out.Nodes)
	for i := range u.nodes {
		out.Nodes = append(out.Nodes, objects.Sourced[*corev1.Node]{Object: u.nodes[i].node})
	}
	return &out
}

// maxStandIns bounds the stand-ins of a comparison.
const maxStandIns = 8192
