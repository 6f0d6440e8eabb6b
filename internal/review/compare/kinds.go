package compare

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/internal/review/clusterwide"
)

// kindOfPods is one kind of stand-ins.
type kindOfPods struct {
	stand    *standIn
	entities []*entity
	// networks are the policy networks where its pods may be.
	networks []netip.Prefix
}

// indexKinds groups the stand-ins by kind.
func (c *comparison) indexKinds() {
	index := make(map[*standIn]int)
	for _, e := range c.all {
		if e.stand == nil {
			continue
		}
		at, known := index[e.stand]
		if !known {
			at = len(c.kindsOfPods)
			index[e.stand] = at
			c.kindsOfPods = append(c.kindsOfPods, kindOfPods{stand: e.stand})
		}
		k := &c.kindsOfPods[at]
		k.entities = append(k.entities, e)
		if e.kind = at; !slices.Contains(k.networks, e.network) {
			k.networks = append(k.networks, e.network)
		}
		e.place = slices.Index(k.networks, e.network)
	}
}

// kindCount says in which networks a list has stand-ins of one kind.
type kindCount struct {
	*kindOfPods
	in []bool
}

func (k *kindCount) some() bool { return slices.Contains(k.in, true) }

func (k *kindCount) whole() bool { return k.in != nil && !slices.Contains(k.in, false) }

// where describes the networks of the listed stand-ins, or "" if they can be
// anywhere.
func (k *kindCount) where() string {
	if k.in == nil || k.whole() {
		return ""
	}
	var names []string
	for i, n := range k.networks {
		if !k.in[i] {
			continue
		}
		name := n.String()
		if n.Bits() == 0 {
			name = "no network that policies name"
		}
		names = append(names, name)
	}
	return " with addresses in " + clusterwide.Join(names, "or")
}

// countKinds counts the stand-ins of a list. A listed outside network also covers
// the pods with addresses in it.
func (x *census) countKinds(list []*entity) {
	x.kinds = make([]kindCount, len(x.kindsOfPods))
	for i := range x.kinds {
		x.kinds[i].kindOfPods = &x.kindsOfPods[i]
	}
	for _, e := range list {
		if e.stand == nil {
			continue
		}
		k := &x.kinds[e.kind]
		if k.in == nil {
			k.in = make([]bool, len(k.networks))
		}
		k.in[e.place] = true
	}
	for _, e := range x.byRole[outsideRole] {
		for i := range x.kinds {
			if k := &x.kinds[i]; k.in != nil && !k.whole() {
				if at := slices.Index(k.networks, e.network); at >= 0 {
					k.in[at] = false
				}
			}
		}
	}
}
