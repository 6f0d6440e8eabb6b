package podnet

import (
	"cmp"
	"fmt"
	"net/netip"
)

// Mode is how packets get to the pods of other nodes.
type Mode string

// The modes, as spelled in --pod-routes. The zero value is off: planec makes no routes.
const (
	Off Mode = ""
	// Native sends packets to the other node as they are. All nodes are in one subnet.
	Native Mode = "native"
	// VXLAN encapsulates all packets (RFC 7348).
	VXLAN Mode = "vxlan"
	// Geneve encapsulates all packets (RFC 8926).
	Geneve Mode = "geneve"
	// Auto is Native to nodes in the node's own subnets, and VXLAN to all others.
	Auto Mode = "auto"
	// AutoGeneve is Native to nodes in the node's own subnets, and Geneve to all others.
	AutoGeneve Mode = "auto-geneve"
)

// Modes lists the modes but Off, as they are spelled.
func Modes() []string {
	return []string{string(Native), string(VXLAN), string(Geneve), string(Auto), string(AutoGeneve)}
}

// Encapsulates reports whether the mode may need a device.
func (m Mode) Encapsulates() bool { return m != Off && m != Native }

// Automatic reports whether the mode encapsulates packets to nodes outside of the node's
// subnets only.
func (m Mode) Automatic() bool { return m == Auto || m == AutoGeneve }

// Kind is what the mode encapsulates in, where it does.
func (m Mode) Kind() Kind {
	if m == Geneve || m == AutoGeneve {
		return InGeneve
	}
	return InVXLAN
}

// ParseMode reads a mode; "off" and "" are Off.
func ParseMode(s string) (Mode, error) {
	switch m := Mode(s); m {
	case Off, "off":
		return Off, nil
	case Native, VXLAN, Geneve, Auto, AutoGeneve:
		return m, nil
	}
	return Off, fmt.Errorf("%.40q is no way to pods of other nodes: want off, native, vxlan, geneve, auto or auto-geneve", s)
}

// Settings are those of a network that no object has. The zero value is off.
type Settings struct {
	Mode Mode
	// Subnets are the node's own: nodes with an address in them are reached without a
	// router. Without any of a family, Native takes every node as near, and Auto and AutoGeneve none.
	Subnets []netip.Prefix
	// VNI is the network identifier of VXLAN or Geneve, 1 to 16777215; 0 is DefaultVNI.
	VNI int
	// Port is the UDP port of VXLAN or Geneve, 1 to 65535; 0 is DefaultPort or
	// DefaultGenevePort.
	Port int
	// MTU is that of the devices in bytes, 1280 to 65535; 0 is UnderlayMTU less what the
	// encapsulation takes.
	MTU int
	// UnderlayMTU is the MTU in bytes of the interface with the node's own address; 0 is 1500.
	UnderlayMTU int `json:"-"`
}

// The defaults of [Settings]. The ports are those that IANA gave to VXLAN and Geneve; flannel's
// and Linux' own of VXLAN is 8472, so a network of flannel can be beside one of planec.
const (
	DefaultVNI        = 83
	DefaultPort       = 4789
	DefaultGenevePort = 6081

	defaultUnderlayMTU = 1500
)

// The ends of the ranges of [Settings]. MinMTU is the smallest MTU of IPv6 (RFC 8200, section 5).
const (
	MaxVNI  = 1<<24 - 1
	MaxPort = 1<<16 - 1
	MinMTU  = 1280
	MaxMTU  = 1<<16 - 1
)

// CheckVNI, CheckPort and CheckMTU check a given value; 0 is the default.
func CheckVNI(n int) error  { return within(n, 1, MaxVNI) }
func CheckPort(n int) error { return within(n, 1, MaxPort) }
func CheckMTU(n int) error  { return within(n, MinMTU, MaxMTU) }

func within(n, low, high int) error {
	if n != 0 && (n < low || n > high) {
		return fmt.Errorf("%d is not in %d to %d", n, low, high)
	}
	return nil
}

// Network is the VNI and the port, with the defaults in place of what is not given.
func (s *Settings) Network() (vni, port int) {
	byDefault := DefaultPort
	if s.Mode.Kind() == InGeneve {
		byDefault = DefaultGenevePort
	}
	return cmp.Or(s.VNI, DefaultVNI), cmp.Or(s.Port, byDefault)
}
