package connwrite

import "github.com/planec/planec/internal/review/connectivity"

// families finds the pairs of ends whose families policies tell apart. It grows with the ends
// and not with the pairs.
type families struct {
	// from has the edges that begin at an end, and to the ends of each of them.
	from map[*connectivity.End][]*connectivity.FamilyEdge
	to   map[*connectivity.FamilyEdge]map[*connectivity.End]bool
}

func familiesOf(m *connectivity.Map) *families {
	f := &families{make(map[*connectivity.End][]*connectivity.FamilyEdge), make(map[*connectivity.FamilyEdge]map[*connectivity.End]bool)}
	for _, e := range m.Families {
		for _, x := range e.From.Ends {
			f.from[x] = append(f.from[x], e)
		}
		f.to[e] = make(map[*connectivity.End]bool, len(e.To.Ends))
		for _, x := range e.To.Ends {
			f.to[e][x] = true
		}
	}
	return f
}

// listed is the family that the list is about for a pair: "IPv4" or "IPv6", or "" for both and
// for pairs that have one only.
func (f *families) listed(from, to *connectivity.End) string {
	for _, e := range f.from[from] {
		if f.to[e][to] {
			return connectivity.FamilyWord(e.Listed)
		}
	}
	return ""
}

// between is listed for groups of one end, and "" for networks.
func (f *families) between(from, to connectivity.Group) string {
	if len(from.Ends) == 0 || len(to.Ends) == 0 {
		return ""
	}
	return f.listed(from.Ends[0], to.Ends[0])
}

// boxes is listed for the arrows between two boxes, whose ends are alike.
func (f *families) boxes(from, to *box) string {
	if len(from.ends) == 0 || len(to.ends) == 0 {
		return ""
	}
	x, y := from.ends[0], to.ends[0]
	if x == y && len(to.ends) > 1 {
		y = to.ends[1]
	}
	return f.listed(x, y)
}

// over appends the family to the ports of an arrow.
func over(ports, family string) string {
	if family == "" {
		return ports
	}
	return ports + " over " + family
}
