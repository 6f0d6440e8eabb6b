package manifest

// Kind is a kind of objects that is read, with the versions that are, the newest first.
type Kind struct {
	Group, Name string
	Versions    []string
}

// Kinds returns the kinds that are read whatever the options.
func Kinds() []Kind {
	out := make([]Kind, 0, len(knownKinds))
	for _, k := range knownKinds {
		out = append(out, Kind{k.group, k.kind, k.versions})
	}
	return out
}

// IsPolicy reports whether the name of a kind is that of network policies, of any project.
func IsPolicy(kind string) bool { return isPolicy(kind) }
