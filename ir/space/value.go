package space

import "errors"

// Value is a value in an evaluation: one that is known, or a field of the packets.
type Value struct {
	// Field is the field, unless Known is set.
	Field Field
	// Known says that the value is Number, for all packets.
	Known  bool
	Number Number
}

// Known returns a known value.
func Known(n Number) Value { return Value{Known: true, Number: n} }

// Of returns the value of a field.
func (f Field) Value() Value { return Value{Field: f} }

// Within reports whether a value is in the set.
func (p *Packets) Within(v Value, s *Set) bool {
	if v.Known {
		return s.Contains(v.Number)
	}
	return p.In(v.Field, s)
}

// Inside reports whether a value is in the interval.
func (p *Packets) Inside(v Value, i Interval) bool {
	if v.Known {
		return i.Contains(v.Number)
	}
	return p.Between(v.Field, i)
}

// errFields says that two fields of packets are compared.
var errFields = errors.New("two fields of packets are compared with each other")

// Equal reports whether two values are equal. Two fields can only be compared if they are
// one, or if the packets have one value in each.
func (p *Packets) Equal(a, b Value) bool {
	switch {
	case a.Known && b.Known:
		return a.Number == b.Number
	case a.Known:
		return p.Is(b.Field, a.Number)
	case b.Known:
		return p.Is(a.Field, b.Number)
	}
	if a.Field == b.Field {
		return true
	}
	x, one := p.box.Sets[a.Field].Point()
	y, other := p.box.Sets[b.Field].Point()
	if !one || !other {
		p.Fail(errFields)
	}
	return x == y
}

// Covers reports whether the bits of a value in mask are value.
func (p *Packets) Covers(v Value, mask, value Number) bool {
	if v.Known {
		return v.Number.And(mask) == value
	}
	return p.Masked(v.Field, mask, value)
}
