package eval

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// scope is what a program says of addresses of one family.
type scope struct {
	family ir.Family
	// own are the node's addresses, with loopback ones; nodePorts are those that
	// serve nodePorts.
	own, nodePorts space.Set
	// services are ClusterIPs, serviceCIDRs the ranges that they come from.
	services, serviceCIDRs space.Set
	// local is what the local detector accepts: sources, or names of interfaces.
	local space.Set
	// masquerades says that the egress rule is on, except for the excluded.
	masquerades bool
	excluded    space.Set
}

// loopback are the loopback addresses of each family (RFC 1122, RFC 4291).
var loopback = map[ir.Family]netip.Prefix{
	ir.IPv4: netip.MustParsePrefix("127.0.0.0/8"),
	ir.IPv6: netip.MustParsePrefix("::1/128"),
}

func scopeOf(p *ir.Program, f ir.Family) scope {
	own := addressSet(p.Node.Addresses, f)
	inPrefixes := prefixSet(p.Node.NodePorts.Prefixes, f)
	byPrefix, _ := own.Split(&inPrefixes)
	everywhere := prefixSet([]netip.Prefix{loopback[f]}, f)
	_, nodePorts := join(addressSet(p.Node.NodePorts.Addresses, f), byPrefix).Split(&everywhere)
	return scope{
		family: f,
		own:    join(own, everywhere), nodePorts: nodePorts,
		services: addressSet(p.ClusterIPs, f), serviceCIDRs: prefixSet(p.Node.ServiceCIDRs, f),
		local:       localSet(p.Node.Local, f),
		masquerades: p.Masquerade.Enabled(f), excluded: prefixSet(p.Masquerade.Exclude, f),
	}
}

// localSet is what the detector accepts. No packet without an interface is local.
func localSet(d ir.LocalDetector, f ir.Family) space.Set {
	switch d.Mode {
	case ir.DetectCIDR:
		return prefixSet(d.CIDRs, f)
	case ir.DetectInterface:
		return space.Point(space.Name(d.Interface))
	case ir.DetectInterfacePrefix:
		none := space.Point(space.Name(""))
		_, some := space.Of(space.Names(d.Interface)).Split(&none)
		return some
	}
	return space.Set{}
}

func addressSet(list []netip.Addr, f ir.Family) space.Set {
	numbers := make([]space.Number, 0, len(list))
	for _, a := range list {
		if ir.FamilyOf(a) == f {
			numbers = append(numbers, space.Addr(a))
		}
	}
	return space.Points(numbers...)
}

func prefixSet(list []netip.Prefix, f ir.Family) space.Set {
	var intervals []space.Interval
	for _, p := range list {
		if ir.FamilyOf(p.Addr()) == f {
			intervals = append(intervals, space.Prefix(p))
		}
	}
	return space.Of(intervals...)
}

func join(a, b space.Set) space.Set {
	x, _ := a.Intervals()
	y, _ := b.Intervals()
	return space.Of(slices.Concat(x, y)...)
}
