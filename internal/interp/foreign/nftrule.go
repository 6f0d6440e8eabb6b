package foreign

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/internal/text/nftlist"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// nftRule reads one rule.
type nftRule struct {
	*nftTable
	in    *chain
	line  int
	words []string
	at    int
}

// rule returns a rule; one that is not understood ends with a statement that says so.
func (n *nftTable) rule(in *chain, r *nftlist.Rule) rule {
	out := rule{line: r.Line, text: strings.Join(r.Words, " ")}
	p := &nftRule{nftTable: n, in: in, line: r.Line, words: r.Words}
	for p.at < len(p.words) {
		s, err := p.statement()
		if err == nil && p.at > len(p.words) {
			err = fmt.Errorf("it ends too early")
		}
		if err != nil {
			out.statements = append(out.statements, n.rules.opaque(r.Line, out.text, err))
			break
		}
		if s != nil {
			out.statements = append(out.statements, s)
		}
	}
	return out
}

func (p *nftRule) peek() string {
	if p.at < len(p.words) {
		return p.words[p.at]
	}
	return ""
}

func (p *nftRule) next() string {
	w := p.peek()
	p.at++
	return w
}

// accept takes the words if they come next.
func (p *nftRule) accept(list ...string) bool {
	if p.at+len(list) > len(p.words) || !slices.Equal(p.words[p.at:p.at+len(list)], list) {
		return false
	}
	p.at += len(list)
	return true
}

// number reads an unsigned number of 32 bits.
func (p *nftRule) number() (uint32, error) {
	n, err := strconv.ParseUint(p.next(), 0, 32)
	return uint32(n), err
}

// statement reads one statement; nil does nothing.
func (p *nftRule) statement() (statement, error) {
	switch p.peek() {
	case "counter":
		return nil, p.counter()
	case "comment":
		p.at += 2
		return nil, nil
	case "accept", "drop", "return", "jump", "goto", "continue":
		return p.decide()
	case "reject":
		return p.reject()
	case "masquerade":
		return p.masquerade()
	case "dnat":
		return p.dnat()
	case "update", "add":
		return p.update()
	case "ct":
		return p.conntrack()
	case "fib":
		return p.fib()
	case "numgen":
		return p.randomVerdict()
	}
	if p.accept("meta", "mark") || p.accept("mark") {
		return p.mark()
	}
	return p.match()
}

func (p *nftRule) counter() error {
	p.next()
	switch {
	case p.accept("name"):
		p.next()
	case p.accept("packets"):
		p.at += 3
	}
	return nil
}

func (p *nftRule) decide() (statement, error) {
	words := []string{p.next()}
	if words[0] == "jump" || words[0] == "goto" {
		words = append(words, p.next())
	}
	d, err := p.verdict(words)
	if err == nil && p.peek() != "" && p.peek() != "comment" {
		err = fmt.Errorf("%q after a verdict", p.peek())
	}
	if d.chain != nil {
		p.leads[p.in] = append(p.leads[p.in], d.chain)
	}
	return func(m *machine) bool { m.decided = d; return true }, err
}

// reject reads "reject", with port unreachable, which is what nft takes for none.
func (p *nftRule) reject() (statement, error) {
	p.next()
	if p.accept("with") && !p.accept("icmp", "port-unreachable") && !p.accept("icmpv6", "port-unreachable") && !p.accept("icmpx", "port-unreachable") {
		return nil, fmt.Errorf("reject with %q is not known", p.peek())
	}
	return func(m *machine) bool { m.decided = decision{verdict: reject}; return true }, nil
}

func (p *nftRule) masquerade() (statement, error) {
	p.next()
	for p.accept("fully-random") || p.accept("random") || p.accept("persistent") || p.accept(",") {
	}
	return func(m *machine) bool {
		m.masqueraded, m.decided = true, decision{verdict: accept}
		return true
	}, nil
}

