package ipvs

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// appendDevice makes the device and takes away what it had. The first line
// fails where the device is there already: ip -force goes on.
func appendDevice(b []byte) []byte {
	return append(b, "link add "+Device+" type dummy\nlink set "+Device+" up\naddress flush dev "+Device+"\n"...)
}

// appendAddresses binds the virtual addresses, because IPVS sees only what is
// delivered to the node. Each is a network of its own, so that no route to
// others comes with it. IPv6 ones are deprecated from the start: the kernel would
// otherwise take the one that is most like the destination for the source of
// what it masquerades and of what the node sends (RFC 6724, rules 3 and 8).
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
