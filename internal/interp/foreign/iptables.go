package foreign

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	text "github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/ir/space"
)

// xtables is where the kernel calls a table's built-in chains: the priority in each hook
// (include/uapi/linux/netfilter_ipv4.h).
var xtables = map[string]map[string]int{
	"raw":      {"PREROUTING": -300, "OUTPUT": -300},
	"mangle":   {"PREROUTING": -150, "INPUT": -150, "FORWARD": -150, "OUTPUT": -150, "POSTROUTING": -150},
	"nat":      {"PREROUTING": -100, "INPUT": 100, "OUTPUT": -100, "POSTROUTING": 100},
	"filter":   {"INPUT": 0, "FORWARD": 0, "OUTPUT": 0},
	"security": {"INPUT": 50, "FORWARD": 50, "OUTPUT": 50},
}

// xt is a listing on its way to rules.
type xt struct {
	rules *Rules
	// chains are by table and name.
	chains     map[string]map[string]*chain
	affinities map[string]*affinity
	// sets are those of ipset save, or nil if they are not given.
	sets  map[string]*ipSet
	leads map[*chain][]*chain
	lines []text.Line
}

// ParseIPTables reads the output of iptables-save or ip6tables-save. Which of the two it is,
// the addresses in it say.
func ParseIPTables(b []byte) (*Rules, error) {
	return parseIPTables(b, bytes.Contains(b, []byte("ip6tables")), nil)
}

// parseIPTables reads the output of iptables-save or ip6tables-save, whose rules ask for sets.
// Without an address in it, it is of the family that is said.
func parseIPTables(b []byte, ipv6 bool, sets map[string]*ipSet) (*Rules, error) {
	x := &xt{rules: &Rules{IPTables: true}, chains: make(map[string]map[string]*chain), affinities: make(map[string]*affinity), leads: make(map[*chain][]*chain), sets: sets}
	for l, err := range text.Lines(counters(b)) {
		if err != nil {
			return nil, err
		}
		if err := x.declare(&l); err != nil {
			return nil, fmt.Errorf("line %d: %w", l.Number, err)
		}
	}
	if err := x.family(ipv6); err != nil {
		return nil, err
	}
	for i := range x.lines {
		l := &x.lines[i]
		c := x.chains[l.Table][l.Chain]
		if c == nil {
			return nil, fmt.Errorf("line %d: no chain %s", l.Number, l.Chain)
		}
		c.rules = append(c.rules, x.rule(c, l))
	}
	return x.rules, x.rules.check(x.leads)
}

// counters removes the counters that iptables-save -c prints before rules.
func counters(b []byte) []byte {
	var out strings.Builder
	for line := range strings.Lines(string(b)) {
		if _, rest, is := strings.Cut(line, "] -A "); is && line[0] == '[' {
			line = "-A " + rest
		}
		out.WriteString(line)
	}
	return []byte(out.String())
}

// declare adds a chain, and keeps rules for later.
func (x *xt) declare(l *text.Line) error {
	switch {
	case xtables[l.Table] == nil:
		return fmt.Errorf("table %q is not known", l.Table)
	case l.Verb == "-A":
		x.lines = append(x.lines, *l)
	case l.Verb != "":
		return fmt.Errorf("%q is not listed by iptables-save", l.Text)
	case l.Policy != "":
		if x.chains[l.Table] == nil {
			x.chains[l.Table] = make(map[string]*chain)
		}
		if x.chains[l.Table][l.Chain] != nil {
			return fmt.Errorf("a second chain %s", l.Chain)
		}
		c := &chain{name: l.Table + " " + l.Chain, nat: l.Table == "nat"}
		x.chains[l.Table][l.Chain] = c
		if l.Policy == "-" {
			return nil
		}
		priority, builtIn := xtables[l.Table][l.Chain]
		if !builtIn || l.Policy != "ACCEPT" && l.Policy != "DROP" {
			return fmt.Errorf("%q is no chain of the kernel", l.Text)
		}
		c.priority, c.drops = priority, l.Policy == "DROP"
		x.rules.add(hookNames[strings.ToLower(l.Chain)], c)
	}
	return nil
}

