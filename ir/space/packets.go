package space

// Packets is a box of packets in evaluation. Questions about it narrow it to the packets
// with one answer, and keep those with other answers for later. It must not be copied.
type Packets struct {
	box  Box
	rest []Box
	// err is the first question that has no exact answer.
	err error
}

// New returns the packets of a box for an evaluation outside of [Walk].
func New(b Box) *Packets { return &Packets{box: b} }

// Box returns what is left of the box.
func (p *Packets) Box() Box { return p.box }

// IPv6 reports the family of the packets.
func (p *Packets) IPv6() bool { return p.box.IPv6 }

// Err returns why the evaluation is no evaluation of all packets of the box, or nil.
func (p *Packets) Err() error { return p.err }

// Fail ends the exactness of the evaluation.
func (p *Packets) Fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// In reports whether the packets have a field in the set.
func (p *Packets) In(f Field, s *Set) bool {
	in, out := p.box.Sets[f].Split(s)
	return p.cut(f, in, out)
}

// Is reports whether the packets have the value.
func (p *Packets) Is(f Field, n Number) bool {
	if m, ok := p.box.Sets[f].Point(); ok {
		return m == n
	}
	s := Point(n)
	return p.In(f, &s)
}

// Between reports whether the packets have a value in the interval.
func (p *Packets) Between(f Field, i Interval) bool {
	if m, ok := p.box.Sets[f].Point(); ok {
		return i.Contains(m)
	}
	s := Set{list: []Interval{i}}
	return p.In(f, &s)
}

// Masked reports whether the bits of a field in mask are value.
func (p *Packets) Masked(f Field, mask, value Number) bool {
	if !p.box.Sets[f].Bounded(mask) {
		p.Fail(errMask{f})
		return false
	}
	in, out := p.box.Sets[f].SplitMask(mask, value)
	return p.cut(f, in, out)
}

// cut narrows a field to in, if that is possible, and keeps what is out for later.
func (p *Packets) cut(f Field, in, out Set) bool {
	switch {
	case in.Empty():
		return false
	case out.Empty():
		return true
	}
	p.keep(f, out)
	p.box.Sets[f] = in
	return true
}

func (p *Packets) keep(f Field, s Set) {
	b := p.box
	b.Sets[f] = s
	p.rest = append(p.rest, b)
}

// errMask is a mask of so many bits that its values cannot be listed.
type errMask struct{ Field }

func (e errMask) Error() string {
	return "a mask with gaps of the " + e.String() + " selects too many values to list them"
}

// Walk evaluates every packet of the boxes: visit is called with boxes that are
// disjoint if the given ones are, and whose union, after the questions of each visit,
// is that of the given ones. It ends early when visit returns false.
func Walk(boxes []Box, visit func(*Packets) bool) {
	p := &Packets{rest: append([]Box(nil), boxes...)}
	for len(p.rest) > 0 {
		last := len(p.rest) - 1
		p.box = p.rest[last]
		p.rest = p.rest[:last]
		if !visit(p) {
			return
		}
	}
}
