package live

import (
	"bytes"
	"net"
	"net/netip"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/text/nft"
)

// Served reads frontends, endpoints and policed pods from the maps that packets
// use.
func (m *Model) Served() backends.Served {
	var s backends.Served
	for _, t := range m.Tables {
		t.frontends(&s)
		t.pods(&s)
	}
	s.Normalize()
	return s
}

// frontends reads the maps of frontends and all maps with endpoints.
func (t *Table) frontends(s *backends.Served) {
	endpoints := make(map[string][]string)
	for _, set := range t.Sets {
		if set.role != nftables.Endpoints && set.role != nftables.LargeEndpoints {
			continue
		}
		key, data := kindsOf(set.KeyType), kindsOf(set.DataType)
		for _, r := range set.Elems.all() {
			if at, ok := t.at(r, key); ok {
				endpoints[at] = append(endpoints[at], endpoint(values(r.data, data)))
			}
		}
	}
	for _, set := range t.Sets {
		if set.role != nftables.Frontends {
			continue
		}
		key := kindsOf(set.KeyType)
		for _, r := range set.Elems.all() {
			if at, ok := t.at(r, key); ok {
				s.Frontends = append(s.Frontends, backends.ServedFrontend{At: at, Name: r.comment(), Does: refusal(r.data), Via: string(chainOf(r.data)), Endpoints: endpoints[at]})
			}
		}
	}
}

// at formats the frontend in an element's key: "address . protocol . port", or
// without the address. An index or ID after it is ignored.
func (t *Table) at(r record, key []nft.Kind) (string, bool) {
	words := values(r.key, key)
	if len(key) > 0 && key[0] == nft.Proto {
		host := "0.0.0.0"
		if t.Family == nft.IPv6 {
			host = "::"
		}
		words = append([]string{host}, words...)
	}
	if len(words) < 3 {
		return "", false
	}
	return net.JoinHostPort(words[0], words[2]) + "/" + words[1], true
}

func endpoint(words []string) string {
	if len(words) != 2 {
		return words[0]
	}
	return net.JoinHostPort(words[0], words[1])
}

// refusal is what a verdict without endpoints does: the filter hooks refuse
// packets of a "return".
func refusal(data []byte) string {
	switch verdictText(data) {
	case "drop":
		return backends.ServedDrop
	case "return":
		return backends.ServedReject
	}
	return ""
}

// comment returns the element's comment, or "".
func (r record) comment() string {
	for b := r.udata; len(b) >= 2; {
		kind, n := b[0], int(b[1])
		if len(b) < 2+n {
			return ""
		}
		if kind == udataComment {
			return string(bytes.TrimRight(b[2:2+n], "\x00"))
		}
		b = b[2+n:]
	}
	return ""
}

// pods reads the pods that policies judge.
func (t *Table) pods(s *backends.Served) {
	found := make(map[string]*backends.ServedPod)
	for _, set := range t.Sets {
		if set.role != nftables.EgressPods && set.role != nftables.IngressPods || !set.verdicts() {
			continue
		}
		for _, r := range set.Elems.all() {
			addr, ok := netip.AddrFromSlice(r.key)
			if !ok {
				continue
			}
			p := found[addr.String()]
			if p == nil {
				p = &backends.ServedPod{Address: addr.String(), Name: r.comment()}
				found[p.Address] = p
			}
			if by := nftables.ProfileOf(string(chainOf(r.data))); set.role == nftables.IngressPods {
				p.Ingress = by
			} else {
				p.Egress = by
			}
		}
	}
	for _, p := range found {
		s.Pods = append(s.Pods, *p)
	}
}
