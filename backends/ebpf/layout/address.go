package layout

// The flags of addr, whose key is an Address.
const (
	// AddressOwn is one of the node's own addresses, as far as the compiler
	// knew them. Loopback is the node's own without being here, and a program
	// may ask the kernel for the rest.
	AddressOwn = 1 << 0
	// AddressNodePort serves nodePorts.
	AddressNodePort = 1 << 1
	// AddressClusterIP is a Service's: a packet for a port of it that svc does
	// not have is rejected where it would be forwarded or the node sent it.
	AddressClusterIP = 1 << 2

	addressFlags = AddressOwn | AddressNodePort | AddressClusterIP
)

// ValidAddressFlags reports whether f has a flag, and none that is unknown.
func ValidAddressFlags(f uint32) bool { return f != 0 && f&^addressFlags == 0 }