// dnat reads "dnat [ip] [addr . port] to ADDR:PORT" and "... to numgen random mod N map {...}".
func (p *nftRule) dnat() (statement, error) {
	p.next()
	_ = p.accept("ip") || p.accept("ip6")
	p.accept("addr", ".", "port")
	if !p.accept("to") {
		return nil, fmt.Errorf("want \"to\", got %q", p.peek())
	}
	if p.peek() != "numgen" {
		to, err := netip.ParseAddrPort(p.next())
		if err == nil && to.Addr().Is4() == p.ipv6 {
			err = fmt.Errorf("%v is of the other family", to)
		}
		return func(m *machine) bool { m.redirect(to); return true }, err
	}
	of, list, err := p.draw("map")
	if err != nil {
		return nil, err
	}
	to := make([]netip.AddrPort, of)
	for i, data := range list {
		if len(data) != 3 || data[1] != "." {
			return nil, fmt.Errorf("%q is no address with a port", data)
		}
		addr, err := netip.ParseAddr(data[0])
		port, err2 := strconv.ParseUint(data[2], 10, 16)
		if err != nil || err2 != nil || addr.Is4() == p.ipv6 {
			return nil, fmt.Errorf("%q is no address with a port", data)
		}
		to[i] = netip.AddrPortFrom(addr, uint16(port))
	}
	return func(m *machine) bool { m.redirect(to[m.draws.Random(of)]); return true }, nil
}

// draw reads "numgen random mod N map|vmap { 0 : DATA, ... }", with data for each number.
func (p *nftRule) draw(kind string) (of uint32, data [][]string, err error) {
	if !p.accept("numgen", "random", "mod") {
		return 0, nil, fmt.Errorf("%q is not known", p.peek())
	}
	if of, err = p.number(); err != nil {
		return 0, nil, err
	}
	if !p.accept(kind) {
		return 0, nil, fmt.Errorf("want %s, got %q", kind, p.peek())
	}
	list, err := p.braces()
	if err != nil {
		return 0, nil, err
	}
	if int(of) != len(list) || of == 0 {
		return 0, nil, fmt.Errorf("%d numbers are drawn, %d are listed", of, len(list))
	}
	data = make([][]string, of)
	for _, e := range list {
		n, err := strconv.ParseUint(strings.Join(e.Key, " "), 10, 32)
		if err != nil || n >= uint64(of) || data[n] != nil || e.Data == nil {
			return 0, nil, fmt.Errorf("%q of %d numbers", e.Key, of)
		}
		data[n] = e.Data
	}
	return of, data, nil
}

func (p *nftRule) randomVerdict() (statement, error) {
	of, data, err := p.draw("vmap")
	if err != nil {
		return nil, err
	}
	to := make([]decision, of)
	for i, words := range data {
		if to[i], err = p.verdict(words); err != nil {
			return nil, err
		}
		if to[i].chain != nil {
			p.leads[p.in] = append(p.leads[p.in], to[i].chain)
		}
	}
	return func(m *machine) bool { m.decided = to[m.draws.Random(of)]; return true }, nil
}

// braces reads a set in braces.
func (p *nftRule) braces() ([]nftlist.Element, error) {
	if !p.accept("{") {
		return nil, fmt.Errorf("want {, got %q", p.peek())
	}
	end := slices.Index(p.words[p.at:], "}")
	if end < 0 {
		return nil, fmt.Errorf("a brace is not closed")
	}
	inside := p.words[p.at : p.at+end]
	p.at += end + 1
	return nftlist.Elements(p.line, inside)
}

// update reads "update @SET { ip saddr }".
func (p *nftRule) update() (statement, error) {
	p.next()
	name, _ := strings.CutPrefix(p.next(), "@")
	a := p.affinities[name]
	if a == nil {
		return nil, fmt.Errorf("no set of clients %q", name)
	}
	if !p.accept("{", p.ip(), "saddr", "}") {
		return nil, fmt.Errorf("an element of %q is not known", p.peek())
	}
	return func(m *machine) bool { m.bind(a); return true }, nil
}

func (p *nftRule) ip() string {
	if p.ipv6 {
		return "ip6"
	}
	return "ip"
}

var nftStates = map[string]eval.State{"new": eval.FirstPacket, "established": eval.Established, "related": eval.Related, "invalid": eval.Invalid}

