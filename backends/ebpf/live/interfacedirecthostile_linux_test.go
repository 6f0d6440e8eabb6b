package live

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/ir"
)

// dialFrom connects from a port that other sockets of the pod may have too.
func (p *pod) dialFrom(from, to netip.AddrPort, protocol ir.Protocol) (c net.Conn, err error) {
	share := func(_, _ string, c syscall.RawConn) (err error) {
		return errors.Join(c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) }), err)
	}
	d := net.Dialer{Timeout: patience, Control: share, LocalAddr: net.TCPAddrFromAddrPort(from)}
	if protocol == ir.UDP {
		d.LocalAddr = net.UDPAddrFromAddrPort(from)
	}
	err = p.do(func() error {
		c, err = d.DialContext(context.Background(), protocol.String(), to.String())
		return err
	})
	return c, err
}

// TestDirectPodsSamePort: a connection with the ends of one that rules have translated is the
// stack's, so that connection tracking gives it another port. Both go on.
func TestDirectPodsSamePort(t *testing.T) {
	r := newDirectRig(t, policies{})
	r.nft(fmt.Sprintf("table inet ports {\n chain c {\n type nat hook prerouting priority dstnat\n meta l4proto { tcp, udp } th dport 9999 ip daddr 192.0.2.1 dnat to %v:80\n }\n}\n", podAddrs(1)[0]))
	from := netip.AddrPortFrom(podAddrs(2)[0], 20123)
	for _, protocol := range []ir.Protocol{ir.TCP, ir.UDP} {
		var open []net.Conn
		for _, to := range []netip.AddrPort{netip.AddrPortFrom(r.nodeAddrs[0], 9999), netip.AddrPortFrom(podAddrs(1)[0], 80)} {
			c, err := r.pods[2].dialFrom(from, to, protocol)
			if err != nil {
				t.Fatalf("%v to %v: %v", protocol, to, err)
			}
			defer c.Close()
			open = append(open, c)
			for _, c := range open {
				if err := echoes(c, patience); err != nil {
					t.Errorf("%v to %v, with %d open: %v", protocol, c.RemoteAddr(), len(open), err)
				}
			}
		}
	}
}

