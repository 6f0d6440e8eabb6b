package connwrite

import (
	"io"
	"net/netip"

	"github.com/planec/planec/internal/base/escape"
	"github.com/planec/planec/internal/review/compare"
	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/ir"
)

// listJSON is the stable form of `matrix -o json` without --port.
type listJSON struct {
	Workloads []workloadJSON `json:"workloads"`
	// Edges are what can connect: everything of from to everything of to, but for single
	// pods to themselves. Pairs without an edge cannot
	// connect, but as families say.
	Edges []edgeJSON `json:"edges"`
	// Families are pairs that policies treat in another way over the family that edges are
	// not about; edges are about the one that the source prefers.
	Families []familyJSON `json:"families,omitempty"`
	Entries  []entryJSON  `json:"entries,omitempty"`
	// Nowhere are what Ingresses and routes name and the input does not have.
	Nowhere  []nowhereJSON `json:"nowhere,omitempty"`
	Denied   []deniedJSON  `json:"denied,omitempty"`
	Exposure *exposureJSON `json:"exposure,omitempty"`
	Notes    []string      `json:"notes,omitempty"`
}

type workloadJSON struct {
	ID        string   `json:"id"`
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Pods      []string `json:"pods"`
	Host      bool     `json:"hostNetwork,omitempty"`
	// Ingress and Egress are limited, open (a policy selects it and admits everything) or
	// unprotected (no policy selects it).
	Ingress string `json:"ingress"`
	Egress  string `json:"egress"`
}

// edgeJSON names ends by their ids in from and to; networks outside are in fromNetworks
// and toNetworks.
type edgeJSON struct {
	From         []string       `json:"from,omitempty"`
	FromNetworks []netip.Prefix `json:"fromNetworks,omitempty"`
	To           []string       `json:"to,omitempty"`
	ToNetworks   []netip.Prefix `json:"toNetworks,omitempty"`
	Ports        []string       `json:"ports"`
	Because      []causeJSON    `json:"because,omitempty"`
}

type familyJSON struct {
	From   []string `json:"from"`
	To     []string `json:"to"`
	Family string   `json:"family"` // IPv4 or IPv6
	Ports  []string `json:"ports"`  // may be empty
}

type causeJSON struct {
	Direction string      `json:"direction"`
	Accept    bool        `json:"accept"`
	Ports     []string    `json:"ports"`
	Text      string      `json:"text"`
	Rule      *ir.Origin  `json:"rule,omitempty"`
	Isolating []ir.Origin `json:"isolating,omitempty"`
}

type entryJSON struct {
	From    string       `json:"from"`
	To      string       `json:"to"`
	Ports   []string     `json:"ports"`
	Refused []string     `json:"refused,omitempty"`
	Because []namingJSON `json:"because"`
}

type namingJSON struct {
	Object  ir.Origin `json:"object"`
	Service string    `json:"service"`
	Port    string    `json:"port"`
}

type nowhereJSON struct {
	From string `json:"from"`
	namingJSON
	Why string `json:"why"`
}

type deniedJSON struct {
	From    string      `json:"from"`
	To      string      `json:"to"`
	Ports   []string    `json:"ports"`
	Because []causeJSON `json:"because"`
}

type exposureJSON struct {
	Unprotected []unprotectedJSON `json:"unprotected"`
	Open        []openJSON        `json:"open"`
}

type unprotectedJSON struct {
	Workload   string   `json:"workload"`
	Directions []string `json:"directions"`
}

type openJSON struct {
	Workload  string   `json:"workload"`
	Direction string   `json:"direction"`
	To        string   `json:"to"` // cluster, lacking or outside
	Peers     string   `json:"peers"`
	Ports     []string `json:"ports"`
}

// JSON writes the list for programs; docs/reviewing.md has the fields.
func JSON(w io.Writer, m *connectivity.Map, o *Options) error {
	out := listJSON{Workloads: []workloadJSON{}, Edges: []edgeJSON{}, Notes: Notes(m, o)}
	for _, e := range m.Ends {
		out.Workloads = append(out.Workloads, workloadJSON{e.ID(), e.Namespace, e.Name, e.Pods, e.Host, guardWord(e, ir.Ingress), guardWord(e, ir.Egress)})
	}
	for _, e := range m.Edges {
		x := edgeJSON{From: ids(e.From.Ends), FromNetworks: e.From.Networks, To: ids(e.To.Ends), ToNetworks: e.To.Networks, Ports: Ports(e.Ports)}
		if o.Explain {
			list := m.Allowing(e)
			if o.Locate != nil {
				o.Locate(list)
			}
			x.Because = causesJSON(list)
		}
		out.Edges = append(out.Edges, x)
	}
	for _, x := range m.Families {
		out.Families = append(out.Families, familyJSON{ids(x.From.Ends), ids(x.To.Ends), connectivity.FamilyWord(x.Family), Ports(x.Ports)})
	}
	for _, e := range m.Entries {
		x := entryJSON{From: e.Via, To: e.To.ID(), Ports: Ports(&e.Ports), Refused: Ports(&e.Refused)}
		for _, n := range e.Because {
			x.Because = append(x.Because, namingJSON{n.Origin, n.Service.String(), n.Port})
		}
		out.Entries = append(out.Entries, x)
	}
	for _, n := range m.Nowhere {
		out.Nowhere = append(out.Nowhere, nowhereJSON{n.Via, namingJSON{n.Origin, n.Service.String(), n.Port}, n.Why})
	}
	for _, d := range o.Asked {
		out.Denied = append(out.Denied, deniedJSON{d.From, d.To, Ports(&d.Ports), causesJSON(d.Causes)})
	}
	out.Exposure = newExposureJSON(o.Exposures)
	return escape.JSON(w, out)
}

func ids(ends []*connectivity.End) []string {
	var out []string
	for _, e := range ends {
		out = append(out, e.ID())
	}
	return out
}

func guardWord(e *connectivity.End, d ir.Direction) string {
	switch {
	case e.Guarded[d]:
		return "limited"
	case e.Selected[d]:
		return "open"
	}
	return "unprotected"
}

func causesJSON(list []connectivity.Cause) []causeJSON {
	out := []causeJSON{}
	for i := range list {
		c := &list[i]
		out = append(out, causeJSON{c.Direction.String(), c.Accept, Ports(&c.Ports), c.String(), c.Rule, c.Isolating})
	}
	return out
}

func newExposureJSON(x *connectivity.Exposure) *exposureJSON {
	if x == nil {
		return nil
	}
	out := &exposureJSON{Unprotected: []unprotectedJSON{}, Open: []openJSON{}}
	for _, u := range x.Unprotected {
		one := unprotectedJSON{Workload: u.End.ID()}
		for _, d := range u.Directions {
			one.Directions = append(one.Directions, d.String())
		}
		out.Unprotected = append(out.Unprotected, one)
	}
	words := map[compare.Exposed]string{compare.WholeCluster: "cluster", compare.Lacking: "lacking", compare.OutsideWorld: "outside"}
	for i := range x.Open {
		e := &x.Open[i]
		out.Open = append(out.Open, openJSON{e.Namespace + "/" + e.Name, e.Direction.String(), words[e.To], e.Peers, Ports(&e.Ports)})
	}
	return out
}
