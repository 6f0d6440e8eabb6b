package ipam

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// metalLBPool reads a pool as MetalLB's controller does (internal/config/config.go). MetalLB
// refuses its whole configuration for one wrong address; here the others are used.
func metalLBPool(from objects.Sourced[*metallbv1beta1.IPAddressPool], all []namespace, diags *diag.List) *pool {
	o, at := from.Object, objects.Origin(metallbv1beta1.KindIPAddressPool, from)
	p := &pool{
		name: PoolName{metallbv1beta1.KindIPAddressPool, objects.NameOf(o)}, at: at, created: o.CreationTimestamp,
		onRequest: o.Spec.AutoAssign != nil && !*o.Spec.AutoAssign, together: true, avoidBuggy: o.Spec.AvoidBuggyIPs,
		selects: func(*request) bool { return true },
	}
	for i, text := range o.Spec.Addresses {
		s, err := metalLBAddresses(text)
		if err != nil {
			diags.Add(diag.BadPool, at.At(fmt.Sprintf("spec.addresses[%d]", i)), diag.Printable(err.Error()))
			continue
		}
		p.add(s, false)
	}
	if len(o.Spec.Addresses) == 0 {
		diags.Add(diag.BadPool, at.At("spec.addresses"), "the pool has no addresses")
	}
	if a := o.Spec.AllocateTo; a != nil {
		p.pinned, p.priority = true, max(a.Priority, 0)
		p.selects = allocatedTo(a, at, all, diags)
	}
	return p
}

func metalLBAddresses(text string) (span, error) {
	from, to, isRange := strings.Cut(text, "-")
	if isRange {
		return parseRange(from, to)
	}
	return parseCIDR(text)
}

// allocatedTo returns which Services a pool is for.
func allocatedTo(a *metallbv1beta1.ServiceAllocation, at ir.Origin, all []namespace, diags *diag.List) func(*request) bool {
	in := make(map[string]bool, len(a.Namespaces))
	for _, n := range a.Namespaces {
		in[n] = true
	}
	for i := range a.NamespaceSelectors {
		s := selectorOf(&a.NamespaceSelectors[i], at.At(fmt.Sprintf("spec.serviceAllocation.namespaceSelectors[%d]", i)), diags)
		for _, n := range all {
			if s.Matches(n.labels) {
				in[n.name] = true
			}
		}
	}
	var services []labels.Selector
	for i := range a.ServiceSelectors {
		services = append(services, selectorOf(&a.ServiceSelectors[i], at.At(fmt.Sprintf("spec.serviceAllocation.serviceSelectors[%d]", i)), diags))
	}
	anywhere := len(a.Namespaces)+len(a.NamespaceSelectors) == 0
	return func(r *request) bool {
		if !anywhere && !in[r.name.Namespace] {
			return false
		}
		own := labels.Set(r.object.Labels)
		return len(services) == 0 || slices.ContainsFunc(services, func(s labels.Selector) bool { return s.Matches(own) })
	}
}
