package conntrack

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/base/nlattr"
	"github.com/planec/planec/ir"
)

// message is an entry as the kernel sends it.
func message(proto ir.Protocol, src, dst, replySrc, replyDst string) []byte {
	tuple := func(kind int, from, to netip.AddrPort) []byte {
		t := nl.NewRtAttr(unix.NLA_F_NESTED|kind, nil)
		ip := t.AddRtAttr(unix.NLA_F_NESTED|nl.CTA_TUPLE_IP, nil)
		if from.Addr().Is4() {
			ip.AddRtAttr(nl.CTA_IP_V4_SRC, from.Addr().AsSlice())
			ip.AddRtAttr(nl.CTA_IP_V4_DST, to.Addr().AsSlice())
		} else {
			ip.AddRtAttr(nl.CTA_IP_V6_SRC, from.Addr().AsSlice())
			ip.AddRtAttr(nl.CTA_IP_V6_DST, to.Addr().AsSlice())
		}
		p := t.AddRtAttr(unix.NLA_F_NESTED|nl.CTA_TUPLE_PROTO, nil)
		p.AddRtAttr(nl.CTA_PROTO_NUM, []byte{byte(proto)})
		p.AddRtAttr(nl.CTA_PROTO_SRC_PORT, nl.BEUint16Attr(from.Port()))
		p.AddRtAttr(nl.CTA_PROTO_DST_PORT, nl.BEUint16Attr(to.Port()))
		return t.Serialize()
	}
	at := netip.MustParseAddrPort
	b := make([]byte, nl.SizeofNfgenmsg)
	b = append(b, tuple(nl.CTA_TUPLE_ORIG, at(src), at(dst))...)
	b = append(b, tuple(nl.CTA_TUPLE_REPLY, at(replySrc), at(replyDst))...)
	b = append(b, nl.NewRtAttr(nl.CTA_STATUS, nl.BEUint32Attr(statusExpected)).Serialize()...)
	b = append(b, nl.NewRtAttr(nl.CTA_ID, nl.BEUint32Attr(7)).Serialize()...)
	return append(b, nl.NewRtAttr(nl.CTA_ZONE, nl.BEUint16Attr(9)).Serialize()...)
}

// TestDecode reads entries whole, and does not fail on any that is cut off.
func TestDecode(t *testing.T) {
	for _, a := range [][4]string{
		{"10.1.0.7:4000", "10.96.0.10:53", "10.2.0.1:5353", "192.0.2.11:61000"},
		{"[fd00::7]:4000", "[fd00:96::a]:53", "[fd00:2::1]:5353", "[2001:db8::11]:61000"},
	} {
		m := message(ir.SCTP, a[0], a[1], a[2], a[3])
		f, ok := decode(m)
		if got := [4]string{f.Src.String(), f.Dst.String(), f.ReplySrc.String(), f.ReplyDst.String()}; !ok || got != a || f.Protocol != ir.SCTP || !f.Related {
			t.Errorf("%v, %+v", ok, f)
		}
		var kinds []uint16
		for kind := range nlattr.All(handle(m)) {
			kinds = append(kinds, kind)
		}
		if len(kinds) != 3 || kinds[0] != nl.CTA_TUPLE_ORIG || kinds[1] != nl.CTA_ID || kinds[2] != nl.CTA_ZONE {
			t.Errorf("the entry is named by the attributes %v", kinds)
		}
		for n := range len(m) {
			if f, ok := decode(m[:n]); ok && (f.Src.String() != a[0] || f.ReplyDst.String() != a[3]) {
				t.Errorf("%d bytes of %d give %+v", n, len(m), f)
			}
		}
	}
}