// family finds out which family the rules are of, by their addresses.
func (x *xt) family(said bool) error {
	four, six := 0, 0
	for i := range x.lines {
		words, err := x.lines[i].Words()
		if err != nil {
			return fmt.Errorf("line %d: %w", x.lines[i].Number, err)
		}
		for _, option := range []string{"-s", "-d", "--to-destination", "--reject-with"} {
			value := valueOf(words, option)
			switch {
			case value == "":
			case strings.Contains(value, ":") && strings.Count(value, ":") > 1 || strings.HasPrefix(value, "icmp6"):
				six++
			default:
				four++
			}
		}
	}
	if four > 0 && six > 0 {
		return errors.New("there are rules of both families")
	}
	x.rules.IPv6 = six > 0 || four == 0 && said
	return nil
}

// valueOf returns the word after an option, also where the option is negated.
func valueOf(words []string, option string) string {
	if i := slices.Index(words, option); i >= 0 && i+1 < len(words) {
		return words[i+1]
	}
	return ""
}

// rule returns a rule; one that is not understood is a statement that says so.
func (x *xt) rule(in *chain, l *text.Line) rule {
	out := rule{line: l.Number, text: l.Text}
	words, err := l.Words()
	var parsed text.Rule
	if err == nil {
		parsed, err = text.ParseListed(words)
	}
	if err == nil {
		r := &xtRule{xt: x, table: l.Table, in: in}
		out.statements, err = r.statements(&parsed)
	}
	if err != nil {
		out.statements = []statement{x.rules.opaque(l.Number, l.Text, err)}
	}
	return out
}

// xtRule is a rule on its way to statements.
type xtRule struct {
	*xt
	table string
	in    *chain
	// ported is whether the rule names a protocol with ports.
	ported bool
}

func (r *xtRule) statements(parsed *text.Rule) (out []statement, err error) {
	for i := range parsed.Matches {
		m := &parsed.Matches[i]
		s, err := r.match(m, parsed)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", m.Module, m.Option, err)
		}
		if s == nil && m.Negated {
			return nil, fmt.Errorf("%s: it is no condition to negate", m.Option)
		}
		if s != nil {
			out = append(out, negate(s, m.Negated))
		}
	}
	if parsed.Target.Name == "" {
		return out, nil
	}
	s, err := r.target(&parsed.Target)
	return append(out, s), err
}

func negate(s statement, negated bool) statement {
	if !negated {
		return s
	}
	return func(m *machine) bool { return !s(m) }
}

// match returns a condition; nil is none.
func (r *xtRule) match(m *text.Match, parsed *text.Rule) (statement, error) {
	destination := func(m *machine) space.Value { return m.dst }
	port := func(m *machine) space.Value { return m.port }
	one := func(v func(*machine) space.Value, i space.Interval, err error) (statement, error) {
		return within(v, space.Of(i), false), err
	}
	switch m.Module + m.Option {
	case "-s":
		i, err := addresses(m.Values[0], r.rules.IPv6)
		return one(func(m *machine) space.Value { return m.src }, i, err)
	case "-d":
		i, err := addresses(m.Values[0], r.rules.IPv6)
		return one(destination, i, err)
	case "-i":
		i, err := interfaces(m.Values[0], "+")
		return one((*machine).inInterface, i, err)
	case "-p":
		p, err := protocol(m.Values[0])
		r.ported = !m.Negated && (m.Values[0] == "tcp" || m.Values[0] == "udp" || m.Values[0] == "sctp")
		return one(field(space.Protocol), space.Interval{First: p, Last: p}, err)
	case "tcp--dport", "udp--dport", "sctp--dport":
		if parsed.Value("-p") != m.Module {
			return nil, fmt.Errorf("without -p %s", m.Module)
		}
		i, err := ports(m.Values[0], ":")
		return one(port, i, err)
	case "conntrack--ctstate":
		return states(m.Values[0])
	case "addrtype--src-type", "addrtype--dst-type":
		if m.Values[0] != "LOCAL" {
			return nil, fmt.Errorf("%s is not known", m.Values[0])
		}
		return isLocal(m.Option == "--src-type", false), nil
	case "statistic--mode":
		if m.Values[0] != "random" {
			return nil, fmt.Errorf("%s is not known", m.Values[0])
		}
		return nil, nil
	case "statistic--probability":
		return probability(m.Values[0])
	case "mark--mark":
		value, mask, err := text.MarkAndMask(m.Values[0])
		return func(m *machine) bool { return m.mark&mask == value }, err
	case "set--match-set":
		return r.inSet(m.Values[0], m.Values[1])
	case "ipvs--ipvs", "ipvs--vaddr", "ipvs--vproto", "ipvs--vport":
		return r.ofIPVS(m)
	case "physdev--physdev-is-in":
		return (*machine).bridged, nil
	case "recent--set", "recent--rcheck":
		return r.recent(m, parsed)
	case "comment--comment", "nfacct--nfacct-name", "recent--seconds", "recent--reap", "recent--name", "recent--mask", "recent--rsource":
		return nil, nil
	}
	return nil, errors.New("it is not known")
}

