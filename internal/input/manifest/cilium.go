package manifest

import (
	"bytes"
	"slices"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/json"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/ir/diag"
)

// ciliumKinds are the kinds of Cilium that planec reads.
var ciliumKinds = []string{ciliumv2.KindNetworkPolicy, ciliumv2.KindClusterwideNetworkPolicy, ciliumv2.KindCIDRGroup}

func isCiliumKind(kind string) bool { return slices.Contains(ciliumKinds, kind) }

// withCilium adds Cilium's kinds.
func withCilium(kinds []knownKind) []knownKind {
	return append(kinds,
		knownKind{ciliumv2.KindNetworkPolicy, ciliumv2.Group, []string{ciliumv2.Version}, ""},
		knownKind{ciliumv2.KindClusterwideNetworkPolicy, ciliumv2.Group, []string{ciliumv2.Version}, ""},
		knownKind{ciliumv2.KindCIDRGroup, ciliumv2.Group, []string{ciliumv2.Version, ciliumv2.Alpha}, ""},
	)
}

// isCilium reports whether the kind is of Cilium's group.
func (t typeMeta) isCilium() bool { return t.group() == ciliumv2.Group }

// newCilium returns a value of the Go type of a kind of Cilium, or nil.
func newCilium(m typeMeta) any {
	switch m.kind {
	case ciliumv2.KindNetworkPolicy:
		return ciliumv2.NetworkPolicy{}
	case ciliumv2.KindClusterwideNetworkPolicy:
		return ciliumv2.ClusterwideNetworkPolicy{}
	case ciliumv2.KindCIDRGroup:
		return ciliumv2.CIDRGroup{}
	}
	return nil
}

// ciliumObject decodes an object of a kind of Cilium that is read.
func (d *decoder) ciliumObject(out *outcome, t *text, meta typeMeta) {
	s := &out.set
	switch meta.kind {
	case ciliumv2.KindNetworkPolicy:
		readInto(d, out, t, meta.kind, &s.CiliumNetworkPolicies, namespaced, isSubdomain, (*decoder).ciliumNetworkPolicy)
	case ciliumv2.KindClusterwideNetworkPolicy:
		readInto(d, out, t, meta.kind, &s.CiliumClusterwideNetworkPolicies, clusterScoped, isSubdomain, (*decoder).ciliumClusterwideNetworkPolicy)
	case ciliumv2.KindCIDRGroup:
		readInto(d, out, t, meta.kind, &s.CiliumCIDRGroups, clusterScoped, isSubdomain, (*decoder).ciliumCIDRGroup)
	}
}

func (d *decoder) ciliumNetworkPolicy(p *ciliumv2.NetworkPolicy) *ciliumv2.NetworkPolicy {
	return &ciliumv2.NetworkPolicy{ObjectMeta: d.meta(&p.ObjectMeta), Spec: p.Spec, Specs: p.Specs}
}

func (d *decoder) ciliumClusterwideNetworkPolicy(p *ciliumv2.ClusterwideNetworkPolicy) *ciliumv2.ClusterwideNetworkPolicy {
	return &ciliumv2.ClusterwideNetworkPolicy{ObjectMeta: d.meta(&p.ObjectMeta), Spec: p.Spec, Specs: p.Specs}
}

func (d *decoder) ciliumCIDRGroup(g *ciliumv2.CIDRGroup) *ciliumv2.CIDRGroup {
	return &ciliumv2.CIDRGroup{ObjectMeta: d.meta(&g.ObjectMeta), Spec: g.Spec}
}

// isConfigMap reports whether the kind is ConfigMap, of which one object is read.
func (t typeMeta) isConfigMap() bool { return t.kind == "ConfigMap" && t.apiVersion == "v1" }

// isCiliumConfig reports whether the text is the ConfigMap with the options of Cilium's
// agent.
func isCiliumConfig(t *text) bool {
	if t.json == nil && t.node != nil {
		return isConfigNode(t.node)
	}
	if !bytes.Contains(t.json, []byte(objects.CiliumConfigName)) {
		return false
	}
	var o struct {
		Metadata struct {
			Namespace string `json:"namespace"`
			Name      string `json:"name"`
		} `json:"metadata"`
	}
	err := json.UnmarshalCaseSensitivePreserveInts(t.json, &o)
	return err == nil && o.Metadata.Name == objects.CiliumConfigName && o.Metadata.Namespace == objects.CiliumConfigNamespace
}

