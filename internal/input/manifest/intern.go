package manifest

// interner deduplicates strings. Names of nodes, namespaces, labels and ports
// are most of the strings of a cluster.
type interner struct {
	strings map[string]*string
}

// maxInterned bounds the strings in one interner.
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

// labels shares the keys and values of a map, in place.
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

// share returns a shared pointer to an equal string. That is safe because
// objects of a Set never change.
func share[T ~string](in *interner, p *T) *T {
	if p == nil {
		return nil
	}
	v := T(in.string(string(*p)))
	return &v
}

// sharedBool returns a shared pointer to an equal value.
func sharedBool(p *bool) *bool {
	if p == nil {
		return nil
	}
	if *p {
		return &sharedTrue
	}
	return &sharedFalse
}

// These are never written, because objects of a Set never change.
var sharedTrue, sharedFalse = true, false
