package suppress

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Annotations maps an object to the codes in its annotation planec.io/ignore. The key
// is an origin without file, line and path.
type Annotations map[ir.Origin][]diag.Code

// annotationPath is the path of the annotation in every object.
const annotationPath = `metadata.annotations["` + objects.IgnoreAnnotation + `"]`

// ReadAnnotations reads the annotations of all objects of a set, and of workloads. An
// unknown code is a finding.
func ReadAnnotations(set *objects.Set, workloads []objects.Sourced[*objects.Workload]) (Annotations, diag.List) {
	r := reader{all: Annotations{}}
	read(&r, "Service", set.Services)
	read(&r, "EndpointSlice", set.EndpointSlices)
	read(&r, "Node", set.Nodes)
	read(&r, "Pod", set.Pods)
	read(&r, "Namespace", set.Namespaces)
	read(&r, "ServiceCIDR", set.ServiceCIDRs)
	read(&r, "NetworkPolicy", set.NetworkPolicies)
	read(&r, "ClusterNetworkPolicy", set.ClusterNetworkPolicies)
	read(&r, "AdminNetworkPolicy", set.AdminNetworkPolicies)
	read(&r, "BaselineAdminNetworkPolicy", set.BaselineAdminNetworkPolicies)
	read(&r, objects.KindCalicoNetworkPolicy, set.CalicoNetworkPolicies)
	read(&r, "GlobalNetworkPolicy", set.CalicoGlobalNetworkPolicies)
	read(&r, "Tier", set.CalicoTiers)
	read(&r, "NetworkSet", set.CalicoNetworkSets)
	read(&r, "GlobalNetworkSet", set.CalicoGlobalNetworkSets)
	read(&r, "CiliumNetworkPolicy", set.CiliumNetworkPolicies)
	read(&r, "CiliumClusterwideNetworkPolicy", set.CiliumClusterwideNetworkPolicies)
	read(&r, "CiliumCIDRGroup", set.CiliumCIDRGroups)
	read(&r, "ConfigMap", set.CiliumConfigs)
	read(&r, "CiliumLoadBalancerIPPool", set.CiliumPools)
	read(&r, "IPAddressPool", set.MetalLBPools)
	for _, k := range set.Announcing.Kinds() {
		read(&r, k.Kind, k.Objects)
	}
	for _, w := range workloads {
		read(&r, w.Object.Kind, []objects.Sourced[*objects.Workload]{w})
	}
	return r.all, r.diags
}

type reader struct {
	all   Annotations
	diags diag.List
}

func read[T metav1.Object](r *reader, kind string, list []objects.Sourced[T]) {
	for _, o := range list {
		text, there := o.Object.GetAnnotations()[objects.IgnoreAnnotation]
		if !there {
			continue
		}
		at := objects.Origin(kind, o)
		codes, unknown := codesIn(text)
		for _, word := range unknown {
			r.diags.Add(diag.UnknownIgnored, at.At(annotationPath), unknownCode(word))
		}
		r.all[object(at)] = append(r.all[object(at)], codes...)
	}
}

// codesIn splits a list of codes at commas and spaces.
func codesIn(text string) (codes []diag.Code, unknown []string) {
	const most = 10 // bounds the unknown words that are listed: a text may be long
	known := Codes()
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }) {
		switch {
		case slices.Contains(known, word):
			codes = append(codes, diag.Code(word))
		case len(unknown) < most:
			unknown = append(unknown, word)
		}
	}
	return codes, unknown
}

// Codes are the names of all codes, in order.
func Codes() []string {
	var out []string
	for _, c := range diag.Codes() {
		out = append(out, string(c.Code))
	}
	return out
}

// ParseCode parses a code in any case. The error for an unknown word suggests a
// similar code.
func ParseCode(word string) (diag.Code, error) {
	code := strings.ToUpper(strings.TrimSpace(word))
	if !slices.Contains(Codes(), code) {
		return "", fmt.Errorf("%s", unknownCode(word))
	}
	return diag.Code(code), nil
}

func unknownCode(word string) string {
	return fmt.Sprintf("%.40q is no code%s", word, suggest.DidYouMean(word, Codes()))
}

func object(o ir.Origin) ir.Origin {
	return ir.Origin{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
}

// ignore reports whether the finding's object asks to ignore it. Findings of reading
// (PLC00xx) cannot be ignored by an object: the finding may be about another object
// than the one that was read.
func (a Annotations) ignore(d diag.Diagnostic) bool {
	return !strings.HasPrefix(string(d.Code), "PLC00") && slices.Contains(a[object(d.Origin)], d.Code)
}
