package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/diffreport"
)

// compareAddresses reports which Services get, lose or change an address of a pool. The new
// state was allocated from what the old one has, so that only what has a cause differs.
func compareAddresses(all *comparison) []diffreport.Finding {
	c := &serviceComparison{comparison: all}
	old, fresh := assigned(c.before.state.Addresses), assigned(c.after.state.Addresses)
	names := slices.AppendSeq(slices.Collect(maps.Keys(old)), maps.Keys(fresh))
	slices.SortFunc(names, objects.Name.Compare)
	for _, name := range slices.Compact(names) {
		gone, come := apart(old[name], fresh[name]), apart(fresh[name], old[name])
		switch {
		case len(gone) > 0 && len(come) > 0:
			c.add(name, diffreport.Addresses, c.becauseLost(name, gone), "Service %v moves from %s to %s", name, list(gone), list(come))
		case len(gone) > 0:
			c.add(name, diffreport.Addresses, c.becauseLost(name, gone), "Service %v loses %s", name, list(gone))
		case len(come) > 0:
			c.add(name, diffreport.Addresses, c.becauseGiven(name, come), "Service %v gets %s", name, list(come))
		}
	}
	return c.out
}

// assigned returns the addresses of pools that Services have.
func assigned(r *ipam.Result) map[objects.Name][]ipam.Address {
	out := make(map[objects.Name][]ipam.Address)
	if r == nil {
		return out
	}
	for i := range r.Services {
		if a := &r.Services[i]; a.Outcome == ipam.Served && len(a.Addresses) > 0 {
			out[a.Service] = a.Addresses
		}
	}
	return out
}

// apart returns the addresses of a that b lacks.
func apart(a, b []ipam.Address) []ipam.Address {
	return slices.DeleteFunc(slices.Clone(a), func(x ipam.Address) bool {
		return slices.ContainsFunc(b, func(y ipam.Address) bool { return x.Addr == y.Addr })
	})
}

func list(in []ipam.Address) string {
	parts := make([]string, 0, len(in))
	for _, x := range in {
		parts = append(parts, fmt.Sprintf("%s of %s", x.Addr, x.Pool))
	}
	return strings.Join(parts, " and ")
}

// becauseLost returns why a Service does not keep addresses: what the allocator says, at the
// place of the change that led to it.
func (c *serviceComparison) becauseLost(name objects.Name, gone []ipam.Address) []diffreport.Reason {
	var a *ipam.Assignment
	if r := c.after.state.Addresses; r != nil {
		a = r.Of(name)
	}
	if a == nil {
		if own := c.ownChange(name); len(own) > 0 {
			return own
		}
		return c.becauseGiven(name, gone)
	}
	var out []diffreport.Reason
	for _, x := range gone {
		for _, l := range a.Lost {
			if l.Addr == x.Addr {
				out = append(out, c.lost(name, x, l)...)
			}
		}
	}
	return compactReasons(out)
}

// becausePooled returns why a Service got addresses of pools, or else why it lost some, or nothing.
func (c *serviceComparison) becausePooled(name objects.Name) []diffreport.Reason {
	had, has := assignedTo(c.before.state.Addresses, name), assignedTo(c.after.state.Addresses, name)
	if come := apart(has, had); len(come) > 0 {
		return c.becauseGiven(name, come)
	}
	return c.becauseTaken(name)
}

// becauseTaken returns why a Service lost addresses of pools, or else why it got some, or nothing.
func (c *serviceComparison) becauseTaken(name objects.Name) []diffreport.Reason {
	had, has := assignedTo(c.before.state.Addresses, name), assignedTo(c.after.state.Addresses, name)
	if gone := apart(had, has); len(gone) > 0 {
		return c.becauseLost(name, gone)
	}
	return c.becauseGiven(name, apart(has, had))
}

// assignedTo returns the addresses of pools that one Service has.
func assignedTo(r *ipam.Result, name objects.Name) []ipam.Address {
	if r == nil {
		return nil
	}
	if a := r.Of(name); a != nil && a.Outcome == ipam.Served {
		return a.Addresses
	}
	return nil
}

// lost is the reason of one loss: the changed pool, or else the changed Service, or the words
// of the allocator alone.
func (c *serviceComparison) lost(name objects.Name, x ipam.Address, l ipam.Loss) []diffreport.Reason {
	places := []objects.Identity{{Kind: x.Pool.Kind, Namespace: x.Pool.Namespace, Name: x.Pool.Name.Name}, {Kind: "Service", Namespace: name.Namespace, Name: name.Name}}
	if strings.HasPrefix(l.Why, "the Service") {
		slices.Reverse(places)
	}
	for _, at := range places {
		if o := c.changes[at]; o != nil {
			r := c.reason(o)
			if at.Kind == "Service" {
				r = c.ownChange(name, "spec.type", "spec.loadBalancerClass", "spec.loadBalancerIP", "spec.ipFamilies", "metadata.annotations")
			}
			r[0].Text = l.Why + ": " + r[0].Text
			return r
		}
	}
	return []diffreport.Reason{{Text: l.Why}}
}

// becauseGiven returns the change that gives a Service addresses: its own, or else that of the
// pool.
func (c *serviceComparison) becauseGiven(name objects.Name, come []ipam.Address) []diffreport.Reason {
	if own := c.ownChange(name); len(own) > 0 && !onlyStatus(c.changes[objects.Identity{Kind: "Service", Namespace: name.Namespace, Name: name.Name}]) {
		return own
	}
	var out []diffreport.Reason
	seen := make(map[ipam.PoolName]bool)
	for _, x := range come {
		if seen[x.Pool] {
			continue
		}
		seen[x.Pool] = true
		out = append(out, c.reason(c.changes[objects.Identity{Kind: x.Pool.Kind, Namespace: x.Pool.Namespace, Name: x.Pool.Name.Name}])...)
	}
	return compactReasons(out)
}

// onlyStatus reports whether nothing but the status of an object differs, and the label of
// what was made.
func onlyStatus(o *diffreport.Object) bool {
	return o != nil && o.Change == diffreport.ObjectChanged && !slices.ContainsFunc(o.Fields, func(f diffreport.Field) bool {
		return !strings.HasPrefix(f.Path, "status") && !strings.HasPrefix(f.Path, "metadata.labels")
	})
}
