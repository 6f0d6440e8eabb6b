package testkit

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/planec/planec/ir"
	"golang.org/x/sys/unix"
)

// listenSCTP answers SCTP on every port, for one family.
func (n *namespace) listenSCTP(f ir.Family) (stop func() error, err error) {
	var file *os.File
	err = n.do(func() error {
		fd, err := openSocket(familyNumber(f), ir.SCTP)
		if err != nil {
			return err
		}
		if f == ir.IPv6 {
			err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
		file = os.NewFile(uintptr(fd), "sctp")
		return err
	})
	if file != nil {
		defer file.Close() // the net package uses a duplicate
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %v for sctp: %w", n.side, err)
	}
	c, err := net.FilePacketConn(file)
	if err != nil {
		return nil, fmt.Errorf("listen on %v for sctp: %w", n.side, err)
	}
	go answerInits(n.side, c.(*net.IPConn), f)
	return c.Close, nil
}

// answerInits answers each INIT from its destination address, until the socket is
// closed.
func answerInits(side Side, c *net.IPConn, f ir.Family) {
	buf, oob := make([]byte, 2048), make([]byte, 256)
	for {
		count, noob, _, from, err := c.ReadMsgIP(buf, oob)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		to, payload, ok := rawPacket(f, buf[:count], oob[:noob])
		if !ok {
			continue
		}
		p, err := parseSCTP(payload)
		if err != nil || p.chunk != chunkInit {
			continue
		}
		client, _ := netip.AddrFromSlice(from.IP)
		answer := sctpPacket{
			source: p.destination, destination: p.source,
			verification: p.initiate, initiate: 1, chunk: chunkInitAck,
			cookie: greeting(side, netip.AddrPortFrom(to, p.destination), netip.AddrPortFrom(client, p.source)),
		}
		_, _, _ = c.WriteMsgIP(answer.marshal(), rawSource(to), from)
	}
}

// rawPacket returns the destination and the payload of a packet from a raw socket,
// which includes the header for IPv4 (raw(7)) but not for IPv6.
func rawPacket(f ir.Family, packet, oob []byte) (netip.Addr, []byte, bool) {
	if f == ir.IPv6 {
		to, ok := destination(oob)
		return to, packet, ok
	}
	const shortest = 20
	if len(packet) < shortest {
		return netip.Addr{}, nil, false
	}
	header := int(packet[0]&15) * 4
	if header < shortest || header > len(packet) {
		return netip.Addr{}, nil, false
	}
	return netip.AddrFrom4([4]byte(packet[16:20])), packet[header:], true
}

// rawSource returns the control message that sets the source address.
func rawSource(a netip.Addr) []byte {
	if a.Is4() {
		return unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: a.As4()})
	}
	return sourceMessage(a)
}
