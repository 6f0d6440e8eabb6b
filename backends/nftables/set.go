package nftables

// set is a named set or map. Its elements are text already, one per line,
// because a program has hundreds of thousands of them.
type set struct {
	// kind is "set" or "map".
	kind string
	name string
	// of is the line that declares the type of elements.
	of    string
	flags string
	size  string
	elems []byte
	// full holds the pieces of elements before elems. A single large buffer
	// would be copied at each growth, and again at the end.
	full [][]byte
	// late are the elements after those, or nil, and room is how long they are, at most.
	late *late
	room int
	// always declares the set even without elements, because rules name it.
	always bool
}

// Each element, also the last, ends with a comma, so an added element changes no other
// line.
const (
	elemIndent = "\t\t\t"
	elemEnd    = ",\n"
)

// pieceLen is the approximate length of a full piece, in bytes.
const pieceLen = 64 << 10

func (s *set) used() bool { return s.always || s.filled() }

func (s *set) filled() bool { return len(s.elems)+s.room > 0 }

// next starts an element.
func (s *set) next() []byte {
	if len(s.elems) > pieceLen {
		s.full = append(s.full, s.elems)
		s.elems = make([]byte, 0, pieceLen+1024)
	}
	return append(s.elems, elemIndent...)
}

// len returns an upper bound of the length of the elements, in bytes.
func (s *set) len() int {
	n := len(s.elems) + s.room
	for _, b := range s.full {
		n += len(b)
	}
	return n
}

// end finishes the element that next started.
func (s *set) end(b []byte) { s.elems = append(b, elemEnd...) }

// appendTo writes the set of a table as nft lists it, but with one element per line. It
// releases the elements.
func (s *set) appendTo(b []byte, t *table) []byte {
	if !s.used() {
		return b
	}
	b = append(b, "\t"+s.kind+" "+s.name+" {\n\t\t"+s.of+"\n"...)
	if s.size != "" {
		b = append(b, "\t\tsize "+s.size+"\n"...)
	}
	if s.flags != "" {
		b = append(b, "\t\tflags "+s.flags+"\n"...)
	}
	if s.filled() {
		b = append(b, "\t\telements = {\n"...)
		for i, piece := range s.full {
			b = append(b, piece...)
			s.full[i] = nil
		}
		b = append(b, s.elems...)
		s.elems, s.full = nil, nil
		if s.late != nil {
			b = s.late.appendTo(b, t)
		}
		b = append(b, "\t\t}\n"...)
	}
	return append(b, "\t}\n\n"...)
}
