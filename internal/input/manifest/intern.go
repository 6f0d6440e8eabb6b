package manifest

// interner gives equal strings one copy. Names of nodes, namespaces, labels and
// ports make most of the strings of a cluster.
type interner struct {
	strings map[string]*string
}

// maxInterned bounds what one interner remembers.
const maxInterned = 1 << 16

func newInterner() *interner { return &interner{strings: map[string]*string{}} }

func (in *interner) pointer(s string) *string {
	if p, ok := in.strings[s]; ok {
		return p
	}
	if len(in.strings) >= maxInterned {
		clear(in.strings)
	}
	in.strings[s] = &s
	return &s
}

func (in *interner) string(s string) string { return *in.pointer(s) }

// labels shares the keys and values of a map, which is changed.
func (in *interner) labels(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	shared := make(map[string]string, len(m))
	for k, v := range m {
		shared[in.string(k)] = in.string(v)
	}
	return shared
}

// share returns a pointer to an equal string that is shared. Objects of a Set
// are never changed, so it cannot be told.
func share[T ~string](in *interner, p *T) *T {
	if p == nil {
		return nil
	}
	v := T(in.string(string(*p)))
	return &v
}

// sharedBool returns a pointer to an equal value that is shared.
func sharedBool(p *bool) *bool {
	if p == nil {
		return nil
	}
	if *p {
		return &sharedTrue
	}
	return &sharedFalse
}

// These are not written to: objects of a Set are never changed.
var sharedTrue, sharedFalse = true, false
