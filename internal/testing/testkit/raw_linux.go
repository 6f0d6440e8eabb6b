package testkit

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/planec/planec/ir"
	"golang.org/x/sys/unix"
)

// Packets of protocols without ports are not answered, because an answer would make
// conntrack accept packets of the other direction. Both sides listen to them instead,
// and hand what they receive to the client within this process.

// mail holds where the outcome of each packet under way is expected, by its number.
type mail struct {
	mutex   sync.Mutex
	waiting map[uint64]chan Outcome
}

// expect returns a number for a packet and where its outcome arrives. The number's
// lowest byte is the packet's type, by which an answer of the kernel differs from it.
func (m *mail) expect(icmpType uint8) (number uint64, outcome <-chan Outcome, done func()) {
	number = rand.Uint64()&^0xff | uint64(icmpType)
	c := make(chan Outcome, 1)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.waiting == nil {
		m.waiting = make(map[uint64]chan Outcome)
	}
	m.waiting[number] = c
	return number, c, func() {
		m.mutex.Lock()
		defer m.mutex.Unlock()
		delete(m.waiting, number)
	}
}

// deliver hands over an outcome.
func (m *mail) deliver(number uint64, o Outcome) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if c := m.waiting[number]; c != nil {
		select {
		case c <- o:
		default:
		}
	}
}

// rawMarker begins the content of a packet, after four zero bytes, which are a valid
// header of GRE (RFC 2784).
const rawMarker = "\x00\x00\x00\x00planec raw: "

// rawPayload is what follows the IP header.
func rawPayload(f Flow, number uint64) []byte {
	var b []byte
	if f.Protocol.HasTypes() {
		// Type, code, checksum, then a number for echo requests (RFC 792, RFC 4443).
		b = append(b, f.Type, f.Code, 0, 0)
		b = binary.BigEndian.AppendUint32(b, uint32(number))
	}
	b = binary.BigEndian.AppendUint64(append(b, rawMarker...), number)
	if f.Protocol == ir.ICMP { // the kernel computes that of ICMPv6
		binary.BigEndian.PutUint16(b[2:], internetChecksum(b))
	}
	return b
}

// internetChecksum is that of RFC 1071.
func internetChecksum(b []byte) uint16 {
	var sum uint32
	for pair := range slices.Chunk(b, 2) {
		sum += uint32(pair[0]) << 8
		if len(pair) == 2 {
			sum += uint32(pair[1])
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// rawNumber returns the number of a packet that the rig sent.
func rawNumber(p ir.Protocol, payload []byte) (uint64, bool) {
	if p.HasTypes() {
		if len(payload) < 8 {
			return 0, false
		}
		payload = payload[8:]
	}
	if len(payload) < len(rawMarker)+8 || string(payload[:len(rawMarker)]) != rawMarker {
		return 0, false
	}
	return binary.BigEndian.Uint64(payload[len(rawMarker):]), true
}

// listenRaw listens to a protocol without ports on both sides.
func (r *Rig) listenRaw(p ir.Protocol) error {
	at := Port{Protocol: p}
	if r.listeners[at] {
		return nil
	}
	r.listeners[at] = true
	for _, ns := range r.sides() {
		if err := r.listenRawIn(ns, p); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rig) listenRawIn(ns *namespace, p ir.Protocol) error {
	for _, f := range ir.Families() {
		file, err := ns.openRaw(f, p)
		if err != nil {
			return err
		}
		c, err := net.FilePacketConn(file)
		file.Close() // the net package uses a duplicate
		if err != nil {
			return err
		}
		r.closers = append(r.closers, c.Close)
		go r.mail.receive(ns.side, c.(*net.IPConn), f, p)
	}
	return nil
}

// openRaw opens a raw socket that also receives the destination of each packet.
func (n *namespace) openRaw(f ir.Family, p ir.Protocol) (file *os.File, err error) {
	err = n.do(func() error {
		fd, err := openSocket(familyNumber(f), p)
		if err != nil {
			return err
		}
		if f == ir.IPv6 {
			err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
		file = os.NewFile(uintptr(fd), p.String())
		return err
	})
	return file, err
}

// receive delivers the outcome of each packet until the socket is closed.
func (m *mail) receive(side Side, c *net.IPConn, f ir.Family, p ir.Protocol) {
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
		if number, ours := rawNumber(p, payload); ours && (!p.HasTypes() || payload[0] == uint8(number)) {
			client, _ := netip.AddrFromSlice(from.IP)
			m.deliver(number, Outcome{Fate: Answered, AnsweredBy: side, Endpoint: netip.AddrPortFrom(to, 0), Source: client.Unmap()})
		}
	}
}

// tryRaw sends a packet of a protocol without ports and waits for its outcome.
func (r *Rig) tryRaw(n *namespace, f Flow, deadline time.Time) Outcome {
	number, arrived, done := r.mail.expect(f.Type)
	defer done()
	var file *os.File
	err := n.do(func() (err error) {
		file, err = sendRaw(f, rawPayload(f, number))
		return err
	})
	if err != nil {
		return failure(err)
	}
	defer file.Close()
	if err := file.SetDeadline(deadline); err != nil {
		return failure(err)
	}
	refused := make(chan error, 1)
	go func() {
		refused <- awaitError(file, func(inner []byte) bool {
			about, ours := rawNumber(f.Protocol, inner)
			return ours && about == number
		})
	}()
	select {
	case o := <-arrived:
		return o
	case err := <-refused:
		return failure(err)
	}
}

func sendRaw(f Flow, payload []byte) (*os.File, error) {
	fd, err := openSocket(familyNumber(ir.FamilyOf(f.Dst)), f.Protocol)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), f.String())
	err = errors.Join(receiveErrors(fd, ir.FamilyOf(f.Dst)), connect(fd, f))
	if err == nil {
		err = sendFirst(fd, payload)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// receiveErrors makes a socket queue the ICMP errors about its packets.
func receiveErrors(fd int, f ir.Family) error {
	level, option := unix.IPPROTO_IPV6, unix.IPV6_RECVERR
	if f == ir.IPv4 {
		level, option = unix.IPPROTO_IP, unix.IP_RECVERR
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, level, option, 1))
}

// awaitError waits for an ICMP error about a packet, or for the socket's deadline.
func awaitError(file *os.File, about func(inner []byte) bool) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	buf := make([]byte, 2048)
	err = raw.Read(func(fd uintptr) bool {
		for {
			if result = queuedError(int(fd), about); result != nil {
				return true
			}
			if _, err := unix.Read(int(fd), buf); errors.Is(err, unix.EAGAIN) {
				return false
			}
		}
	})
	return errors.Join(err, result)
}

// queuedError empties the socket's queue of ICMP errors and returns the one about a
// packet, if any. A raw socket receives all errors between its two addresses, each
// with the packet that caused it.
func queuedError(fd int, about func(inner []byte) bool) error {
	buf, oob := make([]byte, 256), make([]byte, 512)
	for {
		count, noob, _, _, err := unix.Recvmsg(fd, buf, oob, unix.MSG_ERRQUEUE)
		if err != nil {
			return nil // the queue is empty
		}
		if !about(buf[:count]) {
			continue
		}
		messages, err := unix.ParseSocketControlMessage(oob[:noob])
		if err != nil {
			return err
		}
		for _, m := range messages {
			// struct sock_extended_err starts with the error number.
			if len(m.Data) >= 4 && (m.Header.Type == unix.IP_RECVERR || m.Header.Type == unix.IPV6_RECVERR) {
				return syscall.Errno(binary.NativeEndian.Uint32(m.Data))
			}
		}
	}
}