// conntrack reads "ct state LIST" and "ct status dnat".
func (p *nftRule) conntrack() (statement, error) {
	if p.accept("ct", "status", "dnat") {
		return translated, nil
	}
	if !p.accept("ct", "state") {
		return nil, fmt.Errorf("%q of conntrack is not known", p.words[p.at:])
	}
	var states []space.Number
	for braces, more := p.accept("{"), true; more; {
		s, known := nftStates[p.next()]
		if !known {
			return nil, fmt.Errorf("a state of conntrack is not known")
		}
		states = append(states, space.N(uint64(s)))
		if more = p.accept(","); !more && braces && !p.accept("}") {
			return nil, fmt.Errorf("a brace is not closed")
		}
	}
	return within(func(*machine) space.Value { return space.State.Value() }, space.Points(states...), false), nil
}

// translated reports whether the destination was replaced; a known connection may be such a
// one or not.
func translated(m *machine) bool {
	known := space.Points(space.N(uint64(eval.Established)), space.N(uint64(eval.Related)))
	return m.dnated || m.packets.In(space.State, &known) && m.draws.Random(2) == 1
}

// fib reads "fib saddr|daddr type [!=] local".
func (p *nftRule) fib() (statement, error) {
	source := p.accept("fib", "saddr", "type")
	if !source && !p.accept("fib", "daddr", "type") {
		return nil, fmt.Errorf("this look-up of fib is not known")
	}
	negated := p.accept("!=")
	if !p.accept("local") {
		return nil, fmt.Errorf("the type %q of addresses is not known", p.peek())
	}
	return isLocal(source, negated), nil
}

func isLocal(source, negated bool) statement {
	return func(m *machine) bool {
		addr := m.dst
		if source {
			addr = m.src
		}
		// The node sends only from its own addresses.
		return (source && m.fromNode() || m.local(addr)) != negated
	}
}

// mark reads "meta mark set meta mark | N", and others of its kind; "meta mark & N != N".
func (p *nftRule) mark() (statement, error) {
	if p.accept("set") {
		return p.setMark()
	}
	mask := ^uint32(0)
	if p.accept("&") || p.accept("and") {
		var err error
		if mask, err = p.number(); err != nil {
			return nil, err
		}
	}
	negated := p.accept("!=")
	p.accept("==")
	value, err := p.number()
	return func(m *machine) bool { return (m.mark&mask == value) != negated }, err
}

func (p *nftRule) setMark() (statement, error) {
	if !p.accept("meta", "mark") && !p.accept("mark") {
		n, err := p.number()
		return func(m *machine) bool { m.mark = n; return true }, err
	}
	operator := p.next()
	n, err := p.number()
	set := map[string]func(uint32) uint32{
		"|": func(old uint32) uint32 { return old | n }, "^": func(old uint32) uint32 { return old ^ n }, "&": func(old uint32) uint32 { return old & n },
	}
	set["or"], set["xor"], set["and"] = set["|"], set["^"], set["&"]
	do := set[operator]
	if err == nil && do == nil {
		err = fmt.Errorf("the operator %q is not known", operator)
	}
	return func(m *machine) bool { m.mark = do(m.mark); return true }, err
}

// part is a part of a key: a value of the packets, its type, and the protocol that the
// packets must have for the expression to be one.
type part struct {
	value func(*machine) space.Value
	kind  string
	of    ir.Protocol
}

func field(f space.Field) func(*machine) space.Value {
	return func(*machine) space.Value { return f.Value() }
}

// part reads one expression.
func (p *nftRule) part() (part, error) {
	destination := func(m *machine) space.Value { return m.dst }
	port := func(m *machine) space.Value { return m.port }
	switch {
	case p.accept(p.ip(), "saddr"):
		return part{func(m *machine) space.Value { return m.src }, p.addressType(), 0}, nil
	case p.accept(p.ip(), "daddr"):
		return part{destination, p.addressType(), 0}, nil
	case p.accept("meta", "l4proto"), !p.ipv6 && p.accept("ip", "protocol"):
		return part{field(space.Protocol), "inet_proto", 0}, nil
	case p.accept("th", "dport"):
		return part{port, "inet_service", anyProtocol}, nil
	case p.accept("tcp", "dport"):
		return part{port, "inet_service", ir.TCP}, nil
	case p.accept("udp", "dport"):
		return part{port, "inet_service", ir.UDP}, nil
	case p.accept("sctp", "dport"):
		return part{port, "inet_service", ir.SCTP}, nil
	case p.accept("iifname"), p.accept("meta", "iifname"):
		return part{(*machine).inInterface, "ifname", 0}, nil
	}
	return part{}, fmt.Errorf("%q is not known", p.peek())
}

