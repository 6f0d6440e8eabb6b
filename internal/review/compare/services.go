package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir"
)

// serviceComparison compares the behaviour of Services.
type serviceComparison struct {
	*comparison
	// slices maps a Service to its changed EndpointSlices.
	slices map[objects.Name][]*diffreport.Object
	out    []diffreport.Finding
}

func compareServices(all *comparison) []diffreport.Finding {
	c := &serviceComparison{comparison: all, slices: make(map[objects.Name][]*diffreport.Object)}
	c.indexSlices()
	old, fresh := newServices(c.before.state), newServices(c.after.state)
	names := slices.AppendSeq(slices.Collect(maps.Keys(old)), maps.Keys(fresh))
	slices.SortFunc(names, objects.Name.Compare)
	for _, name := range slices.Compact(names) {
		switch {
		case len(old[name]) == 0:
			c.appeared(name, sorted(fresh[name]))
		case len(fresh[name]) == 0:
			c.vanished(name, sorted(old[name]))
		default:
			c.changed(name, old[name], fresh[name])
		}
	}
	return c.out
}

// indexSlices finds the Service of each changed slice.
func (c *serviceComparison) indexSlices() {
	seen := make(map[objects.Identity]bool)
	for _, s := range []*State{c.after.state, c.before.state} {
		for _, slice := range s.Objects.EndpointSlices {
			o := slice.Object
			key := objects.Identity{Kind: "EndpointSlice", Namespace: o.Namespace, Name: o.Name}
			owner := objects.OwnerOf(o)
			if x := c.changes[key]; x != nil && !seen[key] {
				seen[key] = true
				c.slices[owner] = append(c.slices[owner], x)
			}
		}
	}
	for _, list := range c.slices {
		slices.SortFunc(list, func(a, b *diffreport.Object) int { return cmp.Compare(a.Origin.Name, b.Origin.Name) })
	}
}

func (c *serviceComparison) add(name objects.Name, kind diffreport.Kind, reasons []diffreport.Reason, format string, args ...any) *diffreport.Finding {
	c.out = append(c.out, diffreport.Finding{
		Kind: kind, Service: name.String(), Reasons: reasons, Text: fmt.Sprintf(format, args...),
	})
	return &c.out[len(c.out)-1]
}

// because returns why a Service is another one: its own change, preferably of one of the fields,
// or what took its address of a pool, where nothing else changed.
func (c *serviceComparison) because(name objects.Name, fields ...string) []diffreport.Reason {
	return c.becauseOf(name, c.becauseTaken, fields...)
}

// becauseOpened is [serviceComparison.because] of a Service that got a frontend: what gave it an
// address of a pool comes before what took one.
func (c *serviceComparison) becauseOpened(name objects.Name, fields ...string) []diffreport.Reason {
	return c.becauseOf(name, c.becausePooled, fields...)
}

func (c *serviceComparison) becauseOf(name objects.Name, pooled func(objects.Name) []diffreport.Reason, fields ...string) []diffreport.Reason {
	if o := c.changes[objects.Identity{Kind: "Service", Namespace: name.Namespace, Name: name.Name}]; onlyStatus(o) {
		if reasons := pooled(name); len(reasons) > 0 {
			return reasons
		}
	}
	return c.ownChange(name, fields...)
}

// ownChange returns the Service's own change, preferably of one of the fields.
func (c *serviceComparison) ownChange(name objects.Name, fields ...string) []diffreport.Reason {
	o := c.changes[objects.Identity{Kind: "Service", Namespace: name.Namespace, Name: name.Name}]
	if o == nil || o.Change != diffreport.ObjectChanged {
		return c.reason(o)
	}
	r := changeReason(o, fields...)
	r.Text = strings.Replace(r.Text, " of "+o.Origin.Object(), "", 1)
	if strings.HasPrefix(r.Text, "spec.") {
		r.Text = "its " + r.Text
	} else {
		r.Text = "it was changed"
	}
	return []diffreport.Reason{r}
}

// becauseOfSlices returns the change of its slices, or else its own.
func (c *serviceComparison) becauseOfSlices(name objects.Name) []diffreport.Reason {
	var out []diffreport.Reason
	for _, x := range c.slices[name] {
		out = append(out, c.reason(x)...)
	}
	if len(out) == 0 {
		return c.because(name)
	}
	return compactReasons(out)
}

func (c *serviceComparison) reason(o *diffreport.Object) []diffreport.Reason {
	switch {
	case o == nil:
		return nil
	case o.Change == diffreport.ObjectChanged:
		return []diffreport.Reason{changeReason(o)}
	}
	return []diffreport.Reason{{Text: fmt.Sprintf("%s was %s", o.Origin.Object(), o.Change), Origin: o.Origin, Old: o.Change == diffreport.ObjectRemoved}}
}

// outsideOf returns the frontends for clients outside the cluster.
func outsideOf(list []*front) []*front {
	var out []*front
	for _, f := range list {
		if f.kind != ir.ClusterIP {
			out = append(out, f)
		}
	}
	return out
}

