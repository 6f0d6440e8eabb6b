package live

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// rawFrame is a UDP packet of pod 1 to pod 2, with what stands between the addresses of Ethernet
// and IP.
func rawFrame(tags ...byte) []byte {
	from, to := podAddrs(1)[0].As4(), podAddrs(2)[0].As4()
	ip := []byte{0x45, 0, 0, 32, 0, 1, 0, 0, 64, unix.IPPROTO_UDP, 0, 0}
	ip = append(append(ip, from[:]...), to[:]...)
	var sum uint32
	for i := 0; i < len(ip); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum+sum>>16))
	frame := append([]byte{2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 9, 9}, tags...)
	frame = append(append(frame, 0x08, 0x00), ip...)
	return append(frame, 0x30, 0x39, 0, 90, 0, 12, 0, 0, 'r', 'a', 'w', '!')
}

// arrives sends a frame from pod 1 and reports whether it comes to pod 2.
func (r *podRig) arrives(frame []byte, patience time.Duration) (came bool) {
	r.Helper()
	var c net.PacketConn
	if err := r.pods[2].do(func() (err error) {
		c, err = net.ListenPacket("udp", netip.AddrPortFrom(podAddrs(2)[0], 90).String())
		return err
	}); err != nil {
		r.Fatal(err)
	}
	defer c.Close()
	r.sends(1, frame)
	b := make([]byte, 100)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	n, _, err := c.ReadFrom(b)
	return err == nil && string(b[:n]) == "raw!"
}

// TestTagsHideNothing: the kernel takes two VLAN tags of number 0 off a packet, one of them behind
// the programs, which must not take it for a packet without IP.
func TestTagsHideNothing(t *testing.T) {
	r := newPodRig(t)
	r.add(1)
	r.add(2)
	r.put(r.program(policies{egress: map[int][]int{1: nil}}))
	frames := map[string][]byte{
		"no tag": rawFrame(), "one tag": rawFrame(0x81, 0, 0, 0), "two tags": rawFrame(0x81, 0, 0, 0, 0x81, 0, 0, 0),
		"a service tag": rawFrame(0x88, 0xa8, 0, 0, 0x81, 0, 0, 0),
	}
	for name, f := range frames {
		if !r.arrives(f, patience) {
			t.Errorf("%s: without programs it does not arrive, so this test shows nothing", name)
		}
	}
	r.attach()
	for name, f := range frames {
		if r.arrives(f, impatience) {
			t.Errorf("%s: the policy of the pod that sends does not hold", name)
		}
	}
	for cut := range len(rawFrame()) {
		if cut >= 14 && r.arrives(rawFrame()[:cut], time.Millisecond) {
			t.Errorf("%d bytes arrive", cut)
		}
	}
}
