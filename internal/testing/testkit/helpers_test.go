package testkit_test

import (
	"net/netip"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// flow makes a flow to "address:port"; src "" leaves the source out.
func flow(from eval.Entry, src, dst string, p ir.Protocol) testkit.Flow {
	to := netip.MustParseAddrPort(dst)
	f := testkit.Flow{From: from, Dst: to.Addr(), Protocol: p, Port: to.Port()}
	if src != "" {
		f.Src = addr(src)
	}
	return f
}
