package irtest

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
)

// header is the first line of the text form (ir.Program.Text).
const header = "planec-ir 1"

// ParseText parses the text form of a program ([ir.Program.Text]), so that tests
// can show that the text is complete. The result satisfies [ir.Verify] only if the
// original program did.
func ParseText(text []byte) (*ir.Program, error) {
	r := textReader{program: &ir.Program{}}
	for i, line := range strings.Split(string(text), "\n") {
		if err := r.line(line); err != nil {
			return nil, fmt.Errorf("program text, line %d: %w", i+1, err)
		}
	}
	if !r.begun {
		return nil, fmt.Errorf("program text: the first line is not %q", header)
	}
	return r.program, nil
}

// textReader holds the program so far and the item that indented lines belong to.
type textReader struct {
	program *ir.Program
	begun   bool
	item    string
	// direction is the direction of the profile's last tier.
	direction ir.Direction
}

func (r *textReader) line(line string) error {
	if !r.begun {
		if line != header {
			return fmt.Errorf("want %q", header)
		}
		r.begun = true
		return nil
	}
	w, err := splitWords(line)
	if err != nil || len(w.words) == 0 {
		return err
	}
	word := w.next()
	if !strings.HasPrefix(line, "  ") {
		r.item = word
		err = r.begin(word, w)
	} else {
		err = r.fact(word, w)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", word, err)
	}
	return w.end(word)
}

// begin starts an item.
func (r *textReader) begin(word string, w *words) error {
	p := r.program
	switch word {
	case "node":
		p.Node.Name = w.next()
	case "masquerade":
	case "cluster-ip":
		p.ClusterIPs = append(p.ClusterIPs, w.addr())
	case "health-check":
		p.HealthChecks = append(p.HealthChecks, ir.HealthCheck{Namespace: w.next(), Name: w.next(), Family: text[ir.Family](w)})
	case "frontend":
		p.Frontends = append(p.Frontends, ir.Frontend{ID: w.next()})
	case "pool":
		p.Pools = append(p.Pools, ir.Pool{ID: w.next()})
	case "on-deny":
		p.Policy.OnDeny = text[ir.Refusal](w)
	case "on-redirect":
		p.Policy.OnRedirect = text[ir.Action](w)
	case "address-set":
		p.Policy.AddressSets = append(p.Policy.AddressSets, ir.AddressSet{ID: w.next()})
	case "peer":
		p.Policy.Peers = append(p.Policy.Peers, ir.Peer{Address: w.addr(), Namespace: w.next(), Name: w.next()})
	case "profile":
		p.Policy.Profiles = append(p.Policy.Profiles, ir.Profile{ID: w.next()})
	default:
		return fmt.Errorf("unknown item")
	}
	return w.err
}

// fact parses an indented line of the current item.
func (r *textReader) fact(word string, w *words) error {
	p := r.program
	known := false
	switch r.item {
	case "node":
		known = nodeFact(&p.Node, word, w)
	case "masquerade":
		known = masqueradeFact(&p.Masquerade, word, w)
	case "health-check":
		known = healthCheckFact(&p.HealthChecks[len(p.HealthChecks)-1], word, w)
	case "frontend":
		known = frontendFact(&p.Frontends[len(p.Frontends)-1], word, w)
	case "pool":
		known = poolFact(&p.Pools[len(p.Pools)-1], word, w)
	case "address-set":
		known = addressSetFact(&p.Policy.AddressSets[len(p.Policy.AddressSets)-1], word, w)
	case "profile":
		known = r.profileFact(&p.Policy.Profiles[len(p.Policy.Profiles)-1], word, w)
	}
	if !known {
		return fmt.Errorf("unknown fact of %s", r.item)
	}
	return w.err
}

func nodeFact(n *ir.Node, word string, w *words) bool {
	switch word {
	case "address":
		n.Addresses = append(n.Addresses, w.addr())
	case "nodeport-address":
		n.NodePorts.Addresses = append(n.NodePorts.Addresses, w.addr())
	case "nodeport-prefix":
		n.NodePorts.Prefixes = append(n.NodePorts.Prefixes, w.prefix())
	case "local":
		n.Local.Mode = text[ir.DetectMode](w)
		if n.Local.Mode == ir.DetectInterface || n.Local.Mode == ir.DetectInterfacePrefix {
			n.Local.Interface = w.next()
		}
	case "local-cidr":
		n.Local.CIDRs = append(n.Local.CIDRs, w.prefix())
	case "service-cidr":
		n.ServiceCIDRs = append(n.ServiceCIDRs, w.prefix())
	case "drop-invalid":
		n.DropInvalid = true
	default:
		return false
	}
	return true
}

