package random

// portsOrICMP adds toPorts or icmps to a rule.
func (g *generator) portsOrICMP(to object, deny bool) {
	if g.oneIn(5) {
		to["icmps"] = []any{object{"fields": some(g, func() object {
			return object{"family": pick(g, "IPv4", "IPv6"), "type": pick[any](g, 8, 128, 3, "EchoRequest")}
		})}}
		return
	}
	to["toPorts"] = some(g, func() object { return g.portRule(deny) })
}

func (g *generator) portRule(deny bool) object {
	if g.oneIn(20) {
		return object{} // matches nothing
	}
	out := object{"ports": some(g, g.port)}
	if deny || !g.oneIn(6) {
		return out
	}
	out["ports"] = []any{object{"port": pick(g, "80", "8080", "http"), "protocol": "TCP"}}
	out["rules"] = object{"http": pick(g, []any{object{}}, []any{object{"method": "GET", "path": "/public"}})}
	return out
}

// port makes a port, a range or a name. Ranges of names and those from 0 are decided
// otherwise.
func (g *generator) port() object {
	out := object{"port": pick(g, "80", "8080", "53", "443", "0", "http", "dns", "1")}
	if g.oneIn(6) {
		out = object{"port": pick(g, "50", "80", "1024", "1"), "endPort": pick(g, 90, 8080, 65535)}
	}
	if p := pick(g, "TCP", "TCP", "UDP", "SCTP", "ANY", ""); p != "" {
		out["protocol"] = p
	}
	return out
}
