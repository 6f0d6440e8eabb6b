package cnilayout_test

import (
	"fmt"
	"testing"

	"github.com/planec/planec/golden"
	"github.com/planec/planec/internal/input/cni"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

// neighbour is a table that changes the marks of all packets, wherever a plugin's own
// rules may, before and after planec's.
func neighbour(change string) string {
	text := "table inet neighbour {\n"
	for _, hook := range []string{"prerouting", "input", "forward", "output", "postrouting"} {
		for _, priority := range []int{-310, -155, -99, 12, 99} {
			text += fmt.Sprintf("chain %s%d { type filter hook %s priority %d; meta mark set %s; }\n", hook, priority+1000, hook, priority, change)
		}
	}
	return text + "}\n"
}

// marking are the systems of the table with marks of their own, one for each set of bits,
// and one that takes planec's default.
func marking() (list []cni.System) {
	seen := map[uint32]bool{0: true}
	for _, s := range cni.Systems() {
		if !seen[s.Taken()] {
			seen[s.Taken()] = true
			list = append(list, s)
		}
	}
	return append(list, cni.System{Name: "takes-bit-14", Marks: []cni.Mark{{Value: 1 << 14, Mask: 1 << 14, Use: "a test"}}})
}

// withBit compiles a case with the masquerade bit that a system's preset chooses.
func withBit(s *cni.System) func(*nodeconfig.NodeConfig) {
	return func(c *nodeconfig.NodeConfig) {
		preset := s.Preset()
		preset.DetectLocal, preset.NonMasquerade = "", nil
		c.Network(s, preset, map[string]ir.Origin{"detectLocal": {}})
	}
}

// TestMarks: a neighbour that sets, or clears, all bits of a plugin's marks changes nothing of
// what planec masquerades, with the bit that the plugin's preset chose.
func TestMarks(t *testing.T) {
	t.Parallel()
	for at, k := range kernels() {
		t.Run(k.Name, func(t *testing.T) {
			testkit.Require(t, append(k.Tools, "nft")...)
			names := []string{"cluster-ip", "hairpin", "masq-agent"}
			if at > 0 && !*soak {
				names = names[:1]
			}
			for _, s := range marking() {
				for verb, change := range map[string]string{
					"set": fmt.Sprintf("meta mark or %#x", s.Taken()), "cleared": fmt.Sprintf("meta mark and %#x", ^s.Taken()),
				} {
					t.Run(s.Name+"/"+verb, func(t *testing.T) {
						t.Parallel()
						for _, name := range names {
							for _, d := range beside(t, k, byName(t, name), withBit(&s), change) {
								t.Errorf("%s: %v", name, d)
							}
						}
					})
				}
			}
		})
	}
}

// TestMarksCollide: with a bit that a neighbour takes, the flows are not what they should be;
// so TestMarks would see it.
func TestMarksCollide(t *testing.T) {
	t.Parallel()
	for _, k := range kernels() {
		t.Run(k.Name, func(t *testing.T) {
			testkit.Require(t, append(k.Tools, "nft")...)
			same := func(*nodeconfig.NodeConfig) {}
			if wrong := beside(t, k, byName(t, "cluster-ip"), same, "meta mark or 0x4000"); len(wrong) == 0 {
				t.Error("a neighbour that sets planec's bit changes nothing")
			}
		})
	}
}

// beside makes the flows of a case on a node with a neighbour that changes marks.
func beside(t *testing.T, k testkit.Kernel, c golden.Case, set func(*nodeconfig.NodeConfig), change string) []testkit.Disagreement {
	t.Helper()
	settings := given(t, c)
	set(&settings)
	p, o := compileWith(t, settings, c)
	flows, load := prepared(t, k, p, o, c)
	return testkit.Differences(t, testkit.Layout{}, p, flows, func(r *testkit.Rig) error {
		if err := load(r); err != nil {
			return err
		}
		return r.LoadNFT(neighbour(change))
	}).Disagreements
}
