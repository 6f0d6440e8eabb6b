package frr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/ir/bgp"
)

// word cleans a text for a comment or a description: letters, digits, spaces and a few signs stay,
// and it has at most 80 bytes.
func word(text string) string {
	const most = 80
	var b strings.Builder
	for _, r := range text {
		if b.Len() == most {
			break
		}
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" -_./:", r):
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	return strings.TrimSpace(b.String())
}

// neighborID is what FRR calls a neighbor.
func neighborID(n *bgp.Neighbor) string {
	if n.Interface != "" {
		return n.Interface
	}
	return n.Address.String()
}

// mapName is the name of the route map of a neighbor.
func mapName(r *bgp.Router, n *bgp.Neighbor) string {
	name := "planec-" + neighborID(n)
	if r.VRF != "" {
		name += "-" + r.VRF
	}
	return name
}

// profileName is the name of a BFD profile: FRR takes 63 bytes (BFD_PROFILE_NAME_LEN).
func profileName(name string) string {
	const most = 63
	odd := func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.') }
	if len(name) <= most && !strings.ContainsFunc(name, odd) {
		return name
	}
	return fmt.Sprintf("planec-%08x", hash(name))
}

// why names the Services that a network is announced for, the first few of many.
func why(reasons []bgp.Reason) string {
	const most = 3
	var names []string
	for _, r := range reasons {
		if name := "Service " + r.Service; r.Service == "" {
			names = append(names, "pods of the node")
		} else {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	for i := range names {
		names[i] = word(names[i])
	}
	return strings.Join(names, ", ") + more
}
