package cni

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/internal/base/suggest"
)

// Auto is the word for --cni that has the plugin found on the node.
const Auto = "auto"

// Systems returns all rows, sorted by name.
func Systems() []System {
	list := slices.Concat(calicos(), ciliums(), clouds(), metas(), openVSwitches(), ovns(), plains(), sdns())
	slices.SortFunc(list, func(a, b System) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Lookup returns the system with a name or an alias. The error for an unknown one
// suggests what may be meant.
func Lookup(word string) (*System, error) {
	var known []string
	for _, s := range Systems() {
		if s.Name == word || slices.Contains(s.Aliases, word) {
			return &s, nil
		}
		known = append(append(known, s.Name), s.Aliases...)
	}
	if meant := suggest.DidYouMean(word, known); meant != "" {
		return nil, fmt.Errorf("%.60q is no network plugin that planec knows%s", word, meant)
	}
	return nil, fmt.Errorf("%.60q is no network plugin that planec knows: planec cni lists them", word)
}

// prefixes parses networks of the table.
func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, 0, len(texts))
	for _, t := range texts {
		list = append(list, netip.MustParsePrefix(t))
	}
	return list
}

// vxlan, geneve and bgp are ports that several plugins listen on.
func vxlan(port uint16) Port { return Port{"UDP", port, "VXLAN"} }

func geneve() Port { return Port{"UDP", 6081, "Geneve"} }

func bgp() Port { return Port{"TCP", 179, "BGP"} }

// github is the address of a file of a public repository.
func github(repository, path string) string {
	return "https://github.com/" + repository + "/blob/HEAD/" + path
}
