package manifest

import (
	"slices"

	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
)

// Kind is a kind of objects that is read, with the versions that are, the newest first.
type Kind struct {
	Group, Name string
	Versions    []string
	// Optional says that clusters may lack the kind.
	Optional bool
	// Twin is a group that has the same objects, and is read instead where there are
	// both; "" is none.
	Twin string
	// Beside are groups without all of which no object needs the kind; nil is always.
	Beside []string
}

// Kinds returns the kinds that are read whatever the options.
func Kinds() []Kind {
	out := make([]Kind, 0, len(knownKinds))
	for _, k := range knownKinds {
		kind := Kind{Group: k.group, Name: k.kind, Versions: k.versions}
		switch {
		case k.group == calicov3.Group:
			kind.Optional, kind.Twin = true, calicov3.CRDGroup
		case k.group == calicov3.CRDGroup, k.group == ciliumv2.Group, k.group == metallbv1beta1.Group, k.group == mcs.Group:
			kind.Optional = true
		case k.kind == "ServiceAccount":
			kind.Optional, kind.Beside = true, []string{calicov3.Group, calicov3.CRDGroup}
		}
		out = append(out, kind)
	}
	return out
}

// IsEntry reports whether a kind of a group is read with [Options.Entries].
func IsEntry(group, kind string) bool { return slices.Contains(entryGroups[kind], group) }

// IsPolicy reports whether the name of a kind is that of network policies, of any project.
func IsPolicy(kind string) bool { return isPolicy(kind) }
