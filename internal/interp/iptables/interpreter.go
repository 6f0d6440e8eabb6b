package iptables

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Interpreter evaluates the rules of both families on one node. It is safe for
// concurrent use.
type Interpreter struct {
	families map[ir.Family]tables
	sets     sets
	// own4 and own6 are the node's addresses, with loopback ones.
	own4, own6 space.Set
	explain    bool
}

// setsFile has the sets of both families.
const setsFile = "ipset.rules"

// New reads the rules and sets of an artifact: ipset.rules, and for each family
// the rules and the jumps from built-in chains. file returns a file's content by
// name. own are the node's own addresses, which its kernel knows and the files
// lack. If explain is set, results contain the matching rules as steps.
func New(file func(name string) []byte, own []netip.Addr, explain bool) (*Interpreter, error) {
	i := &Interpreter{families: make(map[ir.Family]tables, 2), explain: explain}
	i.own4, i.own6 = space.Own(own)
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
func (i *Interpreter) Eval(p eval.Packet) (eval.Result, error) {
	r, err := i.EvalAll(space.New(p.Box()))
	if err != nil {
		return r, fmt.Errorf("%v: %w", p, err)
	}
	return r, nil
}

// EvalAll returns what the rules do to every packet of what is left of the box, over all
// random draws.
func (i *Interpreter) EvalAll(p *space.Packets) (eval.Result, error) { return i.Follow(p, travel) }

// Bound is nothing: rules give the node no addresses.
func (i *Interpreter) Bound() []netip.Addr { return nil }

// Follow evaluates packets for every outcome of random draws, and joins the
// results.
func (i *Interpreter) Follow(p *space.Packets, travel func(*Packet) eval.Result) (eval.Result, error) {
	rules := i.families[ir.IPv4]
	if p.IPv6() {
		rules = i.families[ir.IPv6]
	}
	r, err := fate.Explore(func(d *fate.Draws) eval.Result {
		return travel(&Packet{Packets: p, to: space.Destination.Value(), port: space.Port.Value(), interp: i, tables: rules, draws: d})
	})
	return r, errors.Join(err, p.Err())
}

// travel sends a packet through the hooks of a node without IPVS. A connection of
// the node to itself leaves and re-enters through the loopback interface; its
// addresses are then already translated.
func travel(p *Packet) eval.Result {
	switch {
	case p.FromNode():
		if p.Through("OUTPUT", "mangle", "nat", "filter") && p.Leave() && p.ToLocal() {
			p.Return()
		}
	case !p.Through("PREROUTING", "mangle", "nat"):
	case p.ToLocal():
		p.Through("INPUT", "mangle", "filter", "nat")
	case p.Through("FORWARD", "mangle", "filter"):
		p.Leave()
	}
	return p.result()
}