func masqueradeFact(m *ir.Masquerade, word string, w *words) bool {
	switch word {
	case "family":
		m.Families = append(m.Families, text[ir.Family](w))
	case "exclude":
		m.Exclude = append(m.Exclude, w.prefix())
	case "origin":
		m.Origin = w.origin()
	default:
		return false
	}
	return true
}

func healthCheckFact(h *ir.HealthCheck, word string, w *words) bool {
	switch word {
	case "port":
		h.Port = uint16(w.number(16))
	case "local-endpoints":
		h.LocalEndpoints = int(w.number(31))
	case "origin":
		h.Origin = w.origin()
	default:
		return false
	}
	return true
}

func frontendFact(f *ir.Frontend, word string, w *words) bool {
	switch word {
	case "kind":
		f.Kind = text[ir.FrontendKind](w)
	case "service":
		f.Service = ir.ServicePort{Namespace: w.next(), Name: w.next(), Port: w.next(), Protocol: text[ir.Protocol](w)}
	case "match":
		f.Match = w.match()
	case "source-range":
		f.SourceRanges = append(f.SourceRanges, w.prefix())
	case "elsewhere":
		f.Elsewhere = true
	case "lasting":
		f.Lasting = append(f.Lasting, w.addrPort())
	case "affinity":
		f.Affinity = uint32(w.number(32))
	case "route":
		side := w.next()
		route := ir.Route{Pool: w.next(), Masquerade: text[ir.MasqueradeRule](w), OnEmpty: text[ir.Refusal](w)}
		if side == "both" || side == "internal" {
			f.Internal = route
		}
		if side == "both" || side == "external" {
			f.External = route
		}
		return side == "both" || side == "internal" || side == "external"
	case "origin":
		f.Origin = w.sharedOrigin()
	default:
		return false
	}
	return true
}

func poolFact(p *ir.Pool, word string, w *words) bool {
	switch word {
	case "endpoint":
		e := ir.Endpoint{Address: w.addrPort()}
		place := w.next()
		e.Local = place == "local"
		e.Weight = uint16(w.number(16))
		if len(w.words) > 0 {
			e.SetOrigin(w.origin())
		}
		p.Endpoints = append(p.Endpoints, e)
		return place == "local" || place == "remote"
	case "origin":
		p.Origin = w.sharedOrigin()
	default:
		return false
	}
	return true
}

// words are the remaining words of a line; the first error is kept.
type words struct {
	words []string
	err   error
}

// splitWords splits at spaces; a quoted word may contain any character.
func splitWords(line string) (*words, error) {
	w := &words{}
	for rest := strings.TrimLeft(line, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		if rest[0] != '"' {
			word, tail, _ := strings.Cut(rest, " ")
			w.words, rest = append(w.words, word), tail
			continue
		}
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return nil, fmt.Errorf("a quote is not closed")
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, fmt.Errorf("unquoting: %w", err)
		}
		w.words, rest = append(w.words, word), rest[len(quoted):]
	}
	return w, nil
}

func (w *words) fail(err error) {
	if w.err == nil && err != nil {
		w.err = err
	}
}

func (w *words) next() string {
	if len(w.words) == 0 {
		w.fail(fmt.Errorf("a word is missing"))
		return ""
	}
	word := w.words[0]
	w.words = w.words[1:]
	return word
}

func (w *words) end(word string) error {
	if len(w.words) > 0 {
		return fmt.Errorf("%s: %d words too many", word, len(w.words))
	}
	return nil
}

func (w *words) addr() netip.Addr {
	a, err := netip.ParseAddr(w.next())
	w.fail(err)
	return a
}

func (w *words) addrPort() netip.AddrPort {
	a, err := netip.ParseAddrPort(w.next())
	w.fail(err)
	return a
}

func (w *words) prefix() netip.Prefix {
	p, err := netip.ParsePrefix(w.next())
	w.fail(err)
	return p
}

