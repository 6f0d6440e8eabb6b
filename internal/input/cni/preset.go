package cni

import (
	"net/netip"
	"slices"
)

// Preset is what a system says about the settings of a node.
type Preset struct {
	// DetectLocal is the value of detectLocal, or "" if the user must give it.
	DetectLocal string
	// NonMasquerade are the destinations that masqAgent leaves alone; nil is no masqAgent.
	NonMasquerade []netip.Prefix
}

// Preset returns the settings of the row.
func (s *System) Preset() Preset {
	p := Preset{DetectLocal: s.DetectLocal, NonMasquerade: slices.Clone(s.NonMasquerade)}
	if p.DetectLocal == Unknown {
		p.DetectLocal = ""
	}
	return p
}

// refined returns the settings of the row with what the configuration of its plugin says,
// and the reasons.
func (s *System) refined(p *plugin) (Preset, []string) {
	preset := s.Preset()
	var why []string
	set := func(detect, reason string) {
		if detect != preset.DetectLocal {
			why = append(why, reason)
		}
		preset.DetectLocal = detect
	}
	switch p.kind {
	case "bridge":
		if p.bridge != "" {
			set("bridge:"+p.bridge, "the bridge is "+p.bridge)
		}
		if p.masquerades && preset.NonMasquerade != nil {
			preset.NonMasquerade = nil
			why = append(why, "ipMasq is on: the plugin masquerades egress itself")
		}
	case "flannel":
		s.delegated(p.delegate, set)
	case "aws-cni":
		if p.prefix != "" && p.prefix != "__VETHPREFIX__" {
			set("prefix:"+p.prefix, "vethPrefix is "+p.prefix)
		}
	case "azure-vnet":
		if p.mode == "bridge" || p.mode == "tunnel" {
			name := p.bridge
			if name == "" {
				name = "azure0"
			}
			set("bridge:"+name, "the mode is "+p.mode+", with the bridge "+name)
		}
	}
	return preset, why
}

// delegated sets what flannel's delegate says: a bridge by default, else another plugin,
// which has the addresses of the node's podCIDR all the same.
func (s *System) delegated(d *plugin, set func(detect, reason string)) {
	switch {
	case d == nil:
	case d.kind != "" && d.kind != "bridge":
		set("node-cidr", "delegate is "+d.kind+" and no bridge; flannel's pods have addresses of the node's podCIDR")
	case d.bridge != "":
		set("bridge:"+d.bridge, "delegate's bridge is "+d.bridge)
	}
}
