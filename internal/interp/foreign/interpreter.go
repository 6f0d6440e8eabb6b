package foreign

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Interpreter evaluates packets with the rules of both families on one node. It is safe for
// concurrent use.
type Interpreter struct {
	four, six  *Rules
	own4, own6 space.Set
	explain    bool
}

// File is a listing.
type File struct {
	Name string
	Text []byte
}

// New returns an interpreter of listings: one of nft with one or both families, or several;
// or one of iptables-save for each family. own are the node's addresses. If explain is set,
// results have the matching rules as steps. A family without a listing has no rules.
func New(files []File, own []netip.Addr, explain bool) (*Interpreter, error) {
	i := &Interpreter{explain: explain}
	i.own4, i.own6 = space.Own(own)
	for _, f := range files {
		list, err := parse(f.Text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		for _, r := range list {
			at := &i.four
			if r.IPv6 {
				at = &i.six
			}
			if *at != nil {
				return nil, fmt.Errorf("%s: a second listing of the same family", f.Name)
			}
			*at = r
		}
	}
	return i, nil
}

// parse recognises a listing by its first line that is no comment.
func parse(text []byte) ([]*Rules, error) {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0 || line[0] == '#':
		case line[0] == '*':
			r, err := ParseIPTables(text)
			return []*Rules{r}, err
		case bytes.HasPrefix(line, []byte("table ")):
			return ParseNFT(text)
		default:
			return nil, fmt.Errorf("%.60q begins neither the output of nft list ruleset nor that of iptables-save", line)
		}
	}
	return nil, errors.New("nothing is listed")
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
	rules := i.of(p.IPv6())
	if rules == nil {
		rules = &Rules{IPv6: p.IPv6()}
	}
	r, err := fate.Explore(func(d *fate.Draws) eval.Result {
		m := machine{interp: i, rules: rules, packets: p, dst: space.Destination.Value(), port: space.Port.Value(), draws: d}
		return m.travel()
	})
	return r, errors.Join(err, p.Err())
}
