package live

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/internal/text/ipset"
	"github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/internal/text/quoted"
)

// Served reads frontends and endpoints from the chains of the nat table, and
// selected pods from the sets that lead to policy chains.
func (s *State) Served() backends.Served {
	var out backends.Served
	for i, family := range []tables{s.ipv4, s.ipv6} {
		if nat := family["nat"]; nat != nil {
			nat.frontends(unspecified(i == 1), &out)
		}
	}
	s.Refused(&out)
	s.pods(&out)
	out.Normalize()
	return out
}

// frontends finds rules that match an address (or any, for nodePorts), a protocol
// and a port, and collects the endpoints that are reachable from there.
func (t *table) frontends(any string, out *backends.Served) {
	for _, chain := range sortedKeys(t.chains) {
		for _, line := range t.chains[chain] {
			r := readRule(line)
			port := r.Value("--dport")
			// A port range only leads to further rules, which match single ports.
			if port == "" || strings.Contains(port, ":") || !ours(r.Target.Name) {
				continue
			}
			f := backends.ServedFrontend{At: at(&r, any), Name: r.Value("--comment"), Via: r.Target.Name}
			t.reach(r.Target.Name, make(map[string]bool), &f.Endpoints)
			out.Frontends = append(out.Frontends, f)
		}
	}
}

// Refused adds the frontends without endpoints, which are in sets. The elements
// for nodePorts contain half of the address space each.
func (s *State) Refused(out *backends.Served) {
	for _, x := range []struct {
		does              string
		address, nodePort xtables.Role
	}{
		{backends.ServedReject, xtables.Rejected, xtables.RejectedNodePort},
		{backends.ServedDrop, xtables.Dropped, xtables.DroppedNodePort},
	} {
		var list []backends.ServedFrontend
		for _, role := range []xtables.Role{x.address, x.nodePort} {
			for _, set := range s.Sets(role) {
				for _, m := range set.Members {
					list = append(list, refusedAt(m, role == x.nodePort))
				}
			}
		}
		out.Refused(x.does, list...)
	}
}

// refusedAt parses an element such as "10.0.0.1,tcp:80".
func refusedAt(member string, anyAddress bool) backends.ServedFrontend {
	element, name := ipset.Named(member)
	host, rest, _ := strings.Cut(element, ",")
	protocol, port, _ := strings.Cut(rest, ":")
	ipv6 := strings.Contains(host, ":")
	if anyAddress {
		host = unspecified(ipv6)
	} else if ipv6 {
		host = "[" + host + "]"
	}
	return backends.ServedFrontend{At: host + ":" + port + "/" + protocol, Name: name}
}

// unspecified is the host in the place of a nodePort, which has several addresses.
func unspecified(ipv6 bool) string {
	if ipv6 {
		return "[::]"
	}
	return "0.0.0.0"
}

// reach collects the endpoints of a chain and of the chains it leads to.
func (t *table) reach(chain string, seen map[string]bool, endpoints *[]string) {
	if seen[chain] {
		return
	}
	seen[chain] = true
	for _, line := range t.chains[chain] {
		r := readRule(line)
		if to := r.Target.Value("--to-destination"); to != "" {
			*endpoints = append(*endpoints, to)
		}
		if ours(r.Target.Name) {
			t.reach(r.Target.Name, seen, endpoints)
		}
	}
}

// readRule parses a rule; it returns an empty rule if planec does not write such rules.
func readRule(line string) iptables.Rule {
	words, err := quoted.Split(line, quoted.Escaped)
	if err != nil || len(words) < 2 {
		return iptables.Rule{}
	}
	r, err := iptables.ParseRule(words[2:])
	if err != nil {
		return iptables.Rule{}
	}
	return r
}

// at returns the place that a rule matches: its address (or any), port and protocol.
func at(r *iptables.Rule, any string) string {
	host := cmp.Or(r.Value("-d"), any)
	if p, err := netip.ParsePrefix(host); err == nil {
		host = p.Addr().String()
		if p.Addr().Is6() {
			host = "[" + host + "]"
		}
	}
	return host + ":" + r.Value("--dport") + "/" + r.Value("-p")
}

// pods adds the addresses in the sets of selected pods. Their profiles are not
// reported, because only a walk through the chains would find them.
func (s *State) pods(out *backends.Served) {
	found := make(map[string]*backends.ServedPod)
	for _, role := range []xtables.Role{xtables.IngressPods, xtables.EgressPods} {
		for _, set := range s.Sets(role) {
			for _, m := range set.Members {
				address, name := ipset.Named(m)
				p := found[address]
				if p == nil {
					p = &backends.ServedPod{Address: address}
					found[address] = p
				}
				p.Name = cmp.Or(name, p.Name)
				if role == xtables.IngressPods {
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
