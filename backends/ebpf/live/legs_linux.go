package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/layout"
)

// legKey is struct leg_key of legs.h.
type legKey struct {
	Pod, Peer         layout.Address
	PodPort, PeerPort layout.Port
	Protocol, IPv6    uint8
	Request, Asker    uint8
}

// legValue is struct leg.
type legValue struct {
	Seen      uint64
	Direction uint8
	Closing   uint8
	Reserved  [2]uint8
	To        uint32
}

// Sizes of the keys and values in bytes.
const (
	legKeySize   = 40
	legValueSize = 16
)

// Leg is a pod's end of a connection that the programs let pass.
type Leg struct {
	Pod, Peer netip.AddrPort // ports are 0 where the protocol has none
	Protocol  uint8          // IPPROTO_*
	// Outward says that the pod has opened it.
	Outward bool
}

func (k *legKey) leg(v *legValue) Leg {
	address := func(a layout.Address) netip.Addr {
		if k.IPv6 != 0 {
			return netip.AddrFrom16(a)
		}
		return a.Addr()
	}
	return Leg{
		Pod: netip.AddrPortFrom(address(k.Pod), k.PodPort.Number()), Peer: netip.AddrPortFrom(address(k.Peer), k.PeerPort.Number()),
		Protocol: k.Protocol, Outward: v.Direction == layout.DirectionEgress,
	}
}

// Forget ends the connections that gone returns true for, and returns how many ends that were.
// The next packet of such a connection is judged by the policies of then.
func (i *Interfaces) Forget(gone func(Leg) bool) (n int, err error) {
	m, err := ebpf.LoadPinnedMap(filepath.Join(i.Dir, legsMap), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, fmt.Errorf("forgetting connections: %w", explain(err))
	}
	defer m.Close()
	room := int(m.MaxEntries()) + 64 // a look into a hash needs room for a bucket
	keys, values := make([][legKeySize]byte, room), make([][legValueSize]byte, room)
	found, err := readAll(m, keys, values)
	if err != nil {
		return 0, fmt.Errorf("forgetting connections: %w", err)
	}
	for at := range found {
		var k legKey
		var v legValue
		_, _ = binary.Decode(keys[at][:], binary.LittleEndian, &k) // both have fixed sizes
		_, _ = binary.Decode(values[at][:], binary.LittleEndian, &v)
		if !gone(k.leg(&v)) {
			continue
		}
		if err := m.Delete(&keys[at]); err == nil {
			n++
		} else if !errors.Is(err, ebpf.ErrKeyNotExist) {
			return n, fmt.Errorf("forgetting connections: %w", err)
		}
	}
	return n, nil
}

// The states of TCP in connection tracking (enum tcp_conntrack).
const (
	trackedFinWait  = 4
	trackedTimeWait = 7
)

// remember fills the legs with the connections that the kernel tracks, whose packets came past
// all rules: they are older than the programs. It returns how many ends of pods there were.
// A kernel without such a table has none.
func remember(legs *ebpf.Map, isPod func(netip.Addr) bool) (n int, err error) {
	var clock unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC_COARSE, &clock); err != nil {
		return 0, err
	}
	now := uint64(clock.Nano())
	err = eachTracked(func(f *netlink.ConntrackFlow) error {
		added, err := rememberFlow(legs, f, now, isPod)
		if n += added; err != nil {
			return fmt.Errorf("remembering connections: %w", err)
		}
		return nil
	})
	return n, err
}

func rememberFlow(legs *ebpf.Map, f *netlink.ConntrackFlow, now uint64, isPod func(netip.Addr) bool) (n int, err error) {
	switch f.Forward.Protocol {
	case unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_SCTP:
	default:
		return 0, nil
	}
	v := legValue{Seen: now}
	if tcp, ok := f.ProtoInfo.(*netlink.ProtoInfoTCP); ok {
		if tcp.State >= trackedTimeWait {
			return 0, nil
		}
		if tcp.State >= trackedFinWait {
			v.Closing = 1
		}
	}
	// The client's end is as it sent, the server's as it answers: translation is between them.
	for direction, t := range map[uint8]*netlink.IPTuple{layout.DirectionEgress: &f.Forward, layout.DirectionIngress: &f.Reverse} {
		k, pod := legOfTuple(t)
		if !isPod(pod) {
			continue
		}
		v.Direction = direction
		if err := legs.Put(&k, &v); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func legOfTuple(t *netlink.IPTuple) (legKey, netip.Addr) {
	pod, _ := netip.AddrFromSlice(t.SrcIP)
	peer, _ := netip.AddrFromSlice(t.DstIP)
	k := legKey{
		Pod: layout.AddressOf(pod), Peer: layout.AddressOf(peer), Protocol: t.Protocol,
		PodPort: layout.PortOf(t.SrcPort), PeerPort: layout.PortOf(t.DstPort),
	}
	if t.SrcIP.To4() == nil {
		k.IPv6 = 1
	}
	return k, pod.Unmap()
}
