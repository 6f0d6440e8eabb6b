package iptables_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// TestOneMoreMovesNothing adds frontends one at a time: all existing lines stay, and
// few are added, also for cluster sizes that internal/input/synth does not test. The
// sizes at which a tree gets deeper, which moves all of it, are excluded.
func TestOneMoreMovesNothing(t *testing.T) {
	for name, all := range map[string]func(n int) []ir.Match{
		"/12":         func(n int) []ir.Match { return inRange("10.96.0.0/12", n) },
		"/18":         func(n int) []ir.Match { return inRange("10.96.0.0/18", n) },
		"/108":        func(n int) []ir.Match { return inRange("fd00:10:96::/108", n) },
		"in a row":    inRow,
		"of 3 ports":  func(n int) []ir.Match { return ported(inRange("10.96.0.0/12", n/3+1), 80, 443, 9090)[:n] },
		"of nodePort": nodePorts,
	} {
		for _, n := range []int{20, 200, 600, 2000} {
			t.Run(fmt.Sprintf("%d %s", n, name), func(t *testing.T) {
				const more = 20
				matches := all(n + more)
				was := lineCounts(t, matches[:n])
				for i := range more {
					now := lineCounts(t, matches[:n+i+1])
					came := 0
					for l, k := range now {
						came += max(0, k-was[l])
					}
					for l, k := range was {
						if now[l] < k {
							t.Errorf("%v moves %s", matches[n+i], l)
						}
					}
					// Its rule and its Service's chain, and for each chain on the way a
					// declaration and a jump.
					if came > 5+2*5 {
						t.Errorf("%v brings %d lines", matches[n+i], came)
					}
					was = now
				}
			})
		}
	}
}

func lineCounts(t *testing.T, matches []ir.Match) map[string]int {
	t.Helper()
	files := emit(t, programAt(matches), backends.Options{})
	out := make(map[string]int)
	for _, name := range []string{"iptables.rules", "ip6tables.rules"} {
		for l := range strings.Lines(files[name]) {
			out[l]++
		}
	}
	return out
}
