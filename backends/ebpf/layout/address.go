package layout

// The flags of addr, whose key is an Address.
const (
	// AddressOwn marks the node's own addresses that the compiler knew. Loopback
	// addresses are the node's own but not in addr, and a program may ask the
	// kernel for further addresses.
	AddressOwn = 1 << 0
	// AddressNodePort marks addresses that serve nodePorts.
	AddressNodePort = 1 << 1

	addressFlags = AddressOwn | AddressNodePort
)

// ValidAddressFlags reports whether f has at least one flag, and only known ones.
func ValidAddressFlags(f uint32) bool { return f != 0 && f&^addressFlags == 0 }
