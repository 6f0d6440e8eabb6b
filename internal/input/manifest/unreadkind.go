package manifest

import (
	stdjson "encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/json"

	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Most unsupported kinds do not matter to planec. Two groups do: policies of other
// dialects, which may deny what planec shows as allowed, and kinds with nearly the name
// of a supported one, which are typos.

// policyKinds are kinds of policies whose names do not tell, by group. Policies of
// service meshes do not count: proxies in pods apply them to requests, not to packets
// (Istio's and Linkerd's AuthorizationPolicy).
var policyKinds = map[string]string{
	"EgressFirewall": "k8s.ovn.org",
	"SecurityPolicy": "crd.nsx.vmware.com",
}

// announcers are kinds beside those of BGP that are read, with similar names, by group.
var announcers = map[string]string{
	"BGPSessionStatus": "metallb.io", "ServiceBGPStatus": "metallb.io", "ServiceL2Status": "metallb.io",
	"CiliumBGPNodeConfig": "cilium.io", "CiliumBGPPeeringPolicy": "cilium.io",
}

// settingsKinds are the kinds of settings of a node, by group.
var settingsKinds = map[string]string{"NodeConfig": "planec.io", "KubeProxyConfiguration": "kubeproxy.config.k8s.io"}

// isUnreadPolicy reports whether the kind is an unsupported policy. Calico's staged
// policies do not count, because they are not enforced.
func (t typeMeta) isUnreadPolicy() bool {
	if known, _ := lookUp(t); known != foreign {
		return false
	}
	if group, known := policyKinds[t.kind]; known && group == t.group() {
		return true
	}
	return endsAsPolicy(t.kind) && !strings.HasPrefix(t.kind, "Staged")
}

// endsAsPolicy reports whether a kind's last word is NetworkPolicy, or nearly: nothing
// enforces a misspelt kind, but its author expects it.
func endsAsPolicy(kind string) bool {
	const longest, network, policy = 100, "network", "policy"
	kind = strings.ToLower(kind)
	at := strings.LastIndex(kind, network)
	if at < 0 || len(kind) > longest {
		return false
	}
	last := kind[at+len(network):]
	return last == "policies" || suggest.Nearest(last, []string{policy}) != ""
}

// meant returns the supported apiVersion and kind that were probably meant by nearly
// equal ones, or the zero value.
func (d *decoder) meant(m typeMeta) typeMeta {
	const longest, most = 100, 1000
	staged := m.isCalico() && strings.HasPrefix(m.kind, "Staged")
	if len(m.kind) > longest || len(m.apiVersion) > longest || staged || m.group() != "" && announcers[m.kind] == m.group() {
		return typeMeta{}
	}
	known, asked := d.slips[m]
	if !asked {
		known = nearestKind(m, d.readKinds())
		if d.slips == nil || len(d.slips) >= most {
			d.slips = make(map[typeMeta]typeMeta)
		}
		d.slips[m] = known
	}
	return known
}

func nearestKind(m typeMeta, kinds map[string]typeMeta) typeMeta {
	name := m.kind
	if _, read := kinds[name]; !read {
		if name = suggest.Nearest(m.kind, slices.Sorted(maps.Keys(kinds))); name == "" {
			return typeMeta{}
		}
	}
	want := kinds[name]
	switch {
	case m.apiVersion == "" && name != m.kind:
		return typeMeta{} // only a similar word
	case m.apiVersion == "":
	case m.group() == want.group() && name == m.kind:
		return typeMeta{} // another version, which is reported elsewhere
	case m.group() == want.group():
	case m.isBuiltIn() && (name == m.kind || isPolicy(name)):
	case suggest.Nearest(m.group(), []string{want.group()}) != "":
	default:
		return typeMeta{}
	}
	return want
}

// isBuiltIn reports whether the group belongs to Kubernetes itself, which uses each
// kind name only once.
func (t typeMeta) isBuiltIn() bool {
	group := t.group()
	return !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io")
}

// readKinds returns the supported kinds with the apiVersions they should have.
func (d *decoder) readKinds() map[string]typeMeta {
	if d.kinds != nil {
		return d.kinds
	}
	d.kinds = make(map[string]typeMeta, len(knownKinds)+len(workloadGroups))
	add := func(kind, group, version string) {
		if group != "" {
			version = group + "/" + version
		}
		if _, first := d.kinds[kind]; !first { // Calico has kinds with names of Kubernetes' own
			d.kinds[kind] = typeMeta{version, kind}
		}
	}
	for _, k := range knownKinds {
		add(k.kind, k.group, k.versions[0])
	}
	if d.workloads {
		for kind, groups := range workloadGroups {
			add(kind, groups[0], "v1")
		}
		add("Endpoints", "", "v1")
	}
	return d.kinds
}

// unread handles an object of an unsupported kind; it reports whether there was a
// finding.
func (d *decoder) unread(out *outcome, t *text, meta typeMeta) bool {
	want := d.meant(meta)
	switch {
	case t.node == nil && !stdjson.Valid(t.json):
		return false
	case settingsKinds[meta.kind] != "" && settingsKinds[meta.kind] == meta.group():
		out.report(diag.UnusedSettings, t.named(meta.kind), "these settings are not used: only --config reads settings")
		return true
	case meta.kind == "":
		return kindless(out, t, meta)
	case want.kind == "" && !meta.isUnreadPolicy():
		return false
	}
	at := t.named(meta.kind)
	if want.kind != "" {
		out.report(diag.MisnamedKind, at, fmt.Sprintf("apiVersion %s, kind %s is not read: did you mean apiVersion %s, kind %s?", bounded(meta.apiVersion), bounded(meta.kind), want.apiVersion, want.kind))
	} else {
		out.report(diag.UnreadPolicy, at, fmt.Sprintf("a policy of %s, which is not read: connections that it denies are shown as allowed", bounded(meta.apiVersion)))
	}
	return true
}

// kindless reports an object without a kind, and whether it is one: other files, such
// as charts, have an apiVersion too.
func kindless(out *outcome, t *text, meta typeMeta) bool {
	names := t.names()
	if _, has := names["metadata"]; !has || meta.apiVersion == "" {
		return false
	}
	at := t.named("")
	delete(names, "metadata")
	delete(names, "apiVersion")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if name == "kind" {
			at.Line = names[name]
			out.report(diag.MisnamedKind, at, "an object whose kind is no word")
			return true
		}
		if suggest.Nearest(name, []string{"kind"}) != "" {
			at.Line = names[name]
			out.report(diag.MisnamedKind, at, fmt.Sprintf("an object without a kind, and with a field %s: did you mean kind?", bounded(name)))
			return true
		}
	}
	out.report(diag.MisnamedKind, at, "an object without a kind, of apiVersion "+bounded(meta.apiVersion))
	return true
}

