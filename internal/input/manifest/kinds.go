package manifest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// knownKind is a supported kind with its supported versions.
type knownKind struct {
	kind, group string
	versions    []string
	// former is the previous group of the kind, or "".
	former string
}

// knownKinds lists the supported kinds. ServiceCIDR has the same fields in
// v1beta1. The admin policies are two generations of one API, and each kind was
// published in one version only.
var knownKinds = withClusters(withAnnouncing(withPools(withCilium(withCalico([]knownKind{
	{"Service", "", []string{"v1"}, ""},
	{"EndpointSlice", "discovery.k8s.io", []string{"v1"}, ""},
	{"Node", "", []string{"v1"}, ""},
	{"Pod", "", []string{"v1"}, ""},
	{"Namespace", "", []string{"v1"}, ""},
	{"ServiceCIDR", "networking.k8s.io", []string{"v1", "v1beta1"}, ""},
	{"NetworkPolicy", "networking.k8s.io", []string{"v1"}, "extensions"},
	{"ClusterNetworkPolicy", policyGroup, []string{"v1beta1", "v1alpha2"}, ""},
	{"AdminNetworkPolicy", policyGroup, []string{"v1alpha1"}, ""},
	{"BaselineAdminNetworkPolicy", policyGroup, []string{"v1alpha1"}, ""},
	{"ServiceAccount", "", []string{"v1"}, ""},
})))))

const policyGroup = "policy.networking.k8s.io"

// support tells how far planec supports a kind.
type support uint8

const (
	foreign support = iota
	otherVersion
	supported
)

// lookUp returns whether planec supports the kind, and the apiVersion it would
// need. Kinds of other groups are foreign even with an equal name: Knative has
// a Service too.
func lookUp(m typeMeta) (support, string) {
	group, version, hasGroup := strings.Cut(m.apiVersion, "/")
	if !hasGroup {
		group, version = "", m.apiVersion
	}
	for _, k := range knownKinds {
		if k.kind != m.kind || (k.group != group && (k.former == "" || k.former != group)) {
			continue
		}
		if k.group == group && slices.Contains(k.versions, version) {
			return supported, m.apiVersion
		}
		want := k.versions[0]
		if k.group != "" {
			want = k.group + "/" + want
		}
		return otherVersion, want
	}
	return foreign, ""
}

func planecReads(m typeMeta) bool {
	s, _ := lookUp(m)
	return s == supported
}

// tallyName is the name under which a skipped kind is counted: with its group
// if the bare name would be confused with a supported kind.
func (t typeMeta) tallyName() string {
	if t.kind == "" {
		return unknownKind
	}
	for _, k := range knownKinds {
		if k.kind == t.kind {
			return t.kind + " of " + t.apiVersion
		}
	}
	return t.kind
}

