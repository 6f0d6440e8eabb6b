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
