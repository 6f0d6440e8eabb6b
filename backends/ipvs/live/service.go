package live

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Key identifies a virtual service: by protocol, address and port, or by a mark
// other than 0 and a family.
type Key struct {
	// Protocol is 0 if Mark is set.
	Protocol ir.Protocol
	Address  netip.AddrPort // the address and port; zero if Mark is set
	Mark     uint32         // the firewall mark; 0 if Address is set
	IPv6     bool           // whether the virtual service is of the IPv6 family
}

// String returns the key for messages.
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

// settings are the properties of a virtual service except its destinations.
type settings struct {
	scheduler string
	// persistence is in seconds; 0 means none.
	persistence uint32
	// flags are the flags except persistence; netmask is set if it is not that of
	// a single address. Emitted files set neither.
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

// destination is the state of one endpoint.
type destination struct {
	weight uint32
	// forward is the method; planec uses only 0 (masquerading, that is, NAT).
	forward uint32
	// active and inactive count connections.
	active, inactive int
}

// same compares the settings, not the connections.
func (d destination) same(o destination) bool { return d.weight == o.weight && d.forward == o.forward }

func (d destination) connections() int { return d.active + d.inactive }

// services maps keys to virtual services.
type services map[Key]*service

func (s services) keys() []Key { return slices.SortedFunc(maps.Keys(s), compareKeys) }

func sortedAddrs[V any](m map[netip.AddrPort]V) []netip.AddrPort {
	return slices.SortedFunc(maps.Keys(m), netip.AddrPort.Compare)
}
