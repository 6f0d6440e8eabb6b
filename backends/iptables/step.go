package iptables

import (
	"math"
	"net/netip"
	"strconv"

	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/ir"
)

// step is what a route does with a new connection: it may mark it, and it gives it
// an endpoint. Frontends with equal steps share a chain.
type step struct {
	pool       *ir.Pool
	protocol   ir.Protocol
	masquerade ir.MasqueradeRule
	// service and seconds are set only for a step with affinity.
	service ir.ServicePort
	seconds uint32
}

// route returns the target of a route, or "" if the route has no endpoints.
func (d *dataplane) route(f *ir.Frontend, r ir.Route) string {
	s := step{pool: d.pool(r), protocol: f.Match.Protocol, masquerade: r.Masquerade}
	if len(s.pool.Endpoints) == 0 {
		return ""
	}
	if f.Affinity != 0 {
		s.service, s.seconds = f.Service, f.Affinity
	}
	if target, ok := d.steps[s]; ok {
		return target
	}
	identity := []string{s.pool.ID, s.protocol.String(), s.masquerade.String()}
	if s.seconds != 0 {
		identity = append(identity, s.service.Namespace, s.service.Name, s.service.Port, strconv.FormatUint(uint64(s.seconds), 10))
	}
	name := d.names.Own(xtables.StepChain, identity...)
	d.writeStep(name, s, &f.Service)
	target := " -g " + name
	d.steps[s] = target
	return target
}

func (d *dataplane) writeStep(name string, s step, service *ir.ServicePort) {
	choices := d.choices(s, service)
	grouped := d.group(name, choices, s, service)
	w := &d.nat
	w.open(name)
	if match, target := d.markRule(s.masquerade); target != "" {
		w.end(append(d.comment(append(w.rule(), match...), service), target...))
	}
	if s.seconds != 0 {
		d.recall(s, choices, service)
	}
	d.draw(grouped, s, service)
	w.close()
}

// choice is an option of a weighted draw: an endpoint, or a chain of endpoints.
type choice struct {
	weight uint64
	target string
}

// choices returns the endpoints of a step.
func (d *dataplane) choices(s step, service *ir.ServicePort) []choice {
	list := make([]choice, len(s.pool.Endpoints))
	for i := range s.pool.Endpoints {
		e := &s.pool.Endpoints[i]
		list[i].weight = uint64(e.Weight)
		if s.seconds == 0 {
			list[i].target = dnat(e.Address)
		} else {
			list[i].target = d.sticker(sticker{s.service, e.Address, s.protocol, s.seconds}, service)
		}
	}
	return list
}

func dnat(a netip.AddrPort) string {
	b := make([]byte, 0, 96)
	return string(a.AppendTo(append(b, " -j DNAT --to-destination "...)))
}

// mostDraws is the maximum number of drawing rules in a chain. A longer list is
// drawn in two steps: first a group, then one of its members.
const mostDraws = 32

// group replaces a long list of choices by a short list of chains.
func (d *dataplane) group(name string, list []choice, s step, service *ir.ServicePort) []choice {
	if len(list) <= mostDraws {
		return list
	}
	size := int(math.Ceil(math.Sqrt(float64(len(list)))))
	var groups []choice
	for start := 0; start < len(list); start += size {
		part := list[start:min(start+size, len(list))]
		member := d.names.Own(xtables.GroupChain, name, strconv.Itoa(len(groups)))
		d.nat.open(member)
		d.draw(part, s, service)
		d.nat.close()
		groups = append(groups, choice{weight: sum(part), target: " -g " + member})
	}
	return groups
}

func sum(list []choice) (n uint64) {
	for _, c := range list {
		n += c.weight
	}
	return n
}

// draw writes one rule for each choice. A rule takes its share of the packets that
// the previous rules have not taken.
func (d *dataplane) draw(list []choice, s step, service *ir.ServicePort) {
	rest := sum(list)
	w := &d.nat
	// DNAT with a port requires a protocol match.
	var room [192]byte
	match := d.comment(append(append(room[:0], " -p "...), s.protocol.String()...), service)
	for i, c := range list {
		b := append(w.rule(), match...)
		if i < len(list)-1 {
			b = append(append(b, " -m statistic --mode random --probability "...), d.probability(c.weight, rest)...)
		}
		rest -= c.weight
		w.end(append(b, c.target...))
	}
}

// share is one weight of those that are left.
type share struct{ weight, rest uint64 }

// probability is what appendProbability writes. Most shares are those of equal weights in small
// pools, and to print one costs more than the rest of its rule.
func (d *dataplane) probability(weight, rest uint64) []byte {
	s := share{weight, rest}
	if known, ok := d.shares[s]; ok {
		return known
	}
	b := appendProbability(nil, weight, rest)
	if d.shares == nil {
		d.shares = make(map[share][]byte)
	}
	const most = 4096
	if len(d.shares) < most {
		d.shares[s] = b
	}
	return b
}

// appendProbability writes weight/rest in the notation of iptables-save: the
// kernel stores 31 bits, printed with 11 decimals (libxt_statistic.c).
func appendProbability(b []byte, weight, rest uint64) []byte {
	const one = 0x80000000
	kept := math.Round(one * (float64(weight) / float64(rest)))
	return strconv.AppendFloat(b, kept/one, 'f', 11, 64)
}
