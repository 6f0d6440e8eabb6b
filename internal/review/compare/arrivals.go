package compare

import (
	"fmt"
	"strings"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir"
)

// workloads reports new or removed workloads, and which directions of new ones are isolated.
func (c *comparison) workloads(list []*entity, fresh bool) []diffreport.Finding {
	var out []diffreport.Finding
	for _, e := range list {
		f := diffreport.Finding{Kind: diffreport.Removed, Text: fmt.Sprintf("%s (%s) is gone", e.label(), diffreport.Several(e.count, "pod")), From: []string{e.label()}, Size: e.count}
		if fresh {
			f.Kind = diffreport.Added
			f.Text = fmt.Sprintf("%s (%s) is new; %s", e.label(), diffreport.Several(e.count, "pod"), c.after.guards(&e.after))
			f.Besides = c.acquaintances(e)
		}
		out = append(out, f)
	}
	return out
}

// acquaintances describes who reaches a new workload, if policies limit that,
// and which isolated pods the new workload reaches.
func (c *comparison) acquaintances(e *entity) string {
	var from, to peersByPorts
	limited := c.after.limits(&e.after, ir.Ingress)
	names := c.universe.names.names
	for _, peer := range c.all {
		if limited {
			egress, ingress := c.after.answers(&peer.after, &e.after)
			from.add(peer, egress.Intersect(*ingress))
		}
		if peer.role == podRole && (peer.stand == nil || !c.spokenFor(peer.stand, c.all)) && c.after.limits(&peer.after, ir.Ingress) {
			egress, ingress := c.after.answers(&e.after, &peer.after)
			to.add(peer, peer.variant.symbolic(egress.Intersect(*ingress), names))
		}
	}
	var parts []string
	if text := from.describe(c); text != "" {
		parts = append(parts, "It can be reached from "+text)
	}
	if text := to.describe(c); text != "" {
		parts = append(parts, "It reaches what policies guard: "+text)
	}
	return strings.Join(parts, ". ")
}

// peersByPorts groups peers by the ports on which they reach or are reached.
type peersByPorts struct {
	order  []string
	groups map[string][]*entity
}

func (p *peersByPorts) add(e *entity, ports clusterwide.Ports) {
	if ports.Empty() {
		return
	}
	if p.groups == nil {
		p.groups = make(map[string][]*entity)
	}
	text := ports.String()
	if p.groups[text] == nil {
		p.order = append(p.order, text)
	}
	p.groups[text] = append(p.groups[text], e)
}

// describe formats the first few groups.
func (p *peersByPorts) describe(c *comparison) string {
	const most = 3
	var parts []string
	for i, text := range p.order {
		if i == most {
			parts = append(parts, "others")
			break
		}
		parts = append(parts, c.describe(p.groups[text], nil)+" on "+text)
	}
	return clusterwide.Join(parts, "and")
}

// limits reports whether policies limit one direction of a pod.
func (x *side) limits(e *clusterwide.Ends, d ir.Direction) bool {
	return x.Limits(d, e.Addresses[e.Primary])
}

// guards names the directions of a pod that policies limit.
func (x *side) guards(e *clusterwide.Ends) string {
	var open, limited []string
	for _, d := range []struct {
		direction ir.Direction
		word      string
	}{{ir.Ingress, "who reaches it"}, {ir.Egress, "whom it reaches"}} {
		if x.limits(e, d.direction) {
			limited = append(limited, d.word)
		} else {
			open = append(open, d.word)
		}
	}
	var parts []string
	if len(limited) > 0 {
		parts = append(parts, "policies limit "+strings.Join(limited, " and "))
	}
	if len(open) > 0 {
		parts = append(parts, "no policy limits "+strings.Join(open, " or "))
	}
	return strings.Join(parts, ", ")
}
