package space

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

// Equal reports whether two values are equal. Two fields are equal only if they are
// the same one: fields are never compared with each other.
func (p *Packets) Equal(a, b Value) bool {
	switch {
	case a.Known && b.Known:
		return a.Number == b.Number
	case a.Known:
		return p.Is(b.Field, a.Number)
	case b.Known:
		return p.Is(a.Field, b.Number)
	}
	return a.Field == b.Field
}

// Covers reports whether the bits of a value in mask are value.
func (p *Packets) Covers(v Value, mask, value Number) bool {
	if v.Known {
		return v.Number.And(mask) == value
	}
	return p.Masked(v.Field, mask, value)
}
