package ipam

import (
	"fmt"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/ir/diag"
)

// ciliumPool reads a pool as Cilium's operator does (operator/pkg/lbipam/lbipam.go).
func ciliumPool(from objects.Sourced[*ciliumv2.LoadBalancerIPPool], diags *diag.List) *pool {
	o, at := from.Object, objects.Origin(ciliumv2.KindLoadBalancerIPPool, from)
	p := &pool{
		name: PoolName{ciliumv2.KindLoadBalancerIPPool, objects.NameOf(o)}, at: at, created: o.CreationTimestamp,
		disabled: o.Spec.Disabled, selects: func(*request) bool { return true },
	}
	for _, part := range []struct {
		field  string
		blocks []ciliumv2.IPBlock
	}{{"blocks", o.Spec.Blocks}, {"cidrs", o.Spec.CIDRs}} {
		for i, b := range part.blocks {
			s, err := ciliumBlock(b)
			if err != nil {
				diags.Add(diag.BadPool, at.At(fmt.Sprintf("spec.%s[%d]", part.field, i)), diag.Printable(err.Error()))
				continue
			}
			p.add(s, b.CIDR != "" && o.Spec.AllowFirstLastIPs == "No")
		}
	}
	if v := o.Spec.AllowFirstLastIPs; v != "" && v != "Yes" && v != "No" {
		diags.Add(diag.BadPool, at.At("spec.allowFirstLastIPs"), fmt.Sprintf("%q is neither Yes nor No; it counts as Yes", bounded(v)))
	}
	if len(o.Spec.Blocks)+len(o.Spec.CIDRs) == 0 {
		diags.Add(diag.BadPool, at.At("spec.blocks"), "the pool has no addresses")
	}
	if o.Spec.ServiceSelector != nil {
		s := selectorOf(o.Spec.ServiceSelector, at.At("spec.serviceSelector"), diags)
		p.selects = func(r *request) bool { return s.Matches(r.special()) }
	}
	return p
}

func ciliumBlock(b ciliumv2.IPBlock) (span, error) {
	switch {
	case b.CIDR != "":
		return parseCIDR(b.CIDR)
	case b.Stop == "":
		return parseRange(b.Start, b.Start)
	}
	return parseRange(b.Start, b.Stop)
}
