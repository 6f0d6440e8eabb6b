package testkit

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"time"

	"github.com/planec/planec/ir"
	"golang.org/x/sys/unix"
)

// trySCTP sends an INIT and waits for its answer.
func (n *namespace) trySCTP(f Flow, deadline time.Time) Outcome {
	init := sctpPacket{
		source: cmp.Or(f.SourcePort, sctpPort()), destination: f.Port, initiate: 1 + rand.Uint32N(1<<31), chunk: chunkInit,
	}
	var file *os.File
	err := n.do(func() (err error) {
		file, err = sendInit(f, init)
		return err
	})
	if err != nil {
		return failure(err)
	}
	defer file.Close()
	if err := file.SetDeadline(deadline); err != nil {
		return failure(err)
	}
	cookie, err := awaitInitAck(file, ir.FamilyOf(f.Dst), init)
	if err != nil {
		return failure(err)
	}
	o, err := parseGreeting(string(cookie))
	if err != nil {
		return failure(err)
	}
	return o
}

// sctpPort selects a source port from the dynamic range (RFC 6335, 6). Raw sockets
// do not reserve ports; a collision costs one flow its answer.
func sctpPort() uint16 { return uint16(49152 + rand.IntN(1<<14)) }

func sendInit(f Flow, init sctpPacket) (*os.File, error) {
	fd, err := openSocket(familyNumber(ir.FamilyOf(f.Dst)), ir.SCTP)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), f.String())
	err = errors.Join(receiveErrors(fd, ir.FamilyOf(f.Dst)), connect(fd, f))
	if err == nil {
		err = sendFirst(fd, init.marshal())
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// awaitInitAck waits for the answer to init. The socket receives every packet from
// the flow's destination, including those for other flows.
func awaitInitAck(file *os.File, f ir.Family, init sctpPacket) ([]byte, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	var cookie []byte
	var result error
	buf := make([]byte, 2048)
	err = raw.Read(func(fd uintptr) bool {
		for {
			if result = icmpError(int(fd), init); result != nil {
				return true
			}
			count, err := unix.Read(int(fd), buf)
			if errors.Is(err, unix.EAGAIN) {
				return false
			}
			if err != nil {
				continue // an ICMP error; the error queue tells for which packet
			}
			if cookie = answerTo(init, f, buf[:count]); cookie != nil {
				return true
			}
		}
	})
	return cookie, errors.Join(err, result)
}

// answerTo returns the cookie of the packet if it answers init.
func answerTo(init sctpPacket, f ir.Family, packet []byte) []byte {
	if f == ir.IPv4 {
		_, payload, ok := rawPacket(f, packet, nil)
		if !ok {
			return nil
		}
		packet = payload
	}
	p, err := parseSCTP(packet)
	if err != nil || p.chunk != chunkInitAck || p.verification != init.initiate ||
		p.source != init.destination || p.destination != init.source {
		return nil
	}
	return p.cookie
}

// icmpError returns the ICMP error in the socket's queue that concerns init, if any.
func icmpError(fd int, init sctpPacket) error {
	return queuedError(fd, func(inner []byte) bool {
		return len(inner) >= 4 && binary.BigEndian.Uint16(inner) == init.source && binary.BigEndian.Uint16(inner[2:]) == init.destination
	})
}
