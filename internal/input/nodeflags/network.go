package nodeflags

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/input/cni"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// RegisterDetection adds the flag of commands that are about the node they run on: there
// --cni auto looks at the node.
func (s *Flags) RegisterDetection(flags *pflag.FlagSet) {
	s.looks = true
	ConfDirFlag(flags, &s.cniConfDir)
}

// ConfDirFlag adds the flag for the directory of CNI configurations.
func ConfDirFlag(flags *pflag.FlagSet, dir *string) {
	flags.StringVar(dir, "cni-conf-dir", cni.ConfDir, "where the node's CNI configurations are, to find its network plugin")
}

// errNotHere is the answer to --cni auto away from the node.
var errNotHere = errors.New("--cni auto: only planec-agent, apply, verify and config view look at the node they run on; give the plugin's name, which planec cni --detect says")

// useNetwork gives the settings of the network plugin, if one is named, to those that are
// not given.
func (s *Flags) useNetwork(c *nodeconfig.NodeConfig) (said diag.List, err error) {
	s.network, s.preset = nil, nil
	if s.looks && s.flags.Changed("cni-conf-dir") && c.CNI != cni.Auto {
		return nil, errors.New("--cni-conf-dir has no meaning without --cni auto")
	}
	if c.CNI == "" {
		return nil, nil
	}
	given, err := s.Origins()
	if err != nil {
		return nil, err
	}
	found, said, err := s.find(c.CNI, given["cni"])
	if err != nil {
		return nil, err
	}
	s.network = &found
	if found.System == nil {
		return said, nil
	}
	set, more := c.Network(found.System, found.Preset, given)
	s.preset = set
	return append(said, more...), nil
}

// find is the named system, or the one of the node.
func (s *Flags) find(name string, at ir.Origin) (cni.Found, diag.List, error) {
	if name != cni.Auto {
		system, err := cni.Lookup(name)
		if err != nil {
			return cni.Found{}, nil, err
		}
		return cni.Found{System: system, Preset: system.Preset()}, nil, nil
	}
	if !s.looks {
		return cni.Found{}, nil, errNotHere
	}
	found := s.LookAgain()
	return found, Said(&found, at), nil
}

// Said are the findings of a look at a node.
func Said(found *cni.Found, at ir.Origin) (said diag.List) {
	for _, u := range found.Unread {
		said.Add(diag.UnreadNetwork, ir.Origin{File: u.File}, u.Why)
	}
	why := strings.Join(found.Why, "; ")
	if found.System == nil {
		said.Add(diag.NoNetworkFound, at, why)
		return said
	}
	said.Add(diag.NetworkFound, at, fmt.Sprintf("the network plugin is %s (%s): %s", found.System.Title, found.System.Name, why))
	return said
}

// LookAgain looks at the node as Read does with --cni auto.
func (s *Flags) LookAgain() cni.Found { return cni.Detect(cni.Host{ConfDir: s.cniConfDir}) }

// Network returns what Read found of the node's network plugin; nil is that no plugin was
// named. Its System is nil where the node does not tell.
func (s *Flags) Network() *cni.Found { return s.network }

// Preset returns the names of the settings that the network plugin's preset gave, sorted.
func (s *Flags) Preset() []string { return slices.Clone(s.preset) }

// FromPreset reports whether the network plugin's preset gave the setting, by the name of
// its field in a NodeConfig.
func (s *Flags) FromPreset(setting string) bool { return slices.Contains(s.preset, setting) }
