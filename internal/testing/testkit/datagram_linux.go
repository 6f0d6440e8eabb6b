package testkit

import (
	"errors"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// echoDatagrams answers each datagram from its destination address, until the
// socket is closed. IPv4 addresses are IPv4-mapped.
func echoDatagrams(side Side, port uint16, c *net.UDPConn) {
	buf, oob := make([]byte, 512), make([]byte, 256)
	for {
		_, noob, _, from, err := c.ReadMsgUDPAddrPort(buf, oob)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		to, ok := destination(oob[:noob])
		if !ok {
			continue
		}
		answer := greeting(side, netip.AddrPortFrom(to, port), from)
		_, _, _ = c.WriteMsgUDPAddrPort(answer, sourceMessage(to), from)
	}
}

// destination returns the destination address of a datagram (RFC 3542, 6.1).
func destination(oob []byte) (netip.Addr, bool) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return netip.Addr{}, false
	}
	for _, m := range messages {
		if m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= unix.SizeofInet6Pktinfo {
			return netip.AddrFrom16([16]byte(m.Data[:16])), true
		}
	}
	return netip.Addr{}, false
}

// sourceMessage returns the control message that sets the source address; routes
// select the interface.
func sourceMessage(a netip.Addr) []byte {
	return unix.PktInfo6(&unix.Inet6Pktinfo{Addr: a.As16()})
}
