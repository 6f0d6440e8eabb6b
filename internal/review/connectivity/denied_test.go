package connectivity_test

import (
	"testing"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/ir"
)

// TestDeniedWords has nothing let through, a little, and nearly everything.
func TestDeniedWords(t *testing.T) {
	var one clusterwide.Ports
	one.Spans[0] = []clusterwide.Span{{First: 80, Last: 80}}
	every := clusterwide.EveryPort()
	for want, d := range map[string]connectivity.Denied{
		"a/x cannot reach a/y on any port":           {Ports: every},
		"a/x cannot reach a/y on any port over IPv6": {Ports: every, Family: ir.IPv6},
		"a/x reaches a/y on 80/tcp only":             {Ports: every.Minus(one)},
		"a/x cannot reach a/y on 80/tcp":             {Ports: one},
	} {
		d.From, d.To = "a/x", "a/y"
		if got := d.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
