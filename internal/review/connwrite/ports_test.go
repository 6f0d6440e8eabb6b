package connwrite_test

import (
	"slices"
	"testing"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/connwrite"
	"github.com/planec/planec/ir"
)

// TestPorts: words for programs have no blanks, and say what ICMP and other protocols are.
func TestPorts(t *testing.T) {
	echo := clusterwide.Ports{Apart: []ir.PortRange{{Protocol: ir.ICMP, First: ir.TypeAndCode(8, 0), Last: ir.TypeAndCode(8, 255)}, ir.EveryPort(47)}}
	all := clusterwide.EveryPort()
	but := all.Minus(echo)
	for _, c := range []struct {
		set  clusterwide.Ports
		want []string
	}{
		{all, []string{"all"}},
		{echo, []string{"type-8/icmp", "protocol-47"}},
		{but, []string{"tcp", "udp", "sctp", "other", "!type-8/icmp", "!protocol-47"}},
	} {
		if got := connwrite.Ports(&c.set); !slices.Equal(got, c.want) {
			t.Errorf("%v: %q, want %q", c.set, got, c.want)
		}
	}
}
