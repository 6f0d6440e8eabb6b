package iptables

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Interpreter evaluates the rules of both families on one node. It is safe for
// concurrent use.
type Interpreter struct {
	families map[ir.Family]tables
	sets     sets
	own      map[netip.Addr]bool
	explain  bool
}

// setsFile has the sets of both families.
const setsFile = "ipset.rules"

// New reads the rules and sets of an artifact: ipset.rules, and for each family
// the rules and the jumps from built-in chains. file returns a file's content by
// name. own are the node's own addresses, which its kernel knows and the files
// lack. If explain is set, results contain the matching rules as steps.
func New(file func(name string) []byte, own []netip.Addr, explain bool) (*Interpreter, error) {
	i := &Interpreter{families: make(map[ir.Family]tables, 2), own: make(map[netip.Addr]bool, len(own)), explain: explain}
	for _, a := range own {
		i.own[a] = true
	}
	var err error
	if i.sets, err = readSets(file(setsFile)); err != nil {
		return nil, fmt.Errorf("%s: %w", setsFile, err)
	}
	for family, prefix := range map[ir.Family]string{ir.IPv4: "iptables", ir.IPv6: "ip6tables"} {
		t := newTables()
		for _, name := range []string{prefix + ".rules", prefix + "-jumps.rules"} {
			if err := t.read(file(name), family, i.sets); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("%s.rules: %w", prefix, err)
		}
		i.families[family] = t
	}
	return i, nil
}

// Eval returns what the rules do to the packet, over all random draws.
func (i *Interpreter) Eval(p eval.Packet) (eval.Result, error) { return i.Follow(p, travel) }

// Follow evaluates a packet for every outcome of random draws, and joins the
// results.
func (i *Interpreter) Follow(p eval.Packet, travel func(*Packet) eval.Result) (eval.Result, error) {
	rules := i.families[ir.FamilyOf(p.Dst)]
	r, err := fate.Explore(func(d *fate.Draws) eval.Result {
		return travel(&Packet{Packet: p, To: netip.AddrPortFrom(p.Dst, p.Port), interp: i, tables: rules, draws: d})
	})
	if err != nil {
		return r, fmt.Errorf("%v: %w", p, err)
	}
	return r, nil
}

// travel sends a packet through the hooks of a node without IPVS. A connection of
// the node to itself leaves and re-enters through the loopback interface; its
// addresses are then already translated.
func travel(p *Packet) eval.Result {
	switch {
	case p.From == eval.FromNode:
		if p.Through("OUTPUT", "mangle", "nat", "filter") && p.Leave() && p.Local(p.To.Addr()) {
			p.Return()
		}
	case !p.Through("PREROUTING", "mangle", "nat"):
	case p.Local(p.To.Addr()):
		p.Through("INPUT", "mangle", "filter", "nat")
	case p.Through("FORWARD", "mangle", "filter"):
		p.Leave()
	}
	return p.result()
}
