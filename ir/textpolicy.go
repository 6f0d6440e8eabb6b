package ir

import "strconv"

func (w *textWriter) policy(p *Policy) {
	if p.OnDeny != 0 {
		w.line("\non-deny", p.OnDeny.String())
	}
	if p.OnRedirect != 0 {
		w.line("on-redirect", p.OnRedirect.String())
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
		for _, d := range s.Domains {
			w.fact("domain", quote(d))
		}
		if s.OwnNode {
			w.fact("own-node")
		}
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
	if p.Node {
		w.fact("node")
	}
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
	words := []string{"tier", d.String(), t.Kind.String(), t.Default.String()}
	if t.Name != "" {
		words = append(words, quote(t.Name))
	}
	w.fact(words...)
	for _, o := range t.Isolating {
		w.fact(append([]string{"  isolated-by"}, originWords(o)...)...)
	}
	if t.OwnNode {
		w.fact("  own-node")
	}
	for i := range t.Rules {
		w.rule(&t.Rules[i])
	}
}

func (w *textWriter) rule(r *Rule) {
	w.fact(append([]string{"  rule", r.Action.String(), quote(r.Name)}, originWords(r.Origin)...)...)
	if r.AnyPeer {
		w.fact("    any-peer")
	}
	for _, id := range r.Peers {
		w.fact("    peer", quote(id))
	}
	for _, id := range r.NotPeers {
		w.fact("    not-peer", quote(id))
	}
	if r.AnyPort {
		w.fact("    any-port")
	}
	w.ports("    port", r.Ports)
	w.ports("    not-port", r.NotPorts)
	w.ports("    source-port", r.SourcePorts)
	if r.OwnNode {
		w.fact("    own-node")
	}
	if r.Prefix != "" {
		w.fact("    prefix", quote(r.Prefix))
	}
	if r.Payload != "" {
		w.fact("    payload", quote(r.Payload))
	}
}

func (w *textWriter) ports(word string, list []PortRange) {
	for _, ports := range list {
		w.fact(word, ports.Protocol.String(), strconv.Itoa(int(ports.First)), strconv.Itoa(int(ports.Last)))
	}
}
