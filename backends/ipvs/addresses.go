package ipvs

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// appendDevice creates the device and removes its addresses. The first line fails
// if the device already exists; ip -force then continues.
func appendDevice(b []byte) []byte {
	return append(b, "link add "+Device+" type dummy\nlink set "+Device+" up\naddress flush dev "+Device+"\n"...)
}

// appendAddresses binds the virtual addresses, because IPVS sees only packets that
// are delivered to the node. Each address has full prefix length, so that no route to
// other addresses is added. IPv6 addresses are deprecated from the start. Otherwise
// the kernel could choose the one closest to the destination as the source of
// masqueraded packets and of the node's own packets (RFC 6724, rules 3 and 8).
func (t *table) appendAddresses(b []byte) []byte {
	length := "/32 dev " + Device + "\n"
	if t.family == ir.IPv6 {
		length = "/128 dev " + Device + " nodad preferred_lft 0\n"
	}
	for _, a := range slices.SortedFunc(slices.Values(t.vips), netip.Addr.Compare) {
		b = append(a.AppendTo(append(b, "address add "...)), length...)
	}
	return b
}
