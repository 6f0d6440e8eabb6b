package conntrack

import (
	"encoding/binary"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/base/nlattr"
	"github.com/planec/planec/ir"
)

// Attributes of include/uapi/linux/netfilter/nfnetlink_conntrack.h that package nl
// lacks.
const (
	ctaFilter          = 25
	ctaFilterOrigFlags = 1
	// filterProtocol is CTA_FILTER_F_CTA_PROTO_NUM of
	// net/netfilter/nf_internals.h.
	filterProtocol = 1 << 3
	// statusExpected is IPS_EXPECTED of nf_conntrack_common.h.
	statusExpected = 1 << 0
)

// decode reads a message of a dump. The library's own reader knows no ports of
// SCTP. The second result is false for what has no addresses.
func decode(message []byte) (f Flow, ok bool) {
	if len(message) < nl.SizeofNfgenmsg {
		return f, false
	}
	for kind, value := range nlattr.All(message[nl.SizeofNfgenmsg:]) {
		switch kind {
		case nl.CTA_TUPLE_ORIG:
			f.Protocol, f.Src, f.Dst = tuple(value)
		case nl.CTA_TUPLE_REPLY:
			_, f.ReplySrc, f.ReplyDst = tuple(value)
		case nl.CTA_STATUS:
			f.Related = len(value) == 4 && binary.BigEndian.Uint32(value)&statusExpected != 0
		}
	}
	return f, f.Src.IsValid() && f.Dst.IsValid() && f.ReplySrc.IsValid() && f.ReplyDst.IsValid()
}

func tuple(b []byte) (proto ir.Protocol, src, dst netip.AddrPort) {
	var from, to netip.Addr
	var sport, dport uint16
	for kind, value := range nlattr.All(b) {
		switch kind {
		case nl.CTA_TUPLE_IP:
			for kind, a := range nlattr.All(value) {
				switch kind {
				case nl.CTA_IP_V4_SRC, nl.CTA_IP_V6_SRC:
					from, _ = netip.AddrFromSlice(a)
				case nl.CTA_IP_V4_DST, nl.CTA_IP_V6_DST:
					to, _ = netip.AddrFromSlice(a)
				}
			}
		case nl.CTA_TUPLE_PROTO:
			for kind, v := range nlattr.All(value) {
				switch {
				case kind == nl.CTA_PROTO_NUM && len(v) == 1:
					proto = ir.Protocol(v[0])
				case kind == nl.CTA_PROTO_SRC_PORT && len(v) == 2:
					sport = binary.BigEndian.Uint16(v)
				case kind == nl.CTA_PROTO_DST_PORT && len(v) == 2:
					dport = binary.BigEndian.Uint16(v)
				}
			}
		}
	}
	return proto, netip.AddrPortFrom(from, sport), netip.AddrPortFrom(to, dport)
}

// header returns the header of a request.
func header(f ir.Family) *nl.Nfgenmsg {
	m := &nl.Nfgenmsg{NfgenFamily: unix.AF_INET, Version: nl.NFNETLINK_V0}
	if f == ir.IPv6 {
		m.NfgenFamily = unix.AF_INET6
	}
	return m
}

// onlyProtocol restricts a dump to one protocol. Kernels before 5.8 ignore this.
func onlyProtocol(p ir.Protocol) []nl.NetlinkRequestData {
	orig := nl.NewRtAttr(unix.NLA_F_NESTED|nl.CTA_TUPLE_ORIG, nil)
	proto := orig.AddRtAttr(unix.NLA_F_NESTED|nl.CTA_TUPLE_PROTO, nil)
	proto.AddRtAttr(nl.CTA_PROTO_NUM, []byte{uint8(p)})
	filter := nl.NewRtAttr(unix.NLA_F_NESTED|ctaFilter, nil)
	filter.AddRtAttr(ctaFilterOrigFlags, nl.Uint32Attr(filterProtocol))
	return []nl.NetlinkRequestData{orig, filter}
}

// handle returns the attributes that identify an entry of the table, including the
// kernel's ID, so that a later entry with the same addresses is not affected.
func handle(message []byte) (out []byte) {
	rest := message[nl.SizeofNfgenmsg:]
	for kind, value := range nlattr.All(rest) {
		switch kind {
		case nl.CTA_TUPLE_ORIG, nl.CTA_ID, nl.CTA_ZONE:
			flags := uint16(0)
			if kind == nl.CTA_TUPLE_ORIG {
				flags = unix.NLA_F_NESTED
			}
			out = nlattr.Append(out, kind|flags, value)
		}
	}
	return out
}