// recent puts the client into a list, or looks it up there. Without --rsource, or under a
// mask, it would be another list.
func (r *xtRule) recent(m *text.Match, parsed *text.Rule) (statement, error) {
	name, mask := parsed.Value("--name"), parsed.Value("--mask")
	bySource := slices.ContainsFunc(parsed.Matches, func(m text.Match) bool { return m.Option == "--rsource" })
	if name == "" || !bySource || mask != "255.255.255.255" && mask != "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" {
		return nil, errors.New("a list without --name, --rsource and a whole --mask")
	}
	if r.affinities[name] == nil {
		r.affinities[name] = &affinity{name: name}
	}
	a := r.affinities[name]
	if m.Option == "--set" {
		return func(m *machine) bool { m.bind(a); return true }, nil
	}
	seconds, err := strconv.ParseUint(parsed.Value("--seconds"), 10, 32)
	if a.seconds != 0 && a.seconds != uint32(seconds) {
		err = errors.New("a list with two numbers of --seconds")
	}
	a.seconds = uint32(seconds)
	return func(m *machine) bool { return m.found(a) }, err
}

// states reads a list such as "RELATED,ESTABLISHED".
func states(list string) (statement, error) {
	var numbers []space.Number
	dnat := false
	for word := range strings.SplitSeq(strings.ToLower(list), ",") {
		s, known := nftStates[word]
		switch {
		case known:
			numbers = append(numbers, space.N(uint64(s)))
		case word == "dnat":
			dnat = true
		default:
			return nil, fmt.Errorf("the state %q is not known", word)
		}
	}
	set := space.Points(numbers...)
	return func(m *machine) bool {
		return !set.Empty() && m.packets.In(space.State, &set) || dnat && translated(m)
	}, nil
}

// probability draws and follows both outcomes; 1 and 0 are certain.
func probability(word string) (statement, error) {
	f, err := strconv.ParseFloat(word, 64)
	switch {
	case err != nil || f < 0 || f > 1:
		return nil, fmt.Errorf("%q is no probability", word)
	case f == 0 || f == 1:
		return func(*machine) bool { return f == 1 }, nil
	}
	parts := []float64{f, 1 - f}
	return func(m *machine) bool { return m.draws.Weighted(parts) == 0 }, nil
}

func (r *xtRule) target(t *text.Target) (statement, error) {
	decide := func(v verdict) statement {
		return func(m *machine) bool { m.decided = decision{verdict: v}; return true }
	}
	switch t.Name {
	case "ACCEPT":
		return decide(accept), nil
	case "DROP":
		return decide(drop), nil
	case "RETURN":
		return decide(giveBack), nil
	case "REJECT":
		if with := t.Value("--reject-with"); with != "icmp-port-unreachable" && with != "icmp6-port-unreachable" {
			return nil, fmt.Errorf("--reject-with %q is not known", with)
		}
		return decide(reject), nil
	case "MARK":
		value, mask, err := text.MarkAndMask(t.Value("--set-xmark"))
		return func(m *machine) bool { m.mark = m.mark&^mask ^ value; return true }, err
	case "MASQUERADE":
		return func(m *machine) bool { m.masqueraded, m.decided = true, decision{verdict: accept}; return true }, nil
	case "DNAT":
		to, err := netip.ParseAddrPort(t.Value("--to-destination"))
		if err == nil && (to.Addr().Is4() == r.rules.IPv6 || !r.ported) {
			err = fmt.Errorf("--to-destination %v of the other family, or without -p", to)
		}
		return func(m *machine) bool { m.redirect(to); return true }, err
	}
	c := r.chains[r.table][t.Name]
	if c == nil {
		return nil, fmt.Errorf("the target %s is not known", t.Name)
	}
	r.leads[r.in] = append(r.leads[r.in], c)
	v := jump
	if t.Goto {
		v = goTo
	}
	return func(m *machine) bool { m.decided = decision{v, c}; return true }, nil
}