func (w *words) number(bits int) uint64 {
	n, err := strconv.ParseUint(w.next(), 10, bits)
	w.fail(err)
	return n
}

func (w *words) match() ir.Match {
	m := ir.Match{Family: text[ir.Family](w)}
	if len(w.words) > 0 && w.words[0] == "node" {
		w.next()
	} else {
		m.Address = w.addr()
	}
	m.Protocol = text[ir.Protocol](w)
	m.Port = uint16(w.number(16))
	return m
}

func (w *words) sharedOrigin() ir.SharedOrigin {
	o := w.origin()
	return ir.Share(&o)
}

func (w *words) origin() ir.Origin {
	return ir.Origin{
		Kind: w.next(), Namespace: w.next(), Name: w.next(), Path: w.next(), File: w.next(),
		Line: int(w.number(31)),
	}
}

// text parses a word into a value with UnmarshalText.
func text[T any, P interface {
	*T
	UnmarshalText([]byte) error
}](w *words) T {
	var v T
	w.fail(P(&v).UnmarshalText([]byte(w.next())))
	return v
}

func addressSetFact(s *ir.AddressSet, word string, w *words) bool {
	switch word {
	case "address":
		s.Addresses = append(s.Addresses, w.addr())
	case "prefix":
		s.Prefixes = append(s.Prefixes, w.prefix())
	case "except":
		s.Except = append(s.Except, w.prefix())
	case "domain":
		s.Domains = append(s.Domains, w.next())
	case "own-node":
		s.OwnNode = true
	default:
		return false
	}
	return true
}

func (r *textReader) profileFact(p *ir.Profile, word string, w *words) bool {
	switch word {
	case "pod":
		pod := ir.Pod{Namespace: w.next(), Name: w.next()}
		for len(w.words) > 0 {
			pod.Addresses = append(pod.Addresses, w.addr())
		}
		p.Pods = append(p.Pods, pod)
		return true
	case "node":
		p.Node = true
		return true
	case "tier":
		return r.tier(p, w)
	}
	tiers := p.Tiers(r.direction)
	if len(tiers) == 0 {
		return false
	}
	return tierFact(&tiers[len(tiers)-1], word, w)
}

func (r *textReader) tier(p *ir.Profile, w *words) bool {
	name := w.next()
	at := slices.IndexFunc(ir.Directions(), func(d ir.Direction) bool { return d.String() == name })
	if at < 0 {
		w.fail(fmt.Errorf("direction %q", name))
		return true
	}
	r.direction = ir.Directions()[at]
	t := ir.Tier{Kind: text[ir.TierKind](w), Default: text[ir.Action](w)}
	if len(w.words) > 0 {
		t.Name = w.next()
	}
	if r.direction == ir.Ingress {
		p.Ingress = append(p.Ingress, t)
	} else {
		p.Egress = append(p.Egress, t)
	}
	return true
}

func tierFact(t *ir.Tier, word string, w *words) bool {
	switch word {
	case "isolated-by":
		t.Isolating = append(t.Isolating, w.origin())
		return true
	case "rule":
		r := ir.Rule{Action: text[ir.Action](w), Name: w.next()}
		if len(w.words) > 0 {
			r.Origin = w.origin()
		}
		t.Rules = append(t.Rules, r)
		return true
	}
	if len(t.Rules) == 0 {
		t.OwnNode = t.OwnNode || word == "own-node"
		return word == "own-node"
	}
	r := &t.Rules[len(t.Rules)-1]
	switch word {
	case "any-peer":
		r.AnyPeer = true
	case "peer":
		r.Peers = append(r.Peers, w.next())
	case "any-port":
		r.AnyPort = true
	case "not-peer":
		r.NotPeers = append(r.NotPeers, w.next())
	case "port":
		r.Ports = append(r.Ports, w.ports())
	case "not-port":
		r.NotPorts = append(r.NotPorts, w.ports())
	case "source-port":
		r.SourcePorts = append(r.SourcePorts, w.ports())
	case "own-node":
		r.OwnNode = true
	case "prefix":
		r.Prefix = w.next()
	case "payload":
		r.Payload = w.next()
	default:
		return false
	}
	return true
}

func (w *words) ports() ir.PortRange {
	return ir.PortRange{Protocol: text[ir.Protocol](w), First: uint16(w.number(16)), Last: uint16(w.number(16))}
}