// object decodes one object that is not a list.
func (d *decoder) object(out *outcome, t *text, meta typeMeta) {
	switch known, want := lookUp(meta); {
	case known == otherVersion:
		at := t.named(meta.kind)
		if meta.apiVersion == "" {
			out.report(diag.BadObject, at, "apiVersion is missing; "+want+" is read")
		} else {
			out.report(diag.UnsupportedKind, at, "apiVersion "+meta.apiVersion+" is not read; write it as "+want)
		}
		return
	case known == foreign && d.readsEntry(meta):
		d.entry(out, t, meta)
		return
	case known == foreign && meta.isConfigMap() && isCiliumConfig(t):
		d.ciliumConfig(out, t)
		return
	case known == foreign && !d.readsKnownWorkload(meta) && d.unread(out, t, meta):
		return
	case known == foreign && d.readsWorkload(meta):
		d.workload(out, t, meta)
		return
	case known == foreign:
		d.foreign(out, t, meta)
		return
	case meta.isClusters():
		d.clusters(out, t, meta)
		return
	case meta.isAnnouncing():
		d.announcing(out, t, meta)
		return
	case meta.isPool():
		d.pool(out, t, meta)
		return
	case meta.isCalico():
		d.calicoObject(out, t, meta)
		return
	case meta.isCilium():
		d.ciliumObject(out, t, meta)
		return
	}
	switch meta.kind {
	case "Service":
		readInto(d, out, t, meta.kind, &out.set.Services, namespaced, isLabel, (*decoder).service)
	case "EndpointSlice":
		readInto(d, out, t, meta.kind, &out.set.EndpointSlices, namespaced, isSubdomain, (*decoder).endpointSlice)
	case "Node":
		readInto(d, out, t, meta.kind, &out.set.Nodes, clusterScoped, isSubdomain, (*decoder).k8sNode)
	case "Pod":
		readInto(d, out, t, meta.kind, &out.set.Pods, namespaced, isSubdomain, (*decoder).pod)
	case "Namespace":
		readInto(d, out, t, meta.kind, &out.set.Namespaces, clusterScoped, isLabel, (*decoder).namespace)
	case "ServiceAccount":
		readInto(d, out, t, meta.kind, &out.set.ServiceAccounts, namespaced, isSubdomain, (*decoder).serviceAccount)
	case "ServiceCIDR":
		readInto(d, out, t, meta.kind, &out.set.ServiceCIDRs, clusterScoped, isSubdomain, (*decoder).serviceCIDR)
	case "NetworkPolicy":
		readInto(d, out, t, meta.kind, &out.set.NetworkPolicies, namespaced, isSubdomain, (*decoder).networkPolicy)
	case "ClusterNetworkPolicy":
		readInto(d, out, t, meta.kind, &out.set.ClusterNetworkPolicies, clusterScoped, isSubdomain, (*decoder).clusterNetworkPolicy)
	case "AdminNetworkPolicy":
		readInto(d, out, t, meta.kind, &out.set.AdminNetworkPolicies, clusterScoped, isSubdomain, (*decoder).adminNetworkPolicy)
	case "BaselineAdminNetworkPolicy":
		readInto(d, out, t, meta.kind, &out.set.BaselineAdminNetworkPolicies, clusterScoped, isSubdomain, (*decoder).baselineAdminNetworkPolicy)
	}
}

// foreign counts an object that planec does not use, if it is one.
func (d *decoder) foreign(out *outcome, t *text, meta typeMeta) {
	if t.node == nil && !json.Valid(t.json) {
		out.report(diag.BadDocument, t.origin(t.line), "broken JSON")
		return
	}
	out.skipped.count(meta.tallyName(), 1)
}

// isPolicy reports whether a supported kind is a policy.
func isPolicy(kind string) bool { return strings.HasSuffix(kind, "NetworkPolicy") }

type scope bool

const (
	namespaced    scope = true
	clusterScoped scope = false
)

// readInto decodes one object, checks its name and the fields whose absence
// cannot be detected later, applies the API server's defaults, drops unused
// fields, and adds it to the list.
func readInto[T any, P interface {
	*T
	objects.Meta
	SetName(string)
	SetNamespace(string)
	GetGenerateName() string
}](
	d *decoder, out *outcome, t *text, kind string, list *[]objects.Sourced[P], where scope,
	nameRule func(string) bool, finish func(*decoder, P) P,
) {
	o := P(new(T))
	if !d.unmarshal(out, t, kind, o) {
		return
	}
	if where == clusterScoped {
		o.SetNamespace("")
	} else if o.GetNamespace() == "" {
		o.SetNamespace("default")
	}
	t.complete(o)
	strange := t.strangeFields()
	at := ir.Origin{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName(), File: t.file, Line: t.line}
	if isPatch(out, at, strange) {
		return
	}
	if problem := nameProblem(o, where, nameRule); problem != "" {
		at.Namespace, at.Name = "", ""
		reportStrange(out, diag.UnknownField, at, strange, "")
		out.report(diag.UnnamedObject, at, problem)
		return
	}
	if path := absentField(kind, t.json); path != "" {
		reportStrange(out, diag.UnknownPolicyField, at, strange, "")
		out.report(diag.RefusedPolicy, at.At(path), "Required value")
		return
	}
	switch {
	case len(strange) == 0:
	case !isPolicy(kind):
		reportStrange(out, diag.UnknownField, at, strange, "")
	case !strangePolicy(out, t, at, o, strange):
		return
	}
	*list = append(*list, objects.Sourced[P]{Object: finish(d, o), File: t.file, Line: t.line})
}
