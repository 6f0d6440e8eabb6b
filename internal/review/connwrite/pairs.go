package connwrite

import (
	"strings"

	"github.com/planec/planec/internal/review/connectivity"
)

// pair is one source and one destination, for the forms with a row for each.
type pair struct {
	from, to, ports string
	// family is IPv4 or IPv6 where policies tell the families of the pair apart, else "".
	family  string
	because []string
}

// pairs calls yield for each pair of ends, for ends and networks, for pairs over the family
// that the list is not about, and for entries.
func pairs(m *connectivity.Map, o *Options, yield func(pair)) {
	apart := familiesOf(m)
	m.Pairs(func(from, to connectivity.Group, e *connectivity.Edge) bool {
		p := pair{from: name(m, from), to: name(m, to), ports: portWords(e), family: apart.between(from, to)}
		if o.Explain {
			one := &connectivity.Edge{From: from, To: to, Ports: e.Ports}
			p.because = causesOf(m, []*connectivity.Edge{one}, o)
		}
		yield(p)
		return true
	})
	m.FamilyPairs(func(from, to connectivity.Group, e *connectivity.FamilyEdge) {
		if !e.Ports.Empty() {
			yield(pair{from: name(m, from), to: name(m, to), ports: portWords(&e.Edge), family: connectivity.FamilyWord(e.Family)})
		}
	})
	for _, e := range m.Entries {
		if e.Ports.Empty() {
			continue
		}
		p := pair{from: e.Via, to: e.To.ID(), ports: strings.Join(e.Ports.List(), " ")}
		for _, n := range e.Because {
			p.because = append(p.because, n.String())
		}
		yield(p)
	}
}

// name identifies one side of a pair.
func name(m *connectivity.Map, g connectivity.Group) string {
	if len(g.Ends) == 0 {
		return m.AllNetworkWords(g.Networks)
	}
	return g.Ends[0].ID()
}

// portWords lists ports for programs, separated by spaces: "80/tcp 8000-8999/tcp", or "all"
// for every packet. Protocols without ports are "other".
func portWords(e *connectivity.Edge) string { return strings.Join(Ports(e.Ports), " ") }
