package iptables

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	text "github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// target is the action of a rule and the chain that it leads to.
type target struct {
	code code
	act  func(*Packet)
	// leads is the next chain; with isGoto, the packet does not return from it.
	leads  *chain
	isGoto bool
	// hooks are the hooks that allow the target; nil means all.
	hooks []string
}

type code uint8

const (
	// goOn continues with the next rule.
	goOn code = iota
	accept
	drop
	reject
	giveBack // RETURN
)

func (c *compiler) target(t *text.Target) (target, error) {
	switch t.Name {
	case "ACCEPT":
		return target{code: accept}, nil
	case "RETURN":
		return target{code: giveBack}, nil
	case "DROP":
		return target{code: drop}, c.notIn("nat")
	case "REJECT":
		with := map[ir.Family]string{ir.IPv4: "icmp-port-unreachable", ir.IPv6: "icmp6-port-unreachable"}[c.family]
		if got := t.Value("--reject-with"); got != with {
			return target{}, fmt.Errorf("--reject-with %q is not known for %v", got, c.family)
		}
		return target{code: reject}, c.only("filter")
	case "LOG":
		prefix := t.Value("--log-prefix")
		if prefix == "" || len(prefix) > maxPrefix {
			return target{}, fmt.Errorf("--log-prefix %q", prefix)
		}
		return target{act: func(p *Packet) { p.logs = append(p.logs, prefix) }}, nil
	case "MARK":
		value, mask, err := text.MarkAndMask(t.Value("--set-xmark"))
		return target{act: func(p *Packet) { p.Mark = p.Mark&^mask ^ value }}, err
	case "MASQUERADE":
		return target{code: accept, hooks: []string{"POSTROUTING"}, act: func(p *Packet) { p.Masqueraded = true }}, c.only("nat")
	case "DNAT":
		return c.dnat(t)
	case "SET":
		return c.setTarget(t)
	}
	leads := c.chains[t.Name]
	if leads == nil || leads.kernels {
		return target{}, fmt.Errorf("%q is no target, nor a chain that was declared", t.Name)
	}
	return target{leads: leads, isGoto: t.Goto}, nil
}

// maxPrefix is the length of a log prefix that xtables keeps (xt_LOG_info.prefix).
const maxPrefix = 29

func (c *compiler) notIn(table string) error {
	if c.in.table == table {
		return fmt.Errorf("the target is not for the table %s", table)
	}
	return nil
}

func (c *compiler) only(table string) error {
	if c.in.table != table {
		return fmt.Errorf("the target is for the table %s only", table)
	}
	return nil
}

// dnat parses an address with a port, which requires a protocol with ports.
func (c *compiler) dnat(t *text.Target) (target, error) {
	to, err := netip.ParseAddrPort(t.Value("--to-destination"))
	switch {
	case err != nil:
		return target{}, err
	case ir.FamilyOf(to.Addr()) != c.family || !c.hasPorts():
		return target{}, fmt.Errorf("--to-destination %v of another family, or without -p", to)
	}
	return target{code: accept, hooks: []string{"PREROUTING", "OUTPUT"}, act: func(p *Packet) { p.Redirect(to); p.dnated = true }}, c.only("nat")
}

// setTarget adds the packet to a set with a timeout, removes it from the set, or
// applies the mark that the set has for it.
func (c *compiler) setTarget(t *text.Target) (target, error) {
	if len(t.Options) == 0 {
		return target{}, fmt.Errorf("SET without an option")
	}
	verb := t.Options[0]
	rest := make(map[string]string)
	for _, o := range t.Options[1:] {
		rest[o.Name] = strings.Join(o.Values, " ")
	}
	only := func(known ...string) error {
		for _, k := range known {
			delete(rest, k)
		}
		if len(rest) > 0 {
			return fmt.Errorf("%s with options %v", verb.Name, rest)
		}
		return nil
	}
	if len(verb.Values) != 2 {
		return target{}, fmt.Errorf("SET %s", verb.Name)
	}
	s, sources, err := c.question(verb.Values)
	if err != nil {
		return target{}, err
	}
	switch verb.Name {
	case "--add-set":
		timeout := uint64(s.timeout)
		if word, given := rest["--timeout"]; given {
			if timeout, err = strconv.ParseUint(word, 10, 32); err != nil || !s.timed {
				return target{}, fmt.Errorf("--timeout %s for set %s", word, verb.Values[0])
			}
		}
		_, again := rest["--exist"]
		b := binder{set: s, name: verb.Values[0], sources: sources, timeout: uint32(timeout), again: again}
		return target{act: b.bind}, only("--exist", "--timeout")
	case "--del-set":
		return target{act: func(p *Packet) {
			if p.isBound(s, s.key(p, sources)) {
				delete(p.bound, s)
			}
		}}, only()
	}
	if _, maps := rest["--map-mark"]; !maps || !s.skbinfo || c.in.table != "mangle" {
		return target{}, fmt.Errorf("marks are mapped in the table mangle, by --map-mark, from a set that has them")
	}
	return target{act: func(p *Packet) {
		if m, found := s.lookup(p, sources); found {
			p.Mark = p.Mark&^m.mask ^ m.value
		}
	}}, only("--map-mark")
}

// binder adds packets to a set; with again, the time of a member begins again.
type binder struct {
	set     *set
	name    string
	sources []bool
	timeout uint32
	again   bool
}

func (b *binder) bind(p *Packet) {
	key := b.set.key(p, b.sources)
	if p.isBound(b.set, key) {
		p.stale = p.stale || !b.again
	} else {
		bound := map[*set][]space.Value{b.set: key}
		maps.Copy(bound, p.bound)
		p.bound = bound
	}
	p.affinity, p.binding = b.timeout, b.name
	p.ofClient = slices.ContainsFunc(key, func(v space.Value) bool { return !v.Known && v.Field == space.Source })
}

// isBound reports whether a rule has added the key to a set.
func (p *Packet) isBound(s *set, key []space.Value) bool {
	have, ok := p.bound[s]
	return ok && slices.EqualFunc(have, key, p.Equal)
}
