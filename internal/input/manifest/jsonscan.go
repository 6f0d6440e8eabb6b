package manifest

import "errors"

// What can be wrong with a value before anybody decodes it. The scanner has
// moved behind the value for the first two, so that reading can go on.
var (
	errTooLarge = errors.New("it is larger than 8 MiB, which no cluster stores")
	errTooDeep  = errors.New("it nests deeper than 200 levels")
	errCut      = errors.New("the text ends in the middle of it")
	errNoValue  = errors.New("a value is missing")
)

// scanValue takes the next JSON value, which starts at the current position,
// and returns its text. It knows strings and brackets and nothing else; whether
// the text is JSON is for the decoder to say.
func (w *window) scanValue() ([]byte, error) {
	s := valueScan{}
	n, dropped := 0, false
	for {
		n += s.feed(w.rest()[n:])
		if s.done {
			break
		}
		if n > maxObject {
			w.take(n)
			n, dropped = 0, true
		}
		if !w.more() {
			if s.scalar {
				break
			}
			return nil, errCut
		}
	}
	text := w.take(n)
	switch {
	case dropped || len(text) > maxObject:
		return nil, errTooLarge
	case s.deepest > maxDepth:
		return nil, errTooDeep
	case len(text) == 0:
		return nil, errNoValue
	}
	return text, nil
}

// valueScan finds the end of one JSON value in text that comes in parts.
type valueScan struct {
	depth, deepest int
	inString, esc  bool
	// scalar is set in a number or a word, which only what follows ends.
	scalar, done bool
}

// feed looks at the next part and returns how much of it belongs to the value.
func (s *valueScan) feed(b []byte) int {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if s.inString {
			i = s.stringPart(b, i)
			if s.done {
				return i
			}
			continue
		}
		switch c {
		case '"':
			if s.scalar {
				s.done = true
				return i
			}
			s.inString = true
		case '{', '[':
			s.depth++
			s.deepest = max(s.deepest, s.depth)
		case '}', ']':
			if s.depth == 0 {
				s.done = true
				return i
			}
			s.depth--
			if s.depth == 0 {
				s.done = true
				return i + 1
			}
		case ',', ':', ' ', '\t', '\n', '\r':
			if s.depth == 0 {
				s.done = true
				return i
			}
		default:
			s.scalar = s.depth == 0
		}
	}
	return len(b)
}

// stringPart moves through a string from b[i] and returns the index of the
// last byte it looked at; with done set, how much of b belongs to the value.
func (s *valueScan) stringPart(b []byte, i int) int {
	for ; i < len(b); i++ {
		switch {
		case s.esc:
			s.esc = false
		case b[i] == '\\':
			s.esc = true
		case b[i] == '"':
			s.inString = false
			if s.depth == 0 {
				s.done = true
				return i + 1
			}
			return i
		}
	}
	return i
}
