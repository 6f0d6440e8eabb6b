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

// ownership is the virtual services that are known to be ours.
type ownership map[Key]bool

// OwnSet reports whether a set is of the ipvs backend only; those of policies are
// of the iptables backend too.
func OwnSet(name string) bool { return xtables.SetRole(name).IPVS }

// OwnRules reports whether the rules are those of the ipvs backend, and not those
// of the iptables backend, whose chains have the same prefix.
func OwnRules(s *xtlive.State) bool { return s.HasChain(xtables.BesideIPVS) }

// routes is which keys lead to marks.
type routes map[Key]uint32

// routesOf reads a set.
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

// leads yields each key that leads to a mark, and the mark.
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

// keysIn yields the keys in the sets with a role, and what the sets say of them.
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

// owned reads from the sets which virtual services are ours.
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

// parseElement reads an element of a set of the type hash:ip,port.
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

// element is the key as an element of a set.
func (k Key) element() string {
	return fmt.Sprintf("%s,%s:%d", k.Address.Addr(), k.Protocol, k.Address.Port())
}

// families are those of sets, with the end of their names.
var families = []struct{ suffix, inet string }{{"4", "inet"}, {"6", "inet6"}}

func journalSet(name string) bool {
	role := xtables.SetRole(name).Role
	return role == xtables.JournalKeys || role == xtables.JournalMarks
}

// readJournal returns what an apply has noted that did not come to its end.
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

// hasJournal reports whether there is a part of one, also an empty one.
func hasJournal(s *xtlive.State) bool {
	return len(s.Sets(xtables.JournalKeys, xtables.JournalMarks)) > 0
}

// writeJournal returns the commands for ipset that make the journal.
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

// closeJournal returns the commands that remove it, whatever part of it is there.
func closeJournal() []byte {
	b := createJournal(nil)
	for _, f := range families {
		b = append(b, "destroy "+xtables.JournalKeysSet+f.suffix+"\ndestroy "+xtables.JournalMarksSet+f.suffix+"\n"...)
	}
	return b
}

// protocolsOf says what protocol a marked service serves.
func protocolsOf(states ...*xtlive.State) map[Key]ir.Protocol {
	out := make(map[Key]ir.Protocol)
	for _, s := range states {
		for at, mark := range leads(s) {
			out[mark] = at.Protocol
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
			// A Service that had it and is served on keeps it from being changed
			// early.
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

// deviceName is in messages.
const deviceName = ipvs.Device