func (c *serviceComparison) appeared(name objects.Name, list []*front) {
	if outside := outsideOf(list); len(outside) > 0 {
		c.exposed(name, outside, ", with "+countEndpoints(list), c.becauseOpened(name))
		return
	}
	c.add(name, diffreport.Added, c.because(name), "Service %v is new: it answers on %s, with %s", name, whereAll(list), countEndpoints(list))
}

// exposed reports that a Service got frontends for outside clients, and whom
// policies and source ranges let through.
func (c *serviceComparison) exposed(name objects.Name, list []*front, with string, because []diffreport.Reason) {
	clients, complete := c.clients(list)
	if len(clients) == 0 {
		f := c.add(name, diffreport.Added, because, "Service %v now has %s%s", name, whereAll(list), with)
		f.Besides = "No client outside the cluster gets to an endpoint that way: policies or source ranges refuse all of them"
		if countEndpoints(list) == noEndpoints {
			f.Besides = "It has no endpoints"
		}
		return
	}
	asked := slices.DeleteFunc(slices.Clone(c.all), func(e *entity) bool { return !c.relevant(e, list) })
	from := clusterwide.Join(describeOutside(clients, complete, restsOf(asked)), "and")
	f := c.add(name, diffreport.Opened, because, "Service %v can now be reached from %s through %s%s", name, from, whereAll(list), with)
	f.Urgent = true
}

const noEndpoints = "no endpoints"

func countEndpoints(list []*front) string {
	n := 0
	for _, f := range list {
		n = max(n, len(f.endpoints()))
	}
	if n == 0 {
		return noEndpoints
	}
	return diffreport.Several(n, "endpoint")
}

func (c *serviceComparison) vanished(name objects.Name, list []*front) {
	f := c.add(name, diffreport.Closed, c.because(name), "Service %v no longer answers: %s had %s", name, whereAll(list), countEndpoints(list))
	f.Urgent = true
}

func (c *serviceComparison) changed(name objects.Name, old, fresh map[frontKey]*front) {
	var gone, come []*front
	for _, f := range sorted(old) {
		if fresh[frontKey{f.kind, f.match}] == nil {
			gone = append(gone, f)
		}
	}
	var both [][2]*front
	for _, f := range sorted(fresh) {
		if was := old[frontKey{f.kind, f.match}]; was != nil {
			both = append(both, [2]*front{was, f})
		} else {
			come = append(come, f)
		}
	}
	c.moved(name, gone, come)
	c.compareEndpoints(name, sorted(old), sorted(fresh))
	c.compareRoutes(name, both, endpointsByPort(sorted(old)), endpointsByPort(sorted(fresh)))
	c.compareRanges(name, both)
	c.compareAffinity(name, both)
}

// moved reports frontends that came and went.
func (c *serviceComparison) moved(name objects.Name, gone, come []*front) {
	if outside := outsideOf(come); len(outside) > 0 {
		c.exposed(name, outside, "", c.becauseOpened(name, "spec.type", "spec.loadBalancerClass", "spec.ports", "spec.externalIPs", "status"))
	}
	if outside := outsideOf(gone); len(outside) > 0 {
		c.add(name, diffreport.Closed, c.because(name, "spec.type", "spec.loadBalancerClass", "spec.ports", "spec.clusterIP"), "Service %v can no longer be reached from outside the cluster through %s", name, whereAll(outside))
	}
	inside := func(list []*front) []*front {
		return slices.DeleteFunc(slices.Clone(list), func(f *front) bool { return f.kind != ir.ClusterIP })
	}
	goneIn, comeIn := inside(gone), inside(come)
	switch {
	case len(goneIn) > 0 && len(comeIn) > 0:
		c.add(name, diffreport.Closed, c.because(name, "spec.type", "spec.loadBalancerClass", "spec.ports", "spec.clusterIP"), "Service %v no longer answers on %s, but on %s", name, whereAll(goneIn), whereAll(comeIn))
	case len(goneIn) > 0:
		c.add(name, diffreport.Closed, c.because(name, "spec.type", "spec.loadBalancerClass", "spec.ports", "spec.clusterIP"), "Service %v no longer answers on %s", name, whereAll(goneIn))
	case len(comeIn) > 0:
		c.add(name, diffreport.Opened, c.becauseOpened(name, "spec.type", "spec.loadBalancerClass", "spec.ports", "spec.clusterIP"), "Service %v now answers on %s too", name, whereAll(comeIn))
	}
}

// compareAffinity reports whether clients still keep their endpoint.
func (c *serviceComparison) compareAffinity(name objects.Name, both [][2]*front) {
	for _, pair := range both {
		was, is := pair[0].affinity, pair[1].affinity
		switch {
		case was == is:
			continue
		case is == 0:
			c.add(name, diffreport.Affinity, c.because(name, "spec.sessionAffinity"), "clients of Service %v no longer stay with one endpoint", name)
		case was == 0:
			c.add(name, diffreport.Affinity, c.because(name, "spec.sessionAffinity"), "clients of Service %v now stay with one endpoint, until %d s without a new connection", name, is)
		default:
			c.add(name, diffreport.Affinity, c.because(name, "spec.sessionAffinity"), "clients of Service %v now stay with one endpoint until %d s without a new connection (was %d s)", name, is, was)
		}
		return // it is the same for every port
	}
}
