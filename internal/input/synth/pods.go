package synth

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

const (
	// maxReplicas is the maximum number of pods of one workload, and maxPods of
	// all together: a number in a file must not exhaust the memory.
	maxReplicas = 1000
	maxPods     = 200_000
)

// kinds is the order in which workloads with the same name get unsuffixed pod names.
var kinds = []string{"StatefulSet", "Deployment", "ReplicaSet", "ReplicationController", "Job", "CronJob", "DaemonSet"}

// makePods makes the Pods of workloads and adds missing addresses to Pods.
func (m *maker) makePods() {
	names := make(map[objects.Name]bool)
	for _, p := range m.in.Pods {
		names[objects.NameOf(p.Object)] = true
	}
	pods := m.barePods()
	for _, w := range m.workloads() {
		for _, p := range m.podsOf(w) {
			id := objects.NameOf(p.Object)
			if names[id] {
				p.Object.Name += "-" + strings.ToLower(w.Object.Kind)
				id.Name = p.Object.Name
			}
			if len(pods) >= maxPods || names[id] {
				m.diags.Add(diag.SynthLimit, objects.Origin(w.Object.Kind, w), "not all of its pods were made")
				break
			}
			names[id] = true
			pods = append(pods, p)
		}
	}
	m.giveAddresses(pods)
	for _, p := range pods {
		add(&m.out.Set.Pods, &m.out.Made.Pods, p)
	}
}

// workloads returns the workloads that need pods, in the order in which names are
// assigned.
func (m *maker) workloads() []objects.Sourced[*objects.Workload] {
	sorted := slices.Clone(m.in.Workloads)
	slices.SortStableFunc(sorted, func(a, b objects.Sourced[*objects.Workload]) int {
		return cmp.Or(
			cmp.Compare(slices.Index(kinds, a.Object.Kind), slices.Index(kinds, b.Object.Kind)),
			objects.NameOf(a.Object).Compare(objects.NameOf(b.Object)),
		)
	})
	here := make(map[[3]string]bool)
	for _, w := range sorted {
		here[[3]string{w.Object.Namespace, w.Object.Kind + "/" + w.Object.Name}] = true
	}
	given := make(map[string][]labels.Set)
	for _, p := range m.in.Pods {
		if len(p.Object.Status.PodIPs) > 0 {
			given[p.Object.Namespace] = append(given[p.Object.Namespace], p.Object.Labels)
		}
	}
	var out []objects.Sourced[*objects.Workload]
	for _, w := range sorted {
		// The input's controlling workload makes these pods.
		owned := w.Object.Owner != "" && here[[3]string{w.Object.Namespace, w.Object.Owner}]
		if w.Object.Opaque || owned || hasPods(w.Object, given[w.Object.Namespace]) {
			continue
		}
		out = append(out, w)
	}
	return out
}

// hasPods reports whether the input has running pods of the workload.
func hasPods(w *objects.Workload, pods []labels.Set) bool {
	selector := labels.SelectorFromSet(w.PodLabels)
	if w.Selector != nil {
		if s, err := metav1.LabelSelectorAsSelector(w.Selector); err == nil {
			selector = s
		}
	}
	return !selector.Empty() && slices.ContainsFunc(pods, func(p labels.Set) bool { return selector.Matches(p) })
}

// podsOf returns the pods of a workload, without addresses.
func (m *maker) podsOf(w objects.Sourced[*objects.Workload]) []objects.Sourced[*corev1.Pod] {
	o := w.Object
	nodes := m.ranked(o.Kind+"/"+o.Namespace+"/"+o.Name, o.Spec.NodeSelector)
	count := 1
	switch {
	case o.Kind == "DaemonSet":
		count = len(nodes)
	case o.Replicas != nil:
		count = max(int(*o.Replicas), 0)
	}
	if count > maxReplicas {
		m.diags.Add(diag.SynthLimit, objects.Origin(o.Kind, w).At("spec.replicas"), fmt.Sprintf("%d pods of %d were made", maxReplicas, count))
		count = maxReplicas
	}
	out := make([]objects.Sourced[*corev1.Pod], 0, count)
	for i := range count {
		on := nodes[i%len(nodes)].name
		name := o.Name + "-" + strconv.Itoa(int(o.FirstOrdinal)+i)
		if o.Kind == "DaemonSet" {
			name = o.Name + "-" + on
		}
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: o.Namespace, Labels: labelled(o.PodLabels, whole), Annotations: o.Annotations},
			Spec: corev1.PodSpec{
				NodeName: cmp.Or(o.Spec.NodeName, on), HostNetwork: o.Spec.HostNetwork, Hostname: o.Spec.Hostname, Subdomain: o.Spec.Subdomain,
				Containers: o.Spec.Containers, InitContainers: o.Spec.InitContainers,
				ServiceAccountName: m.account(&o.Spec),
			},
			Status: corev1.PodStatus{Phase: corev1.PodRunning},
		}
		if o.Kind == "StatefulSet" {
			pod.Spec.Hostname = name
		}
		controllerLabels(pod.Labels, o, name, i)
		out = append(out, objects.Sourced[*corev1.Pod]{Object: pod, File: w.File, Line: w.Line})
	}
	return out
}

