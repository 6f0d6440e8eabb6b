package policy

import (
	"cmp"
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/compiler/policy/validate"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Model holds the policies of the whole cluster. It is immutable, except for
// peers that are resolved when a node first needs them, and safe for concurrent
// use.
type Model struct {
	cast *cast
	// byNode are the pods that policies can select.
	byNode map[string][]*pod
	// network are the NetworkPolicies of each namespace, by name; cluster all
	// other policies, in the order of evaluation.
	network map[string][]*policy
	cluster []*policy
	// networkIndex and clusterIndex find the policies of one pod.
	networkIndex map[string]*policyIndex
	clusterIndex *policyIndex
	// everyPod is the peer of an egress rule with a named port and without
	// peers.
	everyPod *peer

	// foreign are the policies of other dialects; nil without any.
	foreign *foreign
	// onRedirect is what happens to what rules redirect.
	onRedirect ir.Action

	// The parts that the next model of nearly equal objects can reuse.
	seen  inputs
	peers *peers
	// samePeers says that peers are those of the model before.
	samePeers bool
	// compiled maps objects, which never change, to their compiled policies, but for
	// NetworkPolicies, which networkRead has.
	compiled    map[any]compiled
	networkRead *networkRead
}

// inputs are the objects behind a cast.
type inputs struct {
	pods       []objects.Sourced[*corev1.Pod]
	namespaces []objects.Sourced[*corev1.Namespace]
	nodes      []objects.Sourced[*corev1.Node]
	hosts      []objects.Sourced[*corev1.Pod]
	diags      diag.List
}

// compiled is the result of one policy; a refused policy is nil.
type compiled struct {
	policy *policy
	diags  diag.List
}

// Settings are choices about policies that no object makes.
type Settings struct {
	clause.Settings
	// OnRedirect is what happens to packets that a rule hands to a proxy: ir.Deny,
	// also if it is 0, or ir.Accept.
	OnRedirect ir.Action
}

// Analyze reads the policies and all objects that they can select.
func Analyze(set *objects.Set, settings Settings) (*Model, diag.List) {
	return (&Model{}).Next(set, settings)
}

// Next is [Analyze] for objects that largely equal those of m. It reads pods,
// namespaces and nodes again only if one of them is a different object, and
// policies only if they are. Objects in use must not change. It is not safe to call it
// concurrently, because the new model shares the peers of m.
func (m *Model) Next(set *objects.Set, settings Settings) (*Model, diag.List) {
	var diags diag.List
	if len(set.NetworkPolicies)+len(set.ClusterNetworkPolicies)+len(set.AdminNetworkPolicies)+len(set.BaselineAdminNetworkPolicies) == 0 && !set.HasDialects() {
		return &Model{cast: &cast{}}, nil
	}
	n := &Model{network: make(map[string][]*policy), compiled: make(map[any]compiled)}
	n.readCast(m, set)
	diags = append(diags, n.seen.diags...)
	r := reader{old: m, model: n, diags: &diags}
	r.networkPolicies(set)
	r.clusterPolicies(set)
	n.networkIndex, n.clusterIndex = make(map[string]*policyIndex, len(n.network)), m.clusterIndex.next(n.cluster)
	for namespace, list := range n.network {
		n.networkIndex[namespace] = m.networkIndex[namespace].next(list)
	}
	n.onRedirect = cmp.Or(settings.OnRedirect, ir.Deny)
	if set.HasDialects() {
		n.readForeign(set, settings.Settings, &diags)
	}
	n.everyPod = n.peers.ofPods(podSelector{namespaces: newSelector(nil), pods: newSelector(nil)})
	n.equalPriorities(&diags)
	n.unknownPorts(&diags)
	n.hostPods(n.seen.hosts, &diags)
	if n.peers.known = nil; !n.samePeers {
		n.peers.added = 0
	}
	diags.Sort()
	return n, diags
}

// readCast reuses the cast of another model that was read from the same objects.
func (m *Model) readCast(old *Model, set *objects.Set) {
	if old.cast != nil && old.peers != nil && slices.Equal(old.seen.pods, set.Pods) && slices.Equal(old.seen.namespaces, set.Namespaces) && slices.Equal(old.seen.nodes, set.Nodes) {
		m.cast, m.byNode, m.seen = old.cast, old.byNode, old.seen
		m.peers, m.samePeers = old.peers.next()
		return
	}
	m.seen = inputs{pods: slices.Clone(set.Pods), namespaces: slices.Clone(set.Namespaces), nodes: slices.Clone(set.Nodes)}
	m.cast, m.seen.hosts = readCast(set, &m.seen.diags)
	m.byNode = make(map[string][]*pod)
	m.peers = &peers{all: make(map[string]*peer)}
	for _, p := range m.cast.pods {
		if len(p.addresses) > 0 {
			m.byNode[p.node] = append(m.byNode[p.node], p)
		}
	}
}

// all calls do for every policy, in a stable order.
func (m *Model) all(do func(*policy)) {
	for _, n := range m.cast.namespaces {
		for _, p := range m.network[n.name] {
			do(p)
		}
	}
	for _, p := range m.cluster {
		do(p)
	}
}

// reader reads policies into a model and reuses an older model as far as
// possible. Compiled policies of the older model refer to peers of its own cast.
type reader struct {
	old, model *Model
	diags      *diag.List
	// before finds NetworkPolicies of the older model.
	before map[*networkingv1.NetworkPolicy]compiled
}

// mayKeep reports whether a policy that the older model compiled is that of this model, and keeps
// its peers then.
func (r *reader) mayKeep(c compiled, origin ir.Origin) bool {
	if r.old.cast != r.model.cast || c.policy != nil && c.policy.origin != origin {
		return false
	}
	if c.policy != nil && !r.model.samePeers {
		c.policy.keep(r.model.peers)
	}
	return true
}

// compileOne compiles a policy that the API server would take.
func compileOne(origin ir.Origin, validate func() field.ErrorList, compile func(*diag.List) *policy) (c compiled) {
	if errs := validate(); len(errs) > 0 {
		c.diags = refused(errs, origin)
		return c
	}
	c.policy = compile(&c.diags)
	c.policy.withinBudget(&c.diags)
	return c
}

// readCluster compiles a policy of the cluster, or reuses the compiled one.
func (r *reader) readCluster(object any, origin ir.Origin, validate func() field.ErrorList, compile func(*diag.List) *policy) *policy {
	c, known := r.old.compiled[object]
	if !known || !r.mayKeep(c, origin) {
		c = compileOne(origin, validate, compile)
	}
	r.model.compiled[object] = c
	*r.diags = append(*r.diags, c.diags...)
	return c.policy
}

func (r *reader) clusterPolicies(set *objects.Set) {
	m, x := r.model, r.model.peers
	seen := make(map[string]bool)
	add := func(p *policy) {
		if p != nil && !seen[p.key()] {
			seen[p.key()] = true
			m.cluster = append(m.cluster, p)
		}
	}
	for _, src := range oldestFirst(set.ClusterNetworkPolicies) {
		at := objects.Origin("ClusterNetworkPolicy", src)
		add(r.readCluster(src.Object, at, func() field.ErrorList { return validate.ClusterNetworkPolicy(src.Object) },
			func(d *diag.List) *policy { return x.clusterPolicy("clusternetworkpolicy", &src.Object.Spec, at, d) }))
	}
	for _, src := range oldestFirst(set.AdminNetworkPolicies) {
		at := objects.Origin("AdminNetworkPolicy", src)
		add(r.readCluster(src.Object, at, func() field.ErrorList { return validate.AdminNetworkPolicy(src.Object) },
			func(d *diag.List) *policy {
				return x.clusterPolicy("adminnetworkpolicy", fromAdmin(&src.Object.Spec), at, d)
			}))
	}
	for _, src := range oldestFirst(set.BaselineAdminNetworkPolicies) {
		at := objects.Origin("BaselineAdminNetworkPolicy", src)
		add(r.readCluster(src.Object, at, func() field.ErrorList { return validate.BaselineAdminNetworkPolicy(src.Object) },
			func(d *diag.List) *policy {
				return x.clusterPolicy("baselineadminnetworkpolicy", fromBaseline(&src.Object.Spec), at, d)
			}))
	}
	slices.SortFunc(m.cluster, (*policy).compare)
}

// compare is the order of evaluation. The API leaves the order of equal
// priorities open; here the name decides.
func (p *policy) compare(q *policy) int {
	return cmp.Or(
		cmp.Compare(p.tier, q.tier), cmp.Compare(p.priority, q.priority),
		cmp.Compare(p.origin.Name, q.origin.Name), cmp.Compare(p.kind, q.kind),
	)
}

// refused reports errors for which the API server would reject the object.
func refused(errs field.ErrorList, at ir.Origin) diag.List {
	var out diag.List
	for _, e := range errs {
		out.Add(diag.RefusedPolicy, at.At(e.Field), e.ErrorBody())
	}
	return out
}

// equalPriorities warns about two policies whose order only planec decides.
func (m *Model) equalPriorities(diags *diag.List) {
	for rest := m.cluster; len(rest) > 0; {
		// The policies are sorted by tier and priority.
		n := 1
		for n < len(rest) && rest[n].tier == rest[0].tier && rest[n].priority == rest[0].priority {
			n++
		}
		if n > 1 {
			m.equals(rest[:n], diags)
		}
		rest = rest[n:]
	}
}

// said is a direction of a pod, or of all pods of a subject, for which a policy
// has rules.
type said struct {
	direction ir.Direction
	pod       *pod
	subject   *peer
}

// equals warns about policies of one priority that apply to the same direction of
// one pod.
func (m *Model) equals(policies []*policy, diags *diag.List) {
	first := make(map[said]int)
	for i, p := range policies {
		subject, before := m.peers.ofPods(p.subject), i
		for _, d := range ir.Directions() {
			if !p.affects(d) {
				continue
			}
			// The first policy for the pods of a subject stays the first once a policy
			// with the same subject was seen.
			whole := said{direction: d, subject: subject}
			earliest, known := first[whole]
			if !known {
				earliest = i
				subject.resolve(m.cast)
				for _, pod := range subject.found {
					one := said{direction: d, pod: pod}
					if _, have := first[one]; !have {
						first[one] = i
					}
					earliest = min(earliest, first[one])
				}
				first[whole] = earliest
				if len(subject.found) == 0 {
					first[whole] = len(policies)
				}
			}
			before = min(before, earliest)
		}
		if before < i {
			diags.Add(diag.EqualPriority, p.origin.At("spec.priority"), fmt.Sprintf("%s has priority %d in the %v tier too, and comes first", policies[before].origin.Object(), p.priority, p.tier))
		}
	}
}

// unknownPorts reports named ports that match no port.
func (m *Model) unknownPorts(diags *diag.List) {
	m.all(func(p *policy) {
		if p.unknown == nil {
			p.unknown = &diag.List{}
			for _, d := range ir.Directions() {
				for i := range p.rules[d] {
					m.unknownPortsOf(p, d, &p.rules[d][i], p.unknown)
				}
			}
		}
		*diags = append(*diags, *p.unknown...)
	})
}

func (m *Model) unknownPortsOf(p *policy, d ir.Direction, r *rule, diags *diag.List) {
	if len(r.ports.named) == 0 {
		return
	}
	peers := r.peers
	switch {
	case d == ir.Ingress:
		peers = []*peer{m.peers.ofPods(p.subject)}
	case r.anyPeer:
		peers = []*peer{m.everyPod}
	}
	pods := 0
	for _, peer := range peers {
		peer.resolve(m.cast)
		pods += len(peer.found)
	}
	for _, n := range r.ports.named {
		if !slices.ContainsFunc(peers, func(p *peer) bool { return p.has(n) }) {
			diags.Add(diag.UnknownNamedPort, r.origin, fmt.Sprintf("none of %d pods has a port %s", pods, n))
		}
	}
}

// hostPods reports pods on the host's network that a NetworkPolicy selects: the
// author may expect it to protect them.
func (m *Model) hostPods(hosts []objects.Sourced[*corev1.Pod], diags *diag.List) {
	if len(hosts) == 0 {
		return
	}
	in := make(map[string][]objects.Sourced[*corev1.Pod])
	for _, h := range hosts {
		in[h.Object.Namespace] = append(in[h.Object.Namespace], h)
	}
	m.all(func(p *policy) {
		var selected []string
		for _, h := range in[p.subject.own] {
			if p.tier == ir.NetworkTier && p.subject.matchesHost(h.Object, m.cast.byName[h.Object.Namespace]) {
				selected = append(selected, h.Object.Name)
			}
		}
		if len(selected) > 0 {
			slices.Sort(selected)
			diags.Add(diag.HostNetworkPod, p.origin.At("spec.podSelector"), fmt.Sprintf("%d pods on the host's network, as %s, are not subject to it", len(selected), selected[0]))
		}
	})
}
