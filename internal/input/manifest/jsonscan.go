package manifest

import "errors"

// Errors of a value before it is decoded. After the first two, the scanner
// is behind the value, so that reading can continue.
var (
	errTooLarge = errors.New("it is larger than 8 MiB, which no cluster stores")
	errTooDeep  = errors.New("it nests deeper than 200 levels")
	errCut      = errors.New("the text ends in the middle of it")
	errNoValue  = errors.New("a value is missing")
)

// scanValue takes the next JSON value, which starts at the current position,
// and returns its text. It only knows strings and brackets; the decoder checks
// whether the text is JSON.
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

// valueScan finds the end of one JSON value in a text that arrives in parts.
type valueScan struct {
	depth, deepest int
	inString, esc  bool
	// scalar reports a number or a word, which ends only where something else follows.
	scalar, done bool
}

// feed scans the next part and returns how much of it belongs to the value.
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

// stringPart scans a string from b[i] and returns the index of the last
// scanned byte; with done set, it returns how much of b belongs to the value.
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
