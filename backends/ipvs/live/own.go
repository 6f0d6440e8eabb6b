package live

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/backends/ipvs"
	xtlive "github.com/planec/planec/backends/xtables/live"
)

// ownership is the virtual services that are known to be ours.
type ownership map[Key]bool

// families are the parts of sets' names that stand for them.
var families = []struct {
	name string
	ipv6 bool
}{{"4", false}, {"6", true}}

// OwnSet reports whether a set is of the ipvs backend only; those of policies are
// of the iptables backend too.
func OwnSet(name string) bool {
	return strings.HasPrefix(name, "plc-4-") || strings.HasPrefix(name, "plc-6-") || journalSet(name)
}

// OwnRules reports whether the rules are those of the ipvs backend, and not those
// of the iptables backend, whose chains have the same prefix.
func OwnRules(s *xtlive.State) bool { return s.HasChain("mangle", "PLC-TRANSLATED") }

// routes is which keys lead to marks: "10.0.0.1,tcp:80" to the mark.
type routes map[string]uint32

// routeSets are the parts of the names of sets that lead to marks.
var routeSets = []string{"-routes-pods", "-routes-node"}

// routesOf reads one set.
func routesOf(s *xtlive.State, name string) routes {
	out := make(routes)
	for _, m := range s.Members(name) {
		element, options, _ := strings.Cut(m, " ")
		_, text, found := strings.Cut(options, "skbmark ")
		text, _, _ = strings.Cut(text, " ")
		text, _, _ = strings.Cut(text, "/")
		if mark, err := strconv.ParseUint(text, 0, 32); found && err == nil && mark != 0 {
			out[element] = uint32(mark)
		}
	}
	return out
}

// owned reads from the sets which virtual services are ours.
func owned(s *xtlive.State) ownership {
	out := make(ownership)
	for _, f := range families {
		for _, m := range s.Members("plc-" + f.name + "-services") {
			if k, err := parseElement(m); err == nil {
				out[k] = true
			}
		}
		for _, set := range routeSets {
			for _, mark := range routesOf(s, "plc-"+f.name+set) {
				out[Key{Mark: mark, IPv6: f.ipv6}] = true
			}
		}
	}
	return out
}

// parseElement reads an element of a set of the type hash:ip,port.
func parseElement(m string) (k Key, err error) {
	element, _, _ := strings.Cut(m, " ")
	addr, rest, _ := strings.Cut(element, ",")
	protocol, port, _ := strings.Cut(rest, ":")
	switch protocol {
	case "tcp":
		k.Protocol = tcp
	case "udp":
		k.Protocol = udp
	case "sctp":
		k.Protocol = sctp
	default:
		return k, fmt.Errorf("%q: no protocol that planec uses", m)
	}
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return k, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	k.Address, k.IPv6 = netip.AddrPortFrom(a, uint16(n)), a.Is6()
	return k, err
}

// element is the key as an element of a set.
func (k Key) element() string {
	return fmt.Sprintf("%s,%s:%d", k.Address.Addr(), k.Protocol, k.Address.Port())
}

// Sets of the journal, by family.
const (
	journalKeys  = "plc-tmp-own-"
	journalMarks = "plc-tmp-marks-"
)

func journalSet(name string) bool {
	return strings.HasPrefix(name, journalKeys) || strings.HasPrefix(name, journalMarks)
}

// readJournal returns what an apply has noted that did not come to its end.
func readJournal(s *xtlive.State) ownership {
	out := make(ownership)
	for _, f := range families {
		for _, m := range s.Members(journalKeys + f.name) {
			if k, err := parseElement(m); err == nil {
				out[k] = true
			}
		}
		for _, m := range s.Members(journalMarks + f.name) {
			if a, err := netip.ParseAddr(m); err == nil && a.Is4() {
				b := a.As4()
				out[Key{Mark: binary.BigEndian.Uint32(b[:]), IPv6: f.ipv6}] = true
			}
		}
	}
	return out
}

// hasJournal reports whether there is a part of one, also an empty one.
func hasJournal(s *xtlive.State) bool {
	for _, f := range families {
		if s.Members(journalKeys+f.name) != nil || s.Members(journalMarks+f.name) != nil {
			return true
		}
	}
	return false
}

// writeJournal returns the commands for ipset that make the journal.
func writeJournal(keys []Key) []byte {
	b := createJournal(nil)
	for _, k := range slices.SortedFunc(slices.Values(keys), compareKeys) {
		family := families[0].name
		if k.IPv6 {
			family = families[1].name
		}
		if k.Mark == 0 {
			b = fmt.Appendf(b, "add %s%s %s\n", journalKeys, family, k.element())
			continue
		}
		mark := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, k.Mark)))
		b = fmt.Appendf(b, "add %s%s %s\n", journalMarks, family, mark)
	}
	return b
}

func createJournal(b []byte) []byte {
	for _, f := range families {
		inet := "inet"
		if f.ipv6 {
			inet = "inet6"
		}
		b = fmt.Appendf(b, "create %s%s hash:ip,port family %s maxelem 4294967295\n", journalKeys, f.name, inet)
		b = fmt.Appendf(b, "create %s%s hash:ip family inet maxelem 4294967295\n", journalMarks, f.name)
	}
	return b
}

// closeJournal returns the commands that remove it, whatever part of it is there.
func closeJournal() []byte {
	b := createJournal(nil)
	for _, f := range families {
		b = append(b, "destroy "+journalKeys+f.name+"\ndestroy "+journalMarks+f.name+"\n"...)
	}
	return b
}

// protocolsOf says what protocol a marked service serves.
func protocolsOf(states ...*xtlive.State) map[Key]Protocol {
	out := make(map[Key]Protocol)
	for _, s := range states {
		for _, f := range families {
			for _, set := range routeSets {
				for element, mark := range routesOf(s, "plc-"+f.name+set) {
					if k, err := parseElement(element); err == nil {
						out[Key{Mark: mark, IPv6: f.ipv6}] = k.Protocol
					}
				}
			}
		}
	}
	return out
}

// passedOn are the marks whose services must have their new destinations before
// the sets change: all that led to such a mark leads nowhere now, and what leads
// there now led elsewhere. A Service's mark moves back like that when another one,
// whose mark it could not have, goes.
func passedOn(have, want *xtlive.State) ownership {
	out := make(ownership)
	for _, f := range families {
		stays := make(ownership)
		for _, set := range routeSets {
			h, w := routesOf(have, "plc-"+f.name+set), routesOf(want, "plc-"+f.name+set)
			for element, mark := range w {
				k := Key{Mark: mark, IPv6: f.ipv6}
				if before, there := h[element]; there && before != mark {
					out[k] = true
				}
			}
			for element, mark := range h {
				// A Service that had it and is served on keeps it from being changed
				// early.
				if _, there := w[element]; there {
					stays[Key{Mark: mark, IPv6: f.ipv6}] = true
				}
			}
		}
		for k := range stays {
			delete(out, k)
		}
	}
	return out
}

// deviceName is in messages.
const deviceName = ipvs.Device
