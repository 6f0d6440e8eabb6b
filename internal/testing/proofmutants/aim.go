package proofmutants

import (
	"encoding/hex"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strconv"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir/eval"
)

// Aim are the constants at a mutant's place, from which packets are made that meet it.
type Aim struct {
	addresses []netip.Addr
	ports     []uint16
}

var (
	anyAddress = regexp.MustCompile(`(?:\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f:]*:[0-9a-f]*)(?:/\d+)?`)
	anyNumber  = regexp.MustCompile(`\b\d{1,5}\b`)
)

// Aim returns the constants of what was changed.
func (m *Mutant) Aim() Aim {
	var a Aim
	for _, text := range []string{m.Before, m.After} {
		if raw, err := hex.DecodeString(text); err == nil {
			a.bytes(raw)
			continue
		}
		for _, word := range anyAddress.FindAllString(text, -1) {
			if p, err := netip.ParsePrefix(word); err == nil {
				a.near(p.Masked().Addr())
			}
			if addr, err := netip.ParseAddr(word); err == nil {
				a.near(addr)
			}
		}
		for _, word := range anyNumber.FindAllString(text, -1) {
			if n, err := strconv.ParseUint(word, 10, 16); err == nil {
				a.ports = append(a.ports, uint16(n-1), uint16(n), uint16(n+1))
			}
		}
	}
	slices.Sort(a.ports)
	a.ports = slices.Compact(a.ports)
	return a
}

// near aims at an address and its neighbours.
func (a *Aim) near(addr netip.Addr) {
	for _, x := range []netip.Addr{addr.Prev(), addr, addr.Next()} {
		if x.IsValid() {
			a.addresses = append(a.addresses, x)
		}
	}
}

// bytes finds addresses and ports in an entry of a map, wherever they may be.
func (a *Aim) bytes(raw []byte) {
	for _, at := range []int{0, 8} {
		if len(raw) >= at+layout.AddressSize {
			a.near(layout.Address(raw[at:]).Addr())
		}
	}
	for _, at := range []int{14, 16} {
		if len(raw) >= at+2 {
			n := layout.Port(raw[at:]).Number()
			a.ports = append(a.ports, n-1, n, n+1)
		}
	}
}

// Packet returns the packet with some of the constants in place of its own values.
func (a *Aim) Packet(rng *rand.Rand, p eval.Packet) eval.Packet {
	if fit := a.of(p.Dst.Is4()); len(fit) > 0 {
		switch rng.IntN(4) {
		case 0:
			p.Dst = pick(rng, fit)
		case 1:
			if p.From != eval.FromNode {
				p.Src = pick(rng, fit)
			}
		case 2:
			p.Dst = pick(rng, fit)
			if p.From != eval.FromNode {
				p.Src = pick(rng, fit)
			}
		}
	}
	if len(a.ports) > 0 && p.Protocol.HasPorts() && rng.IntN(2) == 0 {
		p.Port = pick(rng, a.ports)
		if rng.IntN(4) == 0 {
			p.SourcePort = pick(rng, a.ports)
		}
	}
	return p
}

func (a *Aim) of(ipv4 bool) []netip.Addr {
	var out []netip.Addr
	for _, x := range a.addresses {
		if x.Is4() == ipv4 {
			out = append(out, x)
		}
	}
	return out
}
