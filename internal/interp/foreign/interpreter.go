package foreign

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Interpreter evaluates packets with the rules of both families on one node. It is safe for
// concurrent use.
type Interpreter struct {
	four, six  *Rules
	own4, own6 space.Set
	// balancer is IPVS, or nil.
	balancer *balancer
	explain  bool
}

// File is a listing.
type File struct {
	Name string
	Text []byte
}

// New returns an interpreter of listings: one of nft with one or both families, or several;
// or one of iptables-save for each family, with the sets of ipset save that their rules ask
// for. With virtual services of IPVS (ipvsadm-save -n) there must be the addresses of
// kube-ipvs0 too. A file may have the output of several commands. own are the node's
// addresses. If explain is set, results have the matching rules as steps. A family without a
// listing has no rules.
func New(files []File, own []netip.Addr, explain bool) (*Interpreter, error) {
	var p listings
	for i := range files {
		if err := p.divide(&files[i]); err != nil {
			return nil, err
		}
	}
	i := &Interpreter{explain: explain}
	var err error
	if p.isIPVS() {
		if i.balancer, err = newBalancer(&p); err != nil {
			return nil, err
		}
	}
	i.own4, i.own6 = space.Own(slices.Concat(own, i.Bound()))
	if err := i.readRules(&p); err != nil {
		return nil, err
	}
	if i.balancer != nil {
		err = i.complete()
	}
	return i, err
}

// readRules reads the rules of both families.
func (i *Interpreter) readRules(p *listings) error {
	for _, at := range p.nft {
		list, err := ParseNFT(at.text)
		if err == nil {
			err = i.give(list...)
		}
		if err != nil {
			return at.errorf(err)
		}
	}
	var sets map[string]*ipSet
	if p.sets != nil {
		var err error
		if sets, err = readSets(p.sets.text); err != nil {
			return p.sets.errorf(err)
		}
	}
	for _, at := range p.iptables {
		rules, err := parseIPTables(at.text, at.ipv6, sets)
		if err == nil {
			err = i.give(rules)
		}
		if err != nil {
			return at.errorf(err)
		}
	}
	return nil
}

// give adds the rules of families.
func (i *Interpreter) give(list ...*Rules) error {
	for _, r := range list {
		at := &i.four
		if r.IPv6 {
			at = &i.six
		}
		if *at != nil {
			return errors.New("a second listing of the same family")
		}
		*at = r
	}
	return nil
}

// Has reports whether there is a listing of the family.
func (i *Interpreter) Has(ipv6 bool) bool { return i.of(ipv6) != nil }

// IPTables reports whether the rules of a family are those of iptables-save.
func (i *Interpreter) IPTables(ipv6 bool) bool { return i.of(ipv6) != nil && i.of(ipv6).IPTables }

// Skipped names what is not judged.
func (i *Interpreter) Skipped() (out []string) {
	for _, ipv6 := range []bool{false, true} {
		if r := i.of(ipv6); r != nil {
			out = append(out, r.Skipped...)
		}
	}
	return out
}

func (i *Interpreter) of(ipv6 bool) *Rules {
	if ipv6 {
		return i.six
	}
	return i.four
}

// Eval returns what the rules do to the packet, over all of its random draws.
func (i *Interpreter) Eval(p eval.Packet) (eval.Result, error) {
	r, err := i.EvalAll(space.New(p.Box()))
	if err != nil {
		return r, fmt.Errorf("%v: %w", p, err)
	}
	return r, nil
}

// EvalAll returns what the rules do to every packet of what is left of the box, over all
// random draws.
func (i *Interpreter) EvalAll(p *space.Packets) (eval.Result, error) {
	return i.evalFrom(p, space.Source.Value())
}

// EvalUnbound is [Interpreter.EvalAll] for packets of the node whose sender has bound no
// address, and that go to an address which IPVS's device has: the kernel gives them that
// address as their source too, because it is the node's.
func (i *Interpreter) EvalUnbound(p *space.Packets) (eval.Result, error) {
	return i.evalFrom(p, space.Destination.Value())
}

func (i *Interpreter) evalFrom(p *space.Packets, src space.Value) (eval.Result, error) {
	rules := i.of(p.IPv6())
	if rules == nil {
		rules = &Rules{IPv6: p.IPv6()}
	}
	r, err := fate.Explore(func(d *fate.Draws) eval.Result {
		m := machine{interp: i, rules: rules, packets: p, src: src, dst: space.Destination.Value(), port: space.Port.Value(), draws: d}
		return m.travel()
	})
	return r, errors.Join(err, p.Err())
}
