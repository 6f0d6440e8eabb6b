package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/podnet"
)

// Attributes of lightweight tunnels over IPv4 (linux/lwtunnel.h); those over IPv6 have the same
// numbers.
const (
	tunnelID = iota + 1
	tunnelTo
	tunnelFrom
	tunnelTTL
	tunnelTOS
	tunnelFlags
	tunnelPad
)

// withChecksum is TUNNEL_CSUM (linux/if_tunnel.h).
const withChecksum = 1

// encap is the tunnel of a route as netlink's library takes it, which has none over IPv4.
type encap struct{ podnet.Tunnel }

// Type is the number of the tunnel's kind.
func (e encap) Type() int {
	if e.To.Is4() {
		return nl.LWTUNNEL_ENCAP_IP
	}
	return nl.LWTUNNEL_ENCAP_IP6
}

// flags are those that a tunnel is to have: over IPv6 UDP has a checksum.
func (e encap) flags() uint16 {
	if e.To.Is4() {
		return 0
	}
	return withChecksum
}

// Encode returns the attributes.
func (e encap) Encode() ([]byte, error) {
	var out []byte
	for _, a := range []*nl.RtAttr{
		nl.NewRtAttr(tunnelID, binary.BigEndian.AppendUint64(nil, uint64(e.VNI))),
		nl.NewRtAttr(tunnelTo, e.To.AsSlice()),
		nl.NewRtAttr(tunnelFrom, e.From.AsSlice()),
		nl.NewRtAttr(tunnelTTL, []byte{podnet.TunnelTTL}),
		nl.NewRtAttr(tunnelFlags, binary.BigEndian.AppendUint16(nil, e.flags())),
	} {
		out = append(out, a.Serialize()...)
	}
	return out, nil
}

// Decode reads the attributes. A tunnel that has more, or another time to live or flags than
// planec's, is an error.
func (e *encap) Decode(b []byte) error {
	attrs, err := nl.ParseRouteAttr(b)
	if err != nil {
		return err
	}
	ttl, flags := 0, uint16(0)
	for _, a := range attrs {
		v := a.Value
		switch typ, size := a.Attr.Type, len(v); {
		case typ == tunnelID && size == 8 && binary.BigEndian.Uint64(v) <= podnet.MaxVNI:
			e.VNI = int(binary.BigEndian.Uint64(v))
		case typ == tunnelTo:
			e.To, _ = netip.AddrFromSlice(v)
		case typ == tunnelFrom:
			e.From, _ = netip.AddrFromSlice(v)
		case typ == tunnelTTL && size == 1:
			ttl = int(v[0])
		case typ == tunnelFlags && size == 2:
			flags = binary.BigEndian.Uint16(v)
		case typ == tunnelTOS && size == 1 && v[0] == 0, typ == tunnelPad:
		default:
			return fmt.Errorf("attribute %d of a tunnel", typ)
		}
	}
	if ttl != podnet.TunnelTTL || flags != e.flags() {
		return fmt.Errorf("a tunnel with time to live %d and flags %#x", ttl, flags)
	}
	return nil
}

// String names the tunnel.
func (e encap) String() string { return fmt.Sprintf("Geneve %d from %v to %v", e.VNI, e.From, e.To) }

// Equal reports whether the other is the same tunnel.
func (e encap) Equal(x netlink.Encap) bool {
	o, ok := x.(*encap)
	return ok && o.Tunnel == e.Tunnel
}

// routeKey tells a family's routes of one table apart.
type routeKey struct {
	to            netip.Prefix
	tos, priority int
	link          int
}

func keyOf(r *netlink.Route) routeKey {
	to, _ := prefixOf(r.Dst)
	return routeKey{to, r.Tos, r.Priority, r.LinkIndex}
}

// otherTunnel stands for a tunnel that planec makes none of.
var otherTunnel = podnet.Tunnel{VNI: -1}

// readTunnels reads the tunnels of planec's routes, which netlink's library leaves out.
func (k *Kernel) readTunnels(s *state) error {
	for _, f := range ir.Families() {
		messages, err := dump(func() ([][]byte, error) {
			req := nl.NewNetlinkRequest(unix.RTM_GETROUTE, unix.NLM_F_DUMP)
			req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: k.raw}
			req.AddData(&nl.RtMsg{RtMsg: unix.RtMsg{Family: uint8(number(f))}})
			return req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWROUTE)
		})
		if err != nil {
			return fmt.Errorf("listing tunnels of %v routes: %w", f, err)
		}
		for _, m := range messages {
			if err := s.addTunnel(f, m); err != nil {
				return fmt.Errorf("reading a %v route: %w", f, err)
			}
		}
	}
	return nil
}

func (s *state) addTunnel(f ir.Family, m []byte) error {
	if len(m) < unix.SizeofRtMsg {
		return errors.New("a short message")
	}
	msg := nl.DeserializeRtMsg(m)
	if msg.Protocol != podnet.Protocol || msg.Table != unix.RT_TABLE_MAIN || int(msg.Family) != number(f) {
		return nil
	}
	attrs, err := nl.ParseRouteAttr(m[unix.SizeofRtMsg:])
	if err != nil {
		return err
	}
	key := routeKey{to: netip.PrefixFrom(unspecified(f), int(msg.Dst_len)), tos: int(msg.Tos)}
	var kind uint16
	var tunnel []byte
	for _, a := range attrs {
		switch v := a.Value; a.Attr.Type &^ unix.NLA_F_NESTED {
		case unix.RTA_DST:
			to, _ := netip.AddrFromSlice(v)
			key.to = netip.PrefixFrom(to, int(msg.Dst_len))
		case unix.RTA_PRIORITY:
			key.priority = int(binary.NativeEndian.Uint32(v))
		case unix.RTA_OIF:
			key.link = int(binary.NativeEndian.Uint32(v))
		case unix.RTA_ENCAP_TYPE:
			kind = binary.NativeEndian.Uint16(v)
		case unix.RTA_ENCAP:
			tunnel = v
		}
	}
	if kind == 0 {
		return nil
	}
	var e encap
	if e.Decode(tunnel) != nil || e.Type() != int(kind) {
		e.Tunnel = otherTunnel
	}
	s.tunnels[key] = e.Tunnel
	return nil
}

func unspecified(f ir.Family) netip.Addr {
	if f == ir.IPv4 {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}