// anyProtocol says that a part needs a protocol with ports, which another part must name.
const anyProtocol = ^ir.Protocol(0)

// key reads expressions with dots between them.
func (p *nftRule) key() (parts []part, types []string, err error) {
	for {
		one, err := p.part()
		if err != nil {
			return nil, nil, err
		}
		parts, types = append(parts, one), append(types, one.kind)
		if !p.accept(".") {
			break
		}
	}
	for _, one := range parts {
		if one.of == anyProtocol && !slices.Contains(types, "inet_proto") {
			return nil, nil, fmt.Errorf("a port without a protocol")
		}
	}
	return parts, types, nil
}

// match reads "KEY vmap @MAP" and "KEY [!=] @SET|{...}|VALUE".
func (p *nftRule) match() (statement, error) {
	parts, types, err := p.key()
	if err != nil {
		return nil, err
	}
	if p.accept("vmap") {
		return p.verdictMap(parts, types)
	}
	negated := p.accept("!=")
	p.accept("==")
	if name, is := strings.CutPrefix(p.peek(), "@"); is && p.affinities[name] != nil {
		p.next()
		a := p.affinities[name]
		if len(types) != 1 || types[0] != p.addressType() || negated || p.words[p.at-2] != "saddr" {
			return nil, fmt.Errorf("a look-up in a set of clients is not known")
		}
		return func(m *machine) bool { return m.found(a) }, nil
	}
	s, err := p.operand(types)
	if err != nil {
		return nil, err
	}
	if s.data != nil || !slices.Equal(s.types, types) {
		return nil, fmt.Errorf("the set has other types than %q", types)
	}
	return func(m *machine) bool {
		if !m.has(parts) {
			return false
		}
		_, found := s.table.Find(m.packets, m.key(parts)...)
		return found != negated
	}, nil
}

// operand reads what a key is compared with.
func (p *nftRule) operand(types []string) (*nftSet, error) {
	if name, is := strings.CutPrefix(p.peek(), "@"); is {
		p.next()
		if s := p.sets[name]; s != nil {
			return s, nil
		}
		return nil, fmt.Errorf("no set %q", name)
	}
	if p.peek() == "{" {
		list, err := p.braces()
		if err != nil {
			return nil, err
		}
		return p.fill(types, nil, list)
	}
	if len(types) != 1 {
		return nil, fmt.Errorf("%q is not known", p.peek())
	}
	return p.fill(types, nil, []nftlist.Element{{Line: p.line, Key: []string{p.next()}}})
}

func (p *nftRule) verdictMap(parts []part, types []string) (statement, error) {
	var s *nftSet
	if name, is := strings.CutPrefix(p.peek(), "@"); is {
		p.next()
		s = p.sets[name]
	} else {
		list, err := p.braces()
		if err == nil {
			s, err = p.fill(types, []string{"verdict"}, list)
		}
		if err != nil {
			return nil, err
		}
	}
	if s == nil || !slices.Equal(s.types, types) || !slices.Equal(s.data, []string{"verdict"}) {
		return nil, fmt.Errorf("no map of verdicts for %q", types)
	}
	for _, d := range s.decisions {
		if d.chain != nil {
			p.leads[p.in] = append(p.leads[p.in], d.chain)
		}
	}
	return func(m *machine) bool {
		if !m.has(parts) {
			return false
		}
		at, found := s.table.Find(m.packets, m.key(parts)...)
		if found {
			m.decided = s.decisions[at]
		}
		return found
	}, nil
}

// has reports whether the packets have what the parts of a key are read from.
func (m *machine) has(parts []part) bool {
	for _, one := range parts {
		if one.of != 0 && one.of != anyProtocol && !m.is(space.Protocol, uint64(one.of)) {
			return false
		}
	}
	return true
}

func (m *machine) key(parts []part) []space.Value {
	out := make([]space.Value, len(parts))
	for i := range parts {
		out[i] = parts[i].value(m)
	}
	return out
}
