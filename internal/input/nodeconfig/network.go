package nodeconfig

import (
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/internal/input/cni"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// ParseCNI parses the name of a network plugin, or "auto".
func ParseCNI(s string) (string, error) {
	if s == cni.Auto {
		return s, nil
	}
	_, err := cni.Lookup(s)
	return s, err
}

// Network gives the settings that suit a network plugin to those that are not given, and
// says what the user must know of the plugin. Given are the places of given settings, by the
// name of their field. It returns the names of the settings that it gave, sorted.
func (c *NodeConfig) Network(s *cni.System, p cni.Preset, given map[string]ir.Origin) (set []string, said diag.List) {
	at := given["cni"]
	if _, fixed := given["detectLocal"]; !fixed && p.DetectLocal != "" {
		if d, err := ParseDetectLocal(p.DetectLocal); err == nil {
			c.Config.DetectLocal, set = d, append(set, "detectLocal")
		}
	} else if !fixed {
		said.Add(diag.UnknownNetwork, at, fmt.Sprintf("%s: %s", s.Name, strings.Join(append(slices.Clone(s.Give), s.Why), "; ")))
	}
	if _, fixed := given["masqAgent"]; !fixed && p.NonMasquerade != nil {
		c.Config.Masquerade, set = egressBut(p.NonMasquerade, at), append(set, "masqAgent")
	}
	bit, notes := c.networkBit(s, given)
	if bit != c.MasqueradeBit {
		c.MasqueradeBit, set = bit, append(set, "masqueradeBit")
	}
	said = append(said, notes...)
	if off := strings.Join(s.SwitchOff, "; "); off != "" {
		said.Add(diag.NetworkServes, at, fmt.Sprintf("%s %s; to switch off: %s", s.Title, serving(s.Services), off))
		said[len(said)-1].Note = !s.Conflicts()
	}
	slices.Sort(set)
	return set, said
}

// serving says who serves Services, as a predicate.
func serving(s cni.Services) string {
	switch s {
	case cni.ReplacesServices:
		return "serves Services in the place of kube-proxy"
	case cni.PodServices:
		return "serves Services to pods"
	}
	return "may serve Services"
}

// egressBut is ip-masq-agent's masquerade of IPv4 with the destinations left alone, and
// link-local ones, as the agent does by default.
func egressBut(exclude []netip.Prefix, at ir.Origin) ir.Masquerade {
	at.Path = "cni"
	return ir.Masquerade{Families: []ir.Family{ir.IPv4}, Exclude: ir.DisjointPrefixes(append(slices.Clone(exclude), linkLocal4)), Origin: at}
}

// networkBit returns the masquerade bit: a free one where the plugin takes the default for
// itself. A given bit stays, and is a finding.
func (c *NodeConfig) networkBit(s *cni.System, given map[string]ir.Origin) (bit int, said diag.List) {
	bit = c.MasqueradeBit
	at, fixed := given["masqueradeBit"]
	taken := s.On(1 << bit)
	free, ok := s.FreeBit()
	switch {
	case len(taken) == 0 && s.SharesBit() && bit != Default().MasqueradeBit:
		said.Add(diag.MarkCollision, at, fmt.Sprintf("%s reads and sets kube-proxy's bit %d, and not bit %d: it no longer sees what planec masquerades", s.Title, Default().MasqueradeBit, bit))
	case len(taken) == 0:
	case !ok:
		said.Add(diag.MarkCollision, at, fmt.Sprintf("%s uses bit %d (%v), and no other bit is free", s.Title, bit, taken[0]))
	case fixed:
		said.Add(diag.MarkCollision, at, fmt.Sprintf("%s uses bit %d (%v: %s); bit %d is free", s.Title, bit, taken[0], taken[0].Use, free))
	default:
		said.Add(diag.MarkCollision, given["cni"], fmt.Sprintf("%s uses bit %d (%v: %s), so planec's is bit %d", s.Title, bit, taken[0], taken[0].Use, free))
		said[len(said)-1].Note = true
		bit = free
	}
	return bit, said
}

// NetworkMarks says which marks of a plugin lie on bits that a backend uses beside the
// masquerade bit: ipvs selects virtual services by them.
func (c *NodeConfig) NetworkMarks(s *cni.System, backend string) (said diag.List) {
	if backend != ipvs.Name {
		return nil
	}
	own := ipvs.MarkBits(c.MasqueradeBit)
	for _, m := range s.On(own) {
		said.Add(diag.MarkCollision, ir.Origin{}, fmt.Sprintf("%s uses %v (%s), and backend ipvs marks packets on %d of these bits to choose a virtual service: use another backend", s.Title, m, m.Use, bits.OnesCount32(m.Mask&own)))
	}
	return said
}
