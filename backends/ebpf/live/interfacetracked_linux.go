package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Tracked returns those of some pods that have opened a connection to another one of them
// which connection tracking translates. The answers of such a connection must stay tracked.
func Tracked(pods []netip.Addr) (out []netip.Addr, err error) {
	among := make(map[netip.Addr]bool, len(pods))
	for _, a := range pods {
		among[a] = true
	}
	found := make(map[netip.Addr]bool)
	err = eachTracked(func(f *netlink.ConntrackFlow) error {
		client, server := addrOf(f.Forward.SrcIP), addrOf(f.Reverse.SrcIP)
		translated := server != addrOf(f.Forward.DstIP) || f.Reverse.SrcPort != f.Forward.DstPort
		if translated && among[client] && among[server] && !found[client] {
			found[client] = true
			out = append(out, client)
		}
		return nil
	})
	return out, err
}

// eachTracked calls f with the connections that the kernel tracks. A kernel without such a
// table has none.
func eachTracked(f func(*netlink.ConntrackFlow) error) error {
	for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
		flows, err := dumped(func() ([]*netlink.ConntrackFlow, error) {
			return netlink.ConntrackTableList(netlink.ConntrackTable, family)
		})
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading connection tracking: %w", err)
		}
		for _, flow := range flows {
			if err := f(flow); err != nil {
				return err
			}
		}
	}
	return nil
}

func addrOf(ip []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// Track has the kernel track the connections between some pods that the programs of both
// have accepted, and returns their number: rules of packets then take them for established,
// and not for what begins in its middle.
func (i *Interfaces) Track(pods []netip.Addr) (n int, err error) {
	among := make(map[netip.Addr]bool, len(pods))
	for _, a := range pods {
		among[a] = true
	}
	type ends struct {
		client, server netip.AddrPort
		protocol       uint8
	}
	half := make(map[ends]int)
	if _, err := i.Forget(func(l Leg) bool {
		if l.Protocol != unix.IPPROTO_TCP && l.Protocol != unix.IPPROTO_UDP || !among[l.Pod.Addr()] || !among[l.Peer.Addr()] {
			return false
		}
		if l.Outward {
			half[ends{l.Pod, l.Peer, l.Protocol}] |= 1
		} else {
			half[ends{l.Peer, l.Pod, l.Protocol}] |= 2
		}
		return false
	}); err != nil {
		return 0, err
	}
	for e, have := range half {
		if have != 3 { // one of the two programs has not accepted it
			continue
		}
		if err := track(e.client, e.server, e.protocol); err != nil {
			return n, fmt.Errorf("tracking the connection of %v to %v: %w", e.client, e.server, err)
		}
		n++
	}
	return n, nil
}

// What is known of a connection that goes on (enum ip_conntrack_status), and how long the
// kernel remembers it while nothing is sent, in seconds.
const (
	trackedStatus = 1<<1 | 1<<2 | 1<<3 // answered, assured, confirmed
	tcpTimeout    = 432000
	udpTimeout    = 120

	tcpEstablished = 3 // enum tcp_conntrack
	tcpLiberal     = 8 // IP_CT_TCP_FLAG_BE_LIBERAL: its window is not known
)

// track adds a connection to connection tracking, or says that it goes on if it is there.
func track(client, server netip.AddrPort, protocol uint8) error {
	family := uint8(unix.AF_INET)
	if client.Addr().Is6() {
		family = unix.AF_INET6
	}
	req := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_CTNETLINK<<8|nl.IPCTNL_MSG_CT_NEW, unix.NLM_F_ACK|unix.NLM_F_CREATE)
	req.AddData(&nl.Nfgenmsg{NfgenFamily: family, Version: nl.NFNETLINK_V0})
	req.AddData(tupleOf(nl.CTA_TUPLE_ORIG, client, server, protocol))
	req.AddData(tupleOf(nl.CTA_TUPLE_REPLY, server, client, protocol))
	req.AddData(nl.NewRtAttr(nl.CTA_STATUS, binary.BigEndian.AppendUint32(nil, trackedStatus)))
	timeout := uint32(udpTimeout)
	if protocol == unix.IPPROTO_TCP {
		timeout = tcpTimeout
		info := nl.NewRtAttr(unix.NLA_F_NESTED|nl.CTA_PROTOINFO, nil)
		tcp := info.AddRtAttr(unix.NLA_F_NESTED|nl.CTA_PROTOINFO_TCP, nil)
		tcp.AddRtAttr(nl.CTA_PROTOINFO_TCP_STATE, []byte{tcpEstablished})
		tcp.AddRtAttr(nl.CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, []byte{tcpLiberal, tcpLiberal})
		tcp.AddRtAttr(nl.CTA_PROTOINFO_TCP_FLAGS_REPLY, []byte{tcpLiberal, tcpLiberal})
		req.AddData(info)
	}
	req.AddData(nl.NewRtAttr(nl.CTA_TIMEOUT, binary.BigEndian.AppendUint32(nil, timeout)))
	_, err := req.Execute(unix.NETLINK_NETFILTER, 0)
	if errors.Is(err, unix.EEXIST) || errors.Is(err, unix.EBUSY) {
		return nil // it is there, with a translation
	}
	return err
}

func tupleOf(kind int, from, to netip.AddrPort, protocol uint8) *nl.RtAttr {
	source, destination := nl.CTA_IP_V4_SRC, nl.CTA_IP_V4_DST
	if from.Addr().Is6() {
		source, destination = nl.CTA_IP_V6_SRC, nl.CTA_IP_V6_DST
	}
	t := nl.NewRtAttr(unix.NLA_F_NESTED|kind, nil)
	ip := t.AddRtAttr(unix.NLA_F_NESTED|nl.CTA_TUPLE_IP, nil)
	ip.AddRtAttr(source, from.Addr().AsSlice())
	ip.AddRtAttr(destination, to.Addr().AsSlice())
	proto := t.AddRtAttr(unix.NLA_F_NESTED|nl.CTA_TUPLE_PROTO, nil)
	proto.AddRtAttr(nl.CTA_PROTO_NUM, []byte{protocol})
	proto.AddRtAttr(nl.CTA_PROTO_SRC_PORT, binary.BigEndian.AppendUint16(nil, from.Port()))
	proto.AddRtAttr(nl.CTA_PROTO_DST_PORT, binary.BigEndian.AppendUint16(nil, to.Port()))
	return t
}
