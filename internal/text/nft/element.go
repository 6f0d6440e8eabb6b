package nft

import (
	"bytes"
	"fmt"
	"iter"
)

// MaxComment is the longest comment that nft allows, in bytes
// (NFTNL_UDATA_COMMENT_MAXLEN).
const MaxComment = 128

// Element is one element of a set.
type Element struct {
	// Key are the values of the key's fields as the kernel has them in registers, those
	// of a concatenation each padded to 32 bits ([Pad]). Where the set has ranges, it is
	// the first key of the range and then the last one, of equal lengths.
	Key []byte
	// Data are the values of a map's data in the same form; none where those are
	// verdicts.
	Data []byte
	// Verdict is the verdict of a map of those, and Chain where it leads, if anywhere.
	Verdict Verdict
	Chain   []byte
	// Comment is what the text says about the element; nil where it says nothing.
	Comment []byte
	// Line is the element's line as it stands, with its end.
	Line []byte
}

// Elements yields the elements of a set, or the error of the first line that is none.
// The element that is yielded is the same each time: what it has is for reading, until
// the next one.
func (s *Set) Elements() iter.Seq2[*Element, error] {
	return func(yield func(*Element, error) bool) {
		e := &Element{}
		rest, q := s.Text, quick{set: s}
		for i := range s.Len {
			n, ok := q.element(e, rest)
			if !ok {
				n = bytes.IndexByte(rest, '\n') + 1
				if err := s.element(e, rest[:n-1]); err != nil {
					yield(nil, atLine(s.line+1+i, err))
					return
				}
			}
			e.Line, rest = rest[:n], rest[n:]
			if !yield(e, nil) {
				return
			}
		}
	}
}

// element reads `key [comment "..."] [: data]`.
func (s *Set) element(e *Element, line []byte) error {
	line, ok := bytes.CutPrefix(line, []byte("\t\t\t"))
	if !ok {
		return fmt.Errorf("no element: %q", line)
	}
	r := scanner{b: bytes.TrimSuffix(line, []byte{','})}
	if err := s.key(e, &r); err != nil {
		return err
	}
	if e.Comment = nil; r.skip(` comment "`) {
		n := bytes.IndexByte(r.b[r.at:], '"')
		if n < 0 || n > MaxComment || bytes.IndexByte(r.b[r.at:r.at+n], 0) >= 0 {
			return fmt.Errorf("a comment that does not end, or is longer than %d bytes", MaxComment)
		}
		e.Comment = r.b[r.at : r.at+n]
		r.at += n + 1
	}
	if e.Data = e.Data[:0]; s.Map {
		if !r.skip(" : ") {
			return fmt.Errorf("an element without data")
		}
		if err := s.dataOf(e, &r); err != nil {
			return err
		}
	}
	if !r.atEnd() {
		return fmt.Errorf("%q after an element", r.b[r.at:])
	}
	return nil
}

func (s *Set) key(e *Element, r *scanner) (err error) {
	plain := s.Key
	if s.Interval {
		plain = s.Key[:len(s.Key)-1]
	}
	if e.Key, err = r.values(e.Key[:0], plain, len(s.Key) > 1); err != nil || !s.Interval {
		return err
	}
	if len(plain) > 0 && !r.skip(" . ") {
		return fmt.Errorf("the key ends early")
	}
	first, last, err := r.span(s.Key[len(plain)].Kind)
	if err != nil {
		return err
	}
	n := len(e.Key)
	e.Key = append(e.Key, first.AsSlice()...)
	e.Key = append(e.Key, e.Key[:n]...)
	e.Key = append(e.Key, last.AsSlice()...)
	return nil
}

func (s *Set) dataOf(e *Element, r *scanner) (err error) {
	if s.Verdicts() {
		e.Verdict, e.Chain, err = r.verdict()
		if err == nil && e.Verdict.Leads() && s.table.chains[string(e.Chain)] == nil {
			err = fmt.Errorf("no chain %q", e.Chain)
		}
	} else {
		e.Data, err = r.values(e.Data, s.Data, len(s.Data) > 1)
	}
	return err
}
