package nft

import "bytes"

// quick reads the lines of elements that a text mostly has: values with dots between them, no ranges,
// and much that is as in the line before. It takes no line that [Set.element] would not take, and reads the same
// of it; what it does not take is read by that.
type quick struct {
	set *Set
	// head is what the line before has up to the last field of its key, and size the
	// length of those values in the element's key.
	head []byte
	size int
	// comment and verdict are the parts of that line with them, to their ends; nil if it has none.
	comment, verdict []byte
}

// element reads the line that text begins with, and returns its length.
func (q *quick) element(e *Element, text []byte) (n int, ok bool) {
	if q.set.Interval {
		return 0, false
	}
	r := scanner{b: text}
	if ok = q.key(e, &r) && q.commentOf(e, &r) && q.data(e, &r) && r.skip(",\n"); !ok {
		// The element is half of this line and half of the one before.
		*q = quick{set: q.set}
		return 0, false
	}
	return r.at, true
}

func (q *quick) key(e *Element, r *scanner) bool {
	last := len(q.set.Key) - 1
	if len(q.head) > 0 && bytes.HasPrefix(r.b, q.head) {
		r.at, e.Key = len(q.head), e.Key[:q.size]
	} else {
		e.Key = e.Key[:0]
		if !r.skip("\t\t\t") || !q.values(&e.Key, r, q.set.Key[:last], true) {
			return false
		}
		q.head, q.size = r.b[:r.at], len(e.Key)
	}
	if !q.value(&e.Key, r, q.set.Key[last].Kind) {
		return false
	}
	if last > 0 {
		e.Key = Pad(e.Key)
	}
	return true
}

// values appends padded values, each with a dot after it, of the last one only if there is more.
func (q *quick) values(to *[]byte, r *scanner, list []Field, more bool) bool {
	for i := range list {
		if !q.value(to, r, list[i].Kind) {
			return false
		}
		if more || len(list) > 1 {
			*to = Pad(*to)
		}
		if (more || i+1 < len(list)) && !r.skip(" . ") {
			return false
		}
	}
	return true
}

func (q *quick) value(to *[]byte, r *scanner, k Kind) bool {
	switch k {
	case Addr4:
		return r.quickAddr4(to)
	case Port:
		n, ok := r.quickDecimal(0xffff)
		*to = append(*to, byte(n>>8), byte(n))
		return ok
	case Index:
		n, ok := r.quickDecimal(0xffffffff)
		*to = k.AppendNumber(*to, n)
		return ok
	}
	// A value that does not end in its line is none.
	v, err := r.constant(*to, k)
	*to = v
	return err == nil
}

func (q *quick) commentOf(e *Element, r *scanner) bool {
	if len(q.comment) > 0 && bytes.HasPrefix(r.b[r.at:], q.comment) {
		r.at += len(q.comment)
		return true
	}
	from := r.at
	if e.Comment, q.comment = nil, nil; !r.skip(` comment "`) {
		return true
	}
	begin := r.at
	for ; r.at < len(r.b) && r.at <= begin+MaxComment; r.at++ {
		switch r.b[r.at] {
		case '"':
			e.Comment = r.b[begin:r.at]
			r.at++
			q.comment = r.b[from:r.at]
			return true
		case 0, '\n':
			return false
		}
	}
	return false
}

func (q *quick) data(e *Element, r *scanner) bool {
	e.Data = e.Data[:0]
	if !q.set.Map {
		return true
	}
	if !q.set.Verdicts() {
		return r.skip(" : ") && q.values(&e.Data, r, q.set.Data, false)
	}
	if len(q.verdict) > 0 && bytes.HasPrefix(r.b[r.at:], q.verdict) {
		r.at += len(q.verdict) - len(",\n")
		return true
	}
	end := bytes.IndexByte(r.b[r.at:], '\n')
	if end < 1 || r.b[r.at+end-1] != ',' || !r.skip(" : ") {
		return false
	}
	return q.verdictOf(e, r, r.at-len(" : ")+end+1)
}

// verdictOf reads a verdict that ends with its line.
func (q *quick) verdictOf(e *Element, r *scanner, lineEnd int) bool {
	from := r.at - len(" : ")
	line := scanner{b: r.b[:lineEnd-len(",\n")], at: r.at}
	if q.set.dataOf(e, &line) != nil || !line.atEnd() {
		return false
	}
	r.at, q.verdict = line.at, r.b[from:lineEnd]
	return true
}

// quickDecimal is decimal without an error that says why.
func (r *scanner) quickDecimal(most uint64) (uint32, bool) {
	b, at, n := r.b, r.at, uint64(0)
	for at < len(b) && at-r.at < 11 {
		d := b[at] - '0'
		if d >= 10 {
			break
		}
		n = 10*n + uint64(d)
		at++
	}
	ok := at > r.at && n <= most && (b[r.at] != '0' || at == r.at+1)
	r.at = at
	return uint32(n), ok
}

// quickAddr4 is addr4 without an error that says why.
func (r *scanner) quickAddr4(to *[]byte) bool {
	b, at, sum := r.b, r.at, uint32(0)
	for i := range 4 {
		if i > 0 {
			if at >= len(b) || b[at] != '.' {
				return false
			}
			at++
		}
		from, n := at, uint32(0)
		for at < len(b) && at-from < 4 {
			d := b[at] - '0'
			if d >= 10 {
				break
			}
			n = 10*n + uint32(d)
			at++
		}
		if at == from || n > 255 || b[from] == '0' && at > from+1 {
			return false
		}
		sum = sum<<8 | n
	}
	r.at = at
	*to = append(*to, byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum))
	return true
}