// names returns the names of an object's top-level fields, with their lines.
func (t *text) names() map[string]int {
	out := make(map[string]int)
	if t.node == nil {
		_ = eachField(t.json, t.line, func(name string, line int, _ []byte) { out[name] = line }) // invalid text is reported elsewhere
		return out
	}
	n := resolveAlias(t.node)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if name, err := fieldName(resolveAlias(n.Content[i])); err == nil {
			out[name] = t.base + n.Content[i].Line
		}
	}
	return out
}

// named returns the origin of an object that was not decoded, with its name if it has
// one.
func (t *text) named(kind string) ir.Origin {
	var shape struct {
		Metadata struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"metadata"`
	}
	raw := t.json
	if t.node != nil {
		if _, meta := namedField(resolveAlias(t.node), "metadata"); meta != nil {
			text, err := nodeJSON(meta, nil)
			if err == nil {
				raw = append(append([]byte(`{"metadata":`), text...), '}')
			}
		}
	}
	_ = json.UnmarshalCaseSensitivePreserveInts(raw, &shape) // otherwise it has no name
	at := ir.Origin{Kind: kind, File: t.file, Line: t.line}
	if isSubdomain(shape.Metadata.Name) {
		at.Name = shape.Metadata.Name
	}
	if isLabel(shape.Metadata.Namespace) {
		at.Namespace = shape.Metadata.Namespace
	}
	return at
}
