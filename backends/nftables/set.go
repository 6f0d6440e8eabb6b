package nftables

// set is a named set or map. Its elements are text already, one a line: a
// program has hundreds of thousands of them.
type set struct {
	// kind is "set" or "map".
	kind string
	name string
	// of is the line that declares the type of elements.
	of    string
	flags string
	size  string
	elems []byte
	// always declares the set without elements too, since rules name it.
	always bool
}

const (
	elemIndent = "\t\t\t"
	elemEnd    = ",\n"
)

func (s *set) used() bool { return s.always || len(s.elems) > 0 }

// next starts an element.
func (s *set) next() []byte { return append(s.elems, elemIndent...) }

// end finishes the element that next started.
func (s *set) end(b []byte) { s.elems = append(b, elemEnd...) }

// appendTo writes the set as nft lists it, but one element a line.
func (s *set) appendTo(b []byte) []byte {
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
	if len(s.elems) > 0 {
		b = append(b, "\t\telements = {\n"...)
		b = append(b, s.elems[:len(s.elems)-len(elemEnd)]...)
		b = append(b, "\n\t\t}\n"...)
	}
	return append(b, "\t}\n\n"...)
}