// frameOf is a packet as a pod with NET_RAW can send it: a TCP SYN or a datagram to the hardware
// address of the node's end of its interface. Its checksum is wrong: the kernel of the pod that it
// comes to drops it.
func frameOf(via int, from, to netip.AddrPort, protocol ir.Protocol) []byte {
	next, transport := byte(unix.IPPROTO_TCP), make([]byte, 20)
	if protocol == ir.UDP {
		next, transport = unix.IPPROTO_UDP, make([]byte, 8)
		binary.BigEndian.PutUint16(transport[4:], 8)
		binary.BigEndian.PutUint16(transport[6:], 1)
	} else {
		transport[12], transport[13] = 0x50, 2
	}
	binary.BigEndian.PutUint16(transport, from.Port())
	binary.BigEndian.PutUint16(transport[2:], to.Port())
	frame := []byte{2, 0, 0, 0, 1, byte(via), 2, 0, 0, 0, 9, 9, 0x08, 0}
	if from.Addr().Is6() {
		frame[12], frame[13] = 0x86, 0xdd
		frame = append(frame, 0x60, 0, 0, 0, 0, byte(len(transport)), next, 64)
		frame = append(append(frame, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
		return append(frame, transport...)
	}
	ip := append([]byte{0x45, 0, 0, byte(20 + len(transport)), 0, 1, 0, 0, 64, next, 0, 0}, from.Addr().AsSlice()...)
	ip = append(ip, to.Addr().AsSlice()...)
	binary.BigEndian.PutUint16(ip[10:], checksumOf(ip))
	return append(append(frame, ip...), transport...)
}

// checksumOf is the checksum of RFC 1071 over an even number of bytes.
func checksumOf(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	sum = sum&0xffff + sum>>16
	return ^uint16(sum + sum>>16)
}

// sends has a pod send frames.
func (r *podRig) sends(pod int, frames ...[]byte) {
	r.Helper()
	if err := r.pods[pod].do(func() error {
		eth0, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		for _, f := range frames {
			if err := unix.Sendto(fd, f, 0, &unix.SockaddrLinklayer{Ifindex: eth0.Index}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		r.Fatal(err)
	}
}

// TestDirectPodsSpoofed: a pod that sends with another's address does not take its connections
// from the way that they have, at either end.
func TestDirectPodsSpoofed(t *testing.T) {
	r := newPodRig(t)
	r.interfaces.Direct = anyPod()
	for n := 1; n <= 3; n++ {
		r.add(n)
	}
	r.put(r.program(policies{}))
	r.knowNeighbours()
	r.place(placesOf(1, 2, 3)...)
	for _, a := range r.attemptsOf(2, 1) {
		c, err := a.dial(patience)
		if err != nil {
			t.Fatalf("%v: %v", a.Packet, err)
		}
		defer c.Close()
		client, err := netip.ParseAddrPort(c.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		server := netip.AddrPortFrom(a.Dst, a.Port)
		for range 2 {
			r.sends(3, frameOf(3, client, server, a.Protocol), frameOf(3, server, client, a.Protocol))
			r.ageLegs(time.Second)
			before := r.forwarded()
			if err := echoes(c, patience); err != nil {
				t.Errorf("%v: %v", a.Packet, err)
			}
			if n := r.forwarded(); n != before {
				t.Errorf("%v: the stack has forwarded %d packets", a.Packet, n-before)
			}
			r.ageLegs(5 * time.Minute)
		}
	}
}

// TestDirectPodsForeignFrames: a frame to another hardware address than the node's is not for the
// node, whatever IP says.
func TestDirectPodsForeignFrames(t *testing.T) {
	r := newDirectRig(t, policies{})
	if !r.arrives(rawFrame(), patience) {
		t.Fatal("a frame to the node does not arrive, so this test shows nothing")
	}
	for _, mac := range []net.HardwareAddr{{2, 0, 0, 0, 7, 7}, {255, 255, 255, 255, 255, 255}, {1, 0, 0x5e, 0, 0, 1}} {
		if r.arrives(append(mac, rawFrame()[len(mac):]...), impatience) {
			t.Errorf("a frame to %v arrives", mac)
		}
	}
}

// TestDirectPodsForgottenEnd: one end of a connection is forgotten for lack of room, and its answers
// would be denied. It goes on, since the other end's packets are judged where they arrive.
func TestDirectPodsForgottenEnd(t *testing.T) {
	r := newPodRig(t)
	r.interfaces.Direct = anyPod()
	r.add(1)
	r.add(2)
	x := policies{ingress: map[int][]int{1: {2}}}
	r.put(r.program(x))
	r.knowNeighbours()
	r.place(placesOf(1, 2)...)
	for _, a := range r.attemptsOf(2, 1) {
		// Answers are denied of TCP as such, and of UDP as what the pod sends.
		if x.egress = nil; a.Protocol == ir.UDP {
			x.egress = map[int][]int{1: nil}
		}
		r.put(r.program(x))
		c, err := a.dial(patience)
		if err != nil {
			t.Fatalf("%v: %v", a.Packet, err)
		}
		defer c.Close()
		r.ageLegs(2 * time.Second) // a packet is noted once a second
		if err := r.node.do(func() error {
			n, err := r.interfaces.Forget(func(l Leg) bool { return l.Pod.Addr() == a.Dst && l.Peer.String() == c.LocalAddr().String() })
			if n != 1 {
				t.Errorf("%v: %d ends are forgotten", a.Packet, n)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := echoes(c, patience); err != nil {
			t.Errorf("%v: %v", a.Packet, err)
		}
	}
}
