package ipvs

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Check reports, per Service port, what IPVS cannot do or does differently. The
// limits in the package documentation give the reasons.
func (b *Backend) Check(p *ir.Program) diag.List {
	var list diag.List
	policies := xtpolicy.New(&p.Policy, b.opts.Hash)
	refused := refused(p, policies, b.opts)
	backends.Report(&list, refused)
	xtpolicy.Report(&list, &p.Policy)
	p = backends.GiveUp(p, refused)
	for _, f := range ir.Families() {
		t, err := makeTable(f, p, policies, b.opts, true)
		if err != nil {
			continue // ir.Verify reports it
		}
		c := checker{table: t, list: &list, virtual: make(map[ir.ServicePort]int), origin: make(map[ir.ServicePort]ir.Origin)}
		c.frontends()
		c.otherPorts()
		c.deniedOwn()
		c.weights(b.opts.Scheduler)
	}
	list.Sort()
	return list
}

type checker struct {
	*table
	list *diag.List
	// virtual counts the virtual services of each Service port with affinity.
	virtual map[ir.ServicePort]int
	origin  map[ir.ServicePort]ir.Origin
}

func (c *checker) frontends() {
	nodePorts := false
	for i := range c.program.Frontends {
		f := &c.program.Frontends[i]
		if f.Match.Family != c.family {
			continue
		}
		if c.elsewhere(f) {
			c.list.Add(diag.Approximated, f.Origin.Get(), fmt.Sprintf("%v is another node's address, or an endpoint's: it is not bound to %s, and packets to it go there", f.Match.Address, Device))
			continue
		}
		nodePorts = nodePorts || f.Kind == ir.NodePort
		r, err := c.routesOf(f)
		if err != nil {
			continue
		}
		c.markedRoute(f, r)
		c.affinity(f, r)
	}
	for s, n := range c.virtual {
		if n > 1 {
			c.list.Add(diag.Approximated, c.origin[s].At("spec.sessionAffinity"),
				fmt.Sprintf("%v has %d virtual services of %v; a client keeps its endpoint at each, but may have another one at the next", s, n, c.family))
		}
	}
	if nodePorts && len(ir.PrefixesOf(c.family, c.program.Node.NodePorts.Prefixes)) > 0 {
		c.list.Add(diag.Approximated, ir.Origin{},
			fmt.Sprintf("nodePorts of %v are served on the %d addresses of the node that are known now, not on all that it may get in nodePortAddresses", c.family, len(c.nodePorts)))
	}
}

// markedRoute reports marked routes with affinity, which IPVS only approximates.
func (c *checker) markedRoute(f *ir.Frontend, r routes) {
	if !needsMark(f, r) || (f.Kind == ir.NodePort && len(c.nodePorts) == 0) {
		return
	}
	if f.Affinity > 0 && len(r.internal.Endpoints) > 0 {
		c.list.Add(diag.Approximated, f.Origin.At("spec.sessionAffinity"),
			fmt.Sprintf("%v: local pods and the node get endpoints by a hash of their address (mh), which keeps them without a time-out but may change when endpoints do", f.Service))
	}
}

func (c *checker) affinity(f *ir.Frontend, r routes) {
	if f.Affinity == 0 || len(r.internal.Endpoints)+len(r.external.Endpoints) == 0 {
		return
	}
	n := 1
	if f.Kind == ir.NodePort {
		n = len(c.nodePorts)
	}
	c.virtual[f.Service] += n
	if _, have := c.origin[f.Service]; !have {
		c.origin[f.Service] = f.Origin.Get()
	}
	if f.Affinity > maxPersistence {
		c.list.Add(diag.Approximated, f.Origin.At("spec.sessionAffinityConfig.clientIP.timeoutSeconds"),
			fmt.Sprintf("%v: %d s of affinity; IPVS has at most %d", f.Service, f.Affinity, maxPersistence))
	}
}

// otherPorts reports addresses that are bound to the node, which can therefore no
// longer forward packets to their other ports.
func (c *checker) otherPorts() {
	done := make(map[netip.Addr]bool)
	for _, a := range c.program.ClusterIPs {
		done[a] = true
	}
	for i := range c.program.Frontends {
		f := &c.program.Frontends[i]
		a := f.Match.Address
		if !c.isVIP[a] || done[a] || ir.ContainsAddr(c.program.Node.ServiceCIDRs, a) {
			continue
		}
		done[a] = true
		c.list.Add(diag.Approximated, f.Origin.Get(),
			fmt.Sprintf("%v is bound to %s: packets to its other ports are rejected, not forwarded", a, Device))
	}
}

// Unlogged ends the message about a Service port whose packets are logged otherwise than the
// program says.
const Unlogged = "where no rule can log"

// deniedOwn reports Service ports that are refused to a pod because of a single
// endpoint, or of some source ports, and those that policies would log.
func (c *checker) deniedOwn() {
	refused, logged := make(map[ir.ServicePort]bool), make(map[ir.ServicePort]bool)
	c.eachJudgedOwn(func(v ownService, pod netip.Addr, j judgement) {
		s := v.frontend.Service
		if j.denied && j.tooMuch && !refused[s] {
			refused[s] = true
			c.list.Add(diag.NotExpressible, v.frontend.Origin.Get(),
				fmt.Sprintf("%v: policies keep %v from an endpoint that is the node itself, where they cannot judge, so it is refused the other endpoints, or source ports, too", s, pod))
		}
		if j.logged && !logged[s] {
			logged[s] = true
			c.list.Add(diag.Approximated, v.frontend.Origin.Get(),
				fmt.Sprintf("%v: policies log packets of %v to it, but one of its endpoints is the node itself, %s", s, pod, Unlogged))
		}
	})
}

func (c *checker) weights(scheduler string) {
	if scheduler != "lc" {
		return
	}
	for i := range c.program.Pools {
		pool := &c.program.Pools[i]
		if len(pool.Endpoints) > 0 && ir.FamilyOf(pool.Endpoints[0].Address.Addr()) == c.family && unequalWeights(pool) {
			c.list.Add(diag.Approximated, pool.Origin.Get(), fmt.Sprintf("pool %s: scheduler lc does not heed weights", pool.ID))
		}
	}
}
