package live

import (
	"encoding/binary"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/backends/xtables"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/text/ipset"
	"github.com/planec/planec/ir"
)

// ownership is the set of virtual services that belong to planec.
type ownership map[Key]bool

// OwnSet reports whether only the ipvs backend has the set; the iptables backend
// also has the sets of policies.
func OwnSet(name string) bool { return xtables.SetRole(name).IPVS }

// OwnRules reports whether the rules belong to the ipvs backend and not to the
// iptables backend, whose chains have the same prefix.
func OwnRules(s *xtlive.State) bool { return s.HasChain(xtables.BesideIPVS) }

// routes maps keys to marks.
type routes map[Key]uint32

// routesOf parses a set.
func routesOf(set *xtlive.Set) routes {
	out := make(routes)
	for _, m := range set.Members {
		e, err := ipset.ParseEntry(m)
		if err != nil {
			continue
		}
		text, _ := e.Value("skbmark")
		text, _, _ = strings.Cut(text, "/")
		mark, err := strconv.ParseUint(text, 0, 32)
		if k, err2 := parseElement(m); err == nil && err2 == nil && mark != 0 {
			out[k] = uint32(mark)
		}
	}
	return out
}

// leads yields each key that maps to a mark, and the mark.
func leads(s *xtlive.State) iter.Seq2[Key, Key] {
	return func(yield func(at, mark Key) bool) {
		for _, set := range s.Sets(xtables.Routes) {
			for at, mark := range routesOf(&set) {
				if !yield(at, Key{Mark: mark, IPv6: set.IPv6}) {
					return
				}
			}
		}
	}
}

// keysIn yields the keys in the sets with a role, and the comments of their elements.
func keysIn(s *xtlive.State, role xtables.Role) iter.Seq2[Key, string] {
	return func(yield func(k Key, member string) bool) {
		for _, set := range s.Sets(role) {
			for _, m := range set.Members {
				if k, err := parseElement(m); err == nil && !yield(k, m) {
					return
				}
			}
		}
	}
}

// owned returns the virtual services that, according to the sets, belong to planec.
func owned(s *xtlive.State) ownership {
	out := make(ownership)
	for k := range keysIn(s, xtables.Virtual) {
		out[k] = true
	}
	for _, mark := range leads(s) {
		out[mark] = true
	}
	return out
}

// parseElement parses an element of a set of type hash:ip,port.
func parseElement(member string) (k Key, err error) {
	element, _, _ := strings.Cut(member, " ")
	addr, rest, _ := strings.Cut(element, ",")
	protocol, port, _ := strings.Cut(rest, ":")
	if k.Protocol, err = ir.ParseProtocol(protocol); err != nil {
		return k, err
	}
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return k, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	k.Address, k.IPv6 = netip.AddrPortFrom(a, uint16(n)), a.Is6()
	return k, err
}

// element returns the key as an element of a set.
func (k Key) element() string {
	return fmt.Sprintf("%s,%s:%d", k.Address.Addr(), k.Protocol, k.Address.Port())
}

// families are the families of sets with the suffixes of their names.
var families = []struct{ suffix, inet string }{{"4", "inet"}, {"6", "inet6"}}

func journalSet(name string) bool {
	role := xtables.SetRole(name).Role
	return role == xtables.JournalKeys || role == xtables.JournalMarks
}

// readJournal returns the journal of an apply that was interrupted.
func readJournal(s *xtlive.State) ownership {
	out := make(ownership)
	for k := range keysIn(s, xtables.JournalKeys) {
		out[k] = true
	}
	for _, set := range s.Sets(xtables.JournalMarks) {
		for _, m := range set.Members {
			if a, err := netip.ParseAddr(m); err == nil && a.Is4() {
				b := a.As4()
				out[Key{Mark: binary.BigEndian.Uint32(b[:]), IPv6: set.IPv6}] = true
			}
		}
	}
	return out
}

// hasJournal reports whether a part of a journal exists, even an empty one.
func hasJournal(s *xtlive.State) bool {
	return len(s.Sets(xtables.JournalKeys, xtables.JournalMarks)) > 0
}

// writeJournal returns the ipset commands that create the journal.
func writeJournal(keys []Key) []byte {
	b := createJournal(nil)
	for _, k := range slices.SortedFunc(slices.Values(keys), compareKeys) {
		family := families[0].suffix
		if k.IPv6 {
			family = families[1].suffix
		}
		if k.Mark == 0 {
			b = fmt.Appendf(b, "add %s%s %s\n", xtables.JournalKeysSet, family, k.element())
			continue
		}
		mark := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, k.Mark)))
		b = fmt.Appendf(b, "add %s%s %s\n", xtables.JournalMarksSet, family, mark)
	}
	return b
}

func createJournal(b []byte) []byte {
	for _, f := range families {
		b = fmt.Appendf(b, "create %s%s hash:ip,port family %s maxelem 4294967295\n", xtables.JournalKeysSet, f.suffix, f.inet)
		b = fmt.Appendf(b, "create %s%s hash:ip family inet maxelem 4294967295\n", xtables.JournalMarksSet, f.suffix)
	}
	return b
}

// closeJournal returns the ipset commands that remove every part of the journal.
func closeJournal() []byte {
	b := createJournal(nil)
	for _, f := range families {
		b = append(b, "destroy "+xtables.JournalKeysSet+f.suffix+"\ndestroy "+xtables.JournalMarksSet+f.suffix+"\n"...)
	}
	return b
}

// protocolsOf returns the protocol of each marked service.
func protocolsOf(states ...*xtlive.State) map[Key]ir.Protocol {
	out := make(map[Key]ir.Protocol)
	for _, s := range states {
		for at, mark := range leads(s) {
			out[mark] = at.Protocol
		}
	}
	return out
}

// passedOn returns the marks whose services need their new destinations before the
// sets change: no frontend keeps such a mark, and its new frontends had another
// mark. This happens when a Service gets its preferred mark because the Service
// that held it is removed.
func passedOn(have, want *xtlive.State) ownership {
	out := make(ownership)
	stays := make(ownership)
	before := make(map[string]routes)
	for _, set := range have.Sets(xtables.Routes) {
		before[set.Name] = routesOf(&set)
	}
	for _, set := range want.Sets(xtables.Routes) {
		h, w := before[set.Name], routesOf(&set)
		for at, mark := range w {
			if before, there := h[at]; there && before != mark {
				out[Key{Mark: mark, IPv6: set.IPv6}] = true
			}
		}
		for at, mark := range h {
			// A Service that had the mark and is still served prevents the early
			// change.
			if _, there := w[at]; there {
				stays[Key{Mark: mark, IPv6: set.IPv6}] = true
			}
		}
	}
	for k := range stays {
		delete(out, k)
	}
	return out
}

// deviceName appears in messages.
const deviceName = ipvs.Device
