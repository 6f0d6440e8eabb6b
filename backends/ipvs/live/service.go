package live

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Key names a virtual service: by protocol, address and port, or by a mark that
// is not 0 and a family.
type Key struct {
	// Protocol is 0 where there is a mark.
	Protocol ir.Protocol
	Address  netip.AddrPort
	Mark     uint32
	IPv6     bool
}

// String says it in words.
func (k Key) String() string {
	switch {
	case k.Mark == 0:
		return k.Protocol.String() + " " + k.Address.String()
	case k.IPv6:
		return fmt.Sprintf("mark %#x of IPv6", k.Mark)
	}
	return fmt.Sprintf("mark %#x of IPv4", k.Mark)
}

func compareKeys(a, b Key) int {
	family := func(k Key) int {
		if k.IPv6 {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.Mark, b.Mark), family(a)-family(b), cmp.Compare(a.Protocol, b.Protocol), a.Address.Compare(b.Address))
}

// settings are what a virtual service has besides its destinations.
type settings struct {
	scheduler string
	// persistence is in seconds, 0 for none.
	persistence uint32
	// flags are others than that of persistence, and netmask is set where
	// it differs from a single address; emitted files have neither.
	flags, netmask uint32
}

func (s settings) String() string {
	if s.persistence == 0 {
		return s.scheduler
	}
	return fmt.Sprintf("%s, persistent for %d s", s.scheduler, s.persistence)
}

// service is a virtual service.
type service struct {
	settings
	destinations map[netip.AddrPort]destination
}

// destination is where connections go.
type destination struct {
	weight uint32
	// forward is the method; 0 is the only one that we use (masquerading, NAT).
	forward uint32
	// active and inactive count connections.
	active, inactive int
}

// same compares what is set, not what happens.
func (d destination) same(o destination) bool { return d.weight == o.weight && d.forward == o.forward }

func (d destination) connections() int { return d.active + d.inactive }

// services are virtual services by name.
type services map[Key]*service

func (s services) keys() []Key { return slices.SortedFunc(maps.Keys(s), compareKeys) }

func sortedAddrs[V any](m map[netip.AddrPort]V) []netip.AddrPort {
	return slices.SortedFunc(maps.Keys(m), netip.AddrPort.Compare)
}
