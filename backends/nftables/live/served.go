package live

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/planec/planec/backends"
)

// Served reads frontends, endpoints and policed pods from the maps that packets are
// looked up in.
func (m *Model) Served() backends.Served {
	var s backends.Served
	for _, t := range m.Tables {
		t.frontends(&s)
		t.pods(&s)
	}
	s.Normalize()
	return s
}

// frontends reads "services" and "nodeports", then every map that has endpoints.
func (t *Table) frontends(s *backends.Served) {
	endpoints := make(map[string][]string)
	for _, set := range t.Sets {
		if !strings.HasSuffix(set.Name, "endpoints") {
			continue
		}
		nodePort := strings.HasPrefix(set.Name, "nodeport-")
		for _, r := range set.Elems.all() {
			if at, ok := t.at(r.key, nodePort); ok {
				endpoints[at] = append(endpoints[at], t.endpoint(r.data))
			}
		}
	}
	for _, name := range []string{"services", "nodeports"} {
		set := t.Set(name)
		if set == nil {
			continue
		}
		for _, r := range set.Elems.all() {
			at, ok := t.at(r.key, name == "nodeports")
			if !ok {
				continue
			}
			s.Frontends = append(s.Frontends, backends.ServedFrontend{At: at, Name: r.comment(), Does: refusal(r.data), Via: string(chainOf(r.data)), Endpoints: endpoints[at]})
		}
	}
}

// addrLen is the length of an address of the table.
func (t *Table) addrLen() int {
	if t.Family == IPv4 {
		return 4
	}
	return 16
}

// at reads a frontend's key: "address . protocol . port", or without the address.
// What follows it is an index.
func (t *Table) at(key []byte, nodePort bool) (string, bool) {
	host := "0.0.0.0"
	if t.Family == IPv6 {
		host = "[::]"
	}
	if !nodePort {
		n := t.addrLen()
		if len(key) < n {
			return "", false
		}
		addr, _ := netip.AddrFromSlice(key[:n])
		host, key = addr.String(), key[n:]
		if addr.Is6() {
			host = "[" + host + "]"
		}
	}
	if len(key) < 6 {
		return "", false
	}
	return fmt.Sprintf("%s:%d/%s", host, binary.BigEndian.Uint16(key[4:]), protocolWord(key[0])), true
}

func protocolWord(number byte) string {
	switch number {
	case 6:
		return "tcp"
	case 17:
		return "udp"
	case 132:
		return "sctp"
	}
	return fmt.Sprintf("protocol-%d", number)
}

func (t *Table) endpoint(data []byte) string {
	n := t.addrLen()
	if len(data) < n+2 {
		return fmt.Sprintf("%x", data)
	}
	addr, _ := netip.AddrFromSlice(data[:n])
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(data[n:])).String()
}

// refusal is what a verdict without endpoints does.
func refusal(data []byte) string {
	if word := verdictWord(data); word == backends.ServedDrop || word == backends.ServedReject {
		return word
	}
	return ""
}

func verdictWord(data []byte) string {
	if chain := chainOf(data); len(chain) > 0 {
		return string(chain)
	}
	if len(data) < 4 {
		return ""
	}
	switch binary.BigEndian.Uint32(data) {
	case verdictAccept:
		return "accept"
	case verdictDrop:
		return "drop"
	}
	return "reject" // the filter hooks do
}

// comment is the element's, or "".
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

// pods reads who policies judge.
func (t *Table) pods(s *backends.Served) {
	found := make(map[string]*backends.ServedPod)
	for _, name := range []string{"ingress", "egress"} {
		set := t.Set(name)
		if set == nil || !set.verdicts() {
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
			_, by, _ := strings.Cut(verdictWord(r.data), "-")
			if name == "ingress" {
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
