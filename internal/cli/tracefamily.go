package cli

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// familyNote says which family an answer is about, if both ends were named as pods with two
// families and the answer over the other one differs; otherwise it is "".
func (t *traceCommand) familyNote(l *loaded, c netpath.Connection, o netpath.Outcome) (string, error) {
	if t.live || c.Port == 0 { // a kernel is asked no second question, and ICMP is not ICMPv6
		return "", nil
	}
	for _, word := range []string{t.from, t.to} {
		if _, err := netip.ParseAddr(word); err == nil {
			return "", nil // the family was asked for
		}
	}
	mine := ir.FamilyOf(c.Src)
	other := ir.IPv4 + ir.IPv6 - mine
	twin := c
	for _, a := range []*netip.Addr{&twin.Src, &twin.Dst} {
		b, ok := l.twin(*a, other)
		if !ok {
			return "", nil
		}
		*a = b
	}
	second, err := l.network.Trace(twin)
	if err != nil || second.Reaches() == o.Reaches() {
		return "", err
	}
	word := "No"
	if second.Reaches() {
		word = "Yes"
	}
	return fmt.Sprintf("this answer is about %s; over %s, from %v to %v, it is %s", connectivity.FamilyWord(mine), connectivity.FamilyWord(other), twin.Src, twin.Dst, word), nil
}

// twin returns the address of a family of the pod that has an address.
func (l *loaded) twin(a netip.Addr, f ir.Family) (netip.Addr, bool) {
	for _, p := range netpath.Pods(&l.objects) {
		if p.Addresses[ir.FamilyOf(a)] == a {
			b, ok := p.Addresses[f]
			return b, ok
		}
	}
	return netip.Addr{}, false
}
