package live

import (
	"net/netip"
	"strings"

	"github.com/planec/planec/backends"
)

// Served reads frontends and endpoints from the chains of the nat table, and
// policed pods from the sets that send packets to policies' chains.
func (s *State) Served() backends.Served {
	var out backends.Served
	for _, f := range []struct {
		tables
		any string
	}{{s.ipv4, "0.0.0.0"}, {s.ipv6, "[::]"}} {
		if nat := f.tables["nat"]; nat != nil {
			nat.frontends(f.any, &out)
		}
	}
	s.refused(&out)
	s.pods(&out)
	out.Normalize()
	return out
}

// frontends finds the rules that send an address (or any, for nodePorts), a protocol
// and a port somewhere, and the endpoints that can be reached from there.
func (t *table) frontends(any string, out *backends.Served) {
	for _, chain := range sortedKeys(t.chains) {
		for _, line := range t.chains[chain] {
			r := readRule(line)
			// A range of ports only leads to rules for one.
			if r.port == "" || strings.Contains(r.port, ":") || !strings.HasPrefix(r.target, chainPrefix) {
				continue
			}
			f := backends.ServedFrontend{At: r.at(any), Name: r.comment, Via: r.target}
			t.reach(r.target, make(map[string]bool), &f.Endpoints)
			out.Frontends = append(out.Frontends, f)
		}
	}
}

// refused reads the sets of frontends without endpoints.
func (s *State) refused(out *backends.Served) {
	for _, does := range []string{backends.ServedReject, backends.ServedDrop} {
		var list []backends.ServedFrontend
		for _, to := range []string{"", "-internal"} {
			for family, any := range map[string]string{"4": "0.0.0.0", "6": "[::]"} {
				for _, m := range s.Members(setPrefix + does + to + "-" + family) {
					list = append(list, refusedAt(m, ""))
				}
				for _, m := range s.Members(setPrefix + "np-" + does + to + "-" + family) {
					list = append(list, refusedAt(m, any))
				}
			}
		}
		out.Refused(does, list...)
	}
}

// refusedAt reads an element, "10.0.0.1,tcp:80" or, of a nodePort, the same with half
// of all addresses.
func refusedAt(member, any string) backends.ServedFrontend {
	words := splitQuoted(member)
	host, rest, _ := strings.Cut(words[0], ",")
	protocol, port, _ := strings.Cut(rest, ":")
	switch {
	case any != "":
		host = any
	case strings.Contains(host, ":"):
		host = "[" + host + "]"
	}
	f := backends.ServedFrontend{At: host + ":" + port + "/" + protocol}
	if len(words) == 3 && words[1] == "comment" {
		f.Name = words[2]
	}
	return f
}

// reach collects the endpoints of a chain and of those it leads to.
func (t *table) reach(chain string, seen map[string]bool, endpoints *[]string) {
	if seen[chain] {
		return
	}
	seen[chain] = true
	for _, line := range t.chains[chain] {
		r := readRule(line)
		if r.to != "" {
			*endpoints = append(*endpoints, r.to)
		}
		if strings.HasPrefix(r.target, chainPrefix) {
			t.reach(r.target, seen, endpoints)
		}
	}
}

// rule is what is shown of a line of iptables-save.
type rule struct{ dst, protocol, port, target, to, comment string }

// readRule reads the words of a rule; those of a comment are one.
func readRule(line string) rule {
	var r rule
	last := ""
	for _, w := range splitQuoted(line) {
		switch last {
		case "-d":
			r.dst = w
		case "-p":
			r.protocol = w
		case "--dport":
			r.port = w
		case "-j", "-g":
			r.target = w
		case "--to-destination":
			r.to = w
		case "--comment":
			r.comment = w
		}
		last = w
	}
	return r
}

// splitQuoted splits at blanks that are not between quotes, which go.
func splitQuoted(line string) []string {
	var out []string
	quoted := false
	for _, w := range strings.FieldsFunc(line, func(c rune) bool {
		if c == '"' {
			quoted = !quoted
		}
		return c == ' ' && !quoted
	}) {
		out = append(out, strings.Trim(w, `"`))
	}
	return out
}

func (r rule) at(any string) string {
	host := any
	if p, err := netip.ParsePrefix(r.dst); err == nil {
		host = p.Addr().String()
		if p.Addr().Is6() {
			host = "[" + host + "]"
		}
	} else if r.dst != "" {
		host = r.dst
	}
	return host + ":" + r.port + "/" + r.protocol
}

// pods are the addresses in the sets of policed pods; which profile is theirs the
// chains decide one after the other.
func (s *State) pods(out *backends.Served) {
	found := make(map[string]*backends.ServedPod)
	for _, family := range []string{"4", "6"} {
		for _, d := range []string{"ingress", "egress"} {
			for _, m := range s.Members(setPrefix + d + "-pods-" + family) {
				words := splitQuoted(m)
				p := found[words[0]]
				if p == nil {
					p = &backends.ServedPod{Address: words[0]}
					found[words[0]] = p
				}
				if len(words) == 3 && words[1] == "comment" {
					p.Name = words[2]
				}
				if d == "ingress" {
					p.Ingress = "judged"
				} else {
					p.Egress = "judged"
				}
			}
		}
	}
	for _, p := range found {
		out.Pods = append(out.Pods, *p)
	}
}