// isConfigNode is [isCiliumConfig] for YAML, of which only the name is looked at: others
// may be large.
func isConfigNode(n *yaml.Node) bool {
	_, metadata := namedField(resolveAlias(n), "metadata")
	if metadata == nil {
		return false
	}
	if metadata = resolveAlias(metadata); metadata.Kind != yaml.MappingNode {
		return false
	}
	is := func(field, want string) bool {
		_, value := namedField(metadata, field)
		return value != nil && resolveAlias(value).Value == want
	}
	return is("name", objects.CiliumConfigName) && is("namespace", objects.CiliumConfigNamespace)
}

func (d *decoder) ciliumConfig(out *outcome, t *text) {
	if t.json == nil {
		e := expansion{}
		if err := e.value(resolveAlias(t.node)); err != nil {
			out.report(diag.BadObject, t.origin(t.line), err.Error())
			return
		}
		t.json = e.out
	}
	readInto(d, out, t, "ConfigMap", &out.set.CiliumConfigs, namespaced, isSubdomain, (*decoder).configMap)
}

func (d *decoder) configMap(c *corev1.ConfigMap) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: d.meta(&c.ObjectMeta), Data: c.Data}
}

// absentCilium returns the path of a required field that the valid JSON of an object of
// Cilium lacks, or "".
func absentCilium(kind string, text []byte) string {
	var p struct {
		Spec  *struct{}  `json:"spec"`
		Specs []struct{} `json:"specs"`
	}
	if json.UnmarshalCaseSensitivePreserveInts(text, &p) == nil && p.Spec == nil && (p.Specs == nil || kind == ciliumv2.KindCIDRGroup) {
		return "spec"
	}
	return ""
}

// ciliumDoubts is [doubtsOf] for policies of Cilium: a field outside of the rules may be
// a misspelt selector or direction.
func ciliumDoubts(fields []strange) doubts {
	var d doubts
	for i := range fields {
		f := &fields[i]
		at := f.steps
		if len(at) > 1 && at[0].name == "specs" && at[1].isIndex {
			at = at[1:]
		}
		inSpec := len(at) > 1 && (f.steps[0].name == "spec" || f.steps[0].name == "specs")
		if inSpec && len(at) > 2 && (at[1].name == "labels" || at[1].name == "log") {
			continue
		}
		if inSpec && slices.Contains([]string{"ingress", "ingressDeny", "egress", "egressDeny"}, at[1].name) && len(at) > 2 {
			continue
		}
		name := f.meant()
		if f.repeated {
			name = f.name()
		}
		if inSpec && name != "" && name != "endpointSelector" && name != "nodeSelector" && at[1].name != "endpointSelector" && at[1].name != "nodeSelector" {
			d.directions = true
			continue
		}
		d.selector = true
	}
	return d
}

// closeCilium makes policies deny everything in their directions, but packets from the
// pods' own node, which are its probes; both closes both. A policy without rules may have
// been meant for either.
func closeCilium(spec *ciliumv2.Rule, specs []*ciliumv2.Rule, both bool) {
	pods := []ciliumv2.Selector{{MatchExpressions: []ciliumv2.Requirement{{Key: "k8s:io.kubernetes.pod.namespace", Operator: "Exists"}}}}
	for _, r := range append(slices.Clone(specs), spec) {
		if r == nil {
			continue
		}
		in, out := both || len(r.Ingress)+len(r.IngressDeny) > 0, both || len(r.Egress)+len(r.EgressDeny) > 0
		if !in && !out {
			in, out = true, true
		}
		r.Ingress, r.IngressDeny, r.Egress, r.EgressDeny, r.EnableDefaultDeny = nil, nil, nil, nil, nil
		if in {
			r.IngressDeny = []ciliumv2.IngressDenyRule{
				{IngressCommon: ciliumv2.IngressCommon{FromEntities: []string{"world", "remote-node"}}},
				{IngressCommon: ciliumv2.IngressCommon{FromEndpoints: pods}},
			}
		}
		if out {
			r.EgressDeny = []ciliumv2.EgressDenyRule{{EgressCommon: ciliumv2.EgressCommon{ToEntities: []string{"all"}}}}
		}
	}
}
