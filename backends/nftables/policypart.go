package nftables

import (
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// policyPart is the part of a program's policies that a fragment has: what differs from the
// policies of another fragment, and what that refers to. A nil part is all of them.
type policyPart struct {
	// hosts are the addresses with another class or another name; networks are nil, or all.
	hosts    []resolve.Host
	networks []resolve.Network
	// faces are the profiles and directions that differ.
	faces map[face]*facePart
	// rows are the rows to write, by their places.
	rows []bool
}

// face is one direction of a profile.
type face struct {
	profile   string
	direction ir.Direction
}

// facePart is what the map of a face has: the elements that differ, and that for all other
// classes.
type facePart struct {
	rows   []resolve.ClassRow
	others int
	// mapped says that only the map differs: the chain and what leads to it stay.
	mapped bool
}

// rowsOf yields the rows to which the chain and the map of a table lead, with those of source
// ports.
func rowsOf(p *resolve.Policy, profile *resolve.Profile, t *resolve.Table, d ir.Direction, yield func(int)) {
	want := func(row int) {
		yield(row)
		for _, s := range p.Rows[row].Sources {
			yield(s.Row)
		}
	}
	if t.Own >= 0 {
		want(t.Own)
	}
	if !namesPeers(profile.Tiers(d)) {
		want(t.Default)
		return
	}
	p.Used(t, want)
}