// account returns the name of a pod's service account. As an API server, it says default
// where none is written, if there are policies that ask: those of Kubernetes do not.
func (m *maker) account(s *corev1.PodSpec) string {
	if s.ServiceAccountName == "" && m.in.HasDialects() {
		return "default"
	}
	return s.ServiceAccountName
}

func labelled(from map[string]string, value string) map[string]string {
	out := make(map[string]string, len(from)+1)
	maps.Copy(out, from)
	out[Label] = value
	return out
}

// barePods removes the input's Pods without an address from the set and
// returns copies.
func (m *maker) barePods() []objects.Sourced[*corev1.Pod] {
	var bare []objects.Sourced[*corev1.Pod]
	set := make([]objects.Sourced[*corev1.Pod], 0, len(m.in.Pods))
	for _, p := range m.in.Pods {
		if len(p.Object.Status.PodIPs) > 0 || objects.Finished(p.Object) {
			set = append(set, p)
			continue
		}
		pod := p.Object.DeepCopy()
		pod.Labels = labelled(pod.Labels, completed)
		pod.Spec.ServiceAccountName = m.account(&pod.Spec)
		if pod.Spec.NodeName == "" {
			pod.Spec.NodeName = m.ranked("Pod/"+objects.NameOf(pod).String(), nil)[0].name
		}
		pod.Status.Phase = corev1.PodRunning
		bare = append(bare, objects.Sourced[*corev1.Pod]{Object: pod, File: p.File, Line: p.Line})
	}
	m.out.Set.Pods = set
	return bare
}

// giveAddresses adds to each pod an address of each family of its node.
func (m *maker) giveAddresses(pods []objects.Sourced[*corev1.Pod]) {
	taken := make(map[netip.Addr]bool)
	for _, p := range m.out.Set.Pods {
		for _, ip := range p.Object.Status.PodIPs {
			for _, a := range parseAll(ip.IP) {
				taken[a] = true
			}
		}
	}
	for _, s := range m.in.EndpointSlices {
		for _, e := range s.Object.Endpoints {
			for _, a := range parseAll(e.Addresses...) {
				taken[a] = true
			}
		}
	}
	nodes := make(map[string]node, len(m.nodes))
	for _, n := range m.nodes {
		nodes[n.name] = n
	}
	for _, f := range ir.Families() {
		wishes := make([]wish, 0, len(pods))
		for _, p := range pods {
			if in, ok := m.podRange(nodes[p.Object.Spec.NodeName], f); ok && !p.Object.Spec.HostNetwork {
				wishes = append(wishes, addressWish(objects.NameOf(p.Object).String(), in, taken))
			}
		}
		got := allocate(unique(wishes))
		for _, p := range pods {
			addrs := []netip.Addr{got[objects.NameOf(p.Object).String()].Addr()}
			if p.Object.Spec.HostNetwork {
				addrs = ir.AddrsOf(f, nodes[p.Object.Spec.NodeName].addresses)
			}
			if len(addrs) > 0 && addrs[0].IsValid() {
				p.Object.Status.PodIPs = append(p.Object.Status.PodIPs, corev1.PodIP{IP: addrs[0].String()})
				p.Object.Status.PodIP = p.Object.Status.PodIPs[0].IP
			}
		}
	}
	for _, p := range pods {
		if len(p.Object.Status.PodIPs) == 0 && !p.Object.Spec.HostNetwork {
			m.diags.Add(diag.SynthRangeFull, objects.Origin("Pod", p), "no address is free on "+p.Object.Spec.NodeName)
		}
	}
}

// podRange returns the range of a node's pod addresses in a family: the
// node's own range, or the cluster's if it has none at all.
func (m *maker) podRange(n node, f ir.Family) (netip.Prefix, bool) {
	ranges := n.podCIDRs
	if len(ranges) == 0 {
		ranges = m.out.PodCIDRs
	}
	if of := ir.PrefixesOf(f, ranges); len(of) > 0 {
		return of[0], true
	}
	return netip.Prefix{}, false
}
