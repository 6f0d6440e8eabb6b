package ir

import "strconv"

func (w *textWriter) policy(p *Policy) {
	if p.OnDeny != 0 {
		w.line("\non-deny", p.OnDeny.String())
	}
	for i := range p.Profiles {
		w.profile(&p.Profiles[i])
	}
	for i := range p.AddressSets {
		s := &p.AddressSets[i]
		w.line("\naddress-set", quote(s.ID))
		for _, a := range s.Addresses {
			w.fact("address", a.String())
		}
		w.prefixes("prefix", s.Prefixes)
		w.prefixes("except", s.Except)
	}
	if len(p.Peers) > 0 {
		w.WriteByte('\n')
	}
	for _, peer := range p.Peers {
		w.line("peer", peer.Address.String(), quote(peer.Namespace), quote(peer.Name))
	}
}

func (w *textWriter) profile(p *Profile) {
	w.line("\nprofile", quote(p.ID))
	for _, pod := range p.Pods {
		words := []string{"pod", quote(pod.Namespace), quote(pod.Name)}
		for _, a := range pod.Addresses {
			words = append(words, a.String())
		}
		w.fact(words...)
	}
	for _, d := range Directions() {
		for i := range p.Tiers(d) {
			w.tier(d, &p.Tiers(d)[i])
		}
	}
}

func (w *textWriter) tier(d Direction, t *Tier) {
	w.fact("tier", d.String(), t.Kind.String(), t.Default.String())
	for _, o := range t.Isolating {
		w.fact(append([]string{"  isolated-by"}, originWords(o)...)...)
	}
	for i := range t.Rules {
		r := &t.Rules[i]
		words := append([]string{"  rule", r.Action.String(), quote(r.Name)}, originWords(r.Origin)...)
		w.fact(words...)
		if r.AnyPeer {
			w.fact("    any-peer")
		}
		for _, id := range r.Peers {
			w.fact("    peer", quote(id))
		}
		if r.AnyPort {
			w.fact("    any-port")
		}
		for _, ports := range r.Ports {
			w.fact("    port", ports.Protocol.String(), strconv.Itoa(int(ports.First)), strconv.Itoa(int(ports.Last)))
		}
	}
}

func addressSetFact(s *AddressSet, word string, w *words) bool {
	switch word {
	case "address":
		s.Addresses = append(s.Addresses, w.addr())
	case "prefix":
		s.Prefixes = append(s.Prefixes, w.prefix())
	case "except":
		s.Except = append(s.Except, w.prefix())
	default:
		return false
	}
	return true
}

func (r *textReader) profileFact(p *Profile, word string, w *words) bool {
	switch word {
	case "pod":
		pod := Pod{Namespace: w.next(), Name: w.next()}
		for len(w.words) > 0 {
			pod.Addresses = append(pod.Addresses, w.addr())
		}
		p.Pods = append(p.Pods, pod)
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

func (r *textReader) tier(p *Profile, w *words) bool {
	w.fail(parseEnum(&r.direction, w.next(), "direction", Directions()))
	t := Tier{Kind: text[TierKind](w), Default: text[Action](w)}
	if r.direction == Ingress {
		p.Ingress = append(p.Ingress, t)
	} else {
		p.Egress = append(p.Egress, t)
	}
	return true
}

func tierFact(t *Tier, word string, w *words) bool {
	switch word {
	case "isolated-by":
		t.Isolating = append(t.Isolating, w.origin())
		return true
	case "rule":
		r := Rule{Action: text[Action](w), Name: w.next()}
		if len(w.words) > 0 {
			r.Origin = w.origin()
		}
		t.Rules = append(t.Rules, r)
		return true
	}
	if len(t.Rules) == 0 {
		return false
	}
	r := &t.Rules[len(t.Rules)-1]
	switch word {
	case "any-peer":
		r.AnyPeer = true
	case "peer":
		r.Peers = append(r.Peers, w.next())
	case "any-port":
		r.AnyPort = true
	case "port":
		r.Ports = append(r.Ports, PortRange{
			Protocol: text[Protocol](w), First: uint16(w.number(16)), Last: uint16(w.number(16)),
		})
	default:
		return false
	}
	return true
}
