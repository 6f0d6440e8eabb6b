package live

import (
	"bytes"
	"slices"

	"github.com/planec/planec/internal/base/nlattr"
)

// sets reads the sets, and then the elements of each.
func (o *observer) sets(t *Table) error {
	o.own = make(map[string]*Set)
	var list []*Set
	err := o.dump(msgGetSet, flagDump, o.family, ours, func(body []byte) error {
		if !isOurs(body) {
			return nil
		}
		s := readSet(body)
		list = append(list, s)
		if s.anonymous() {
			o.own[s.Name] = s
		} else {
			t.addSet(s)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.Dynamic() {
			continue
		}
		trusted, err := o.trusts(s)
		if err == nil && !trusted {
			err = o.elements(s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readSet(body []byte) *Set {
	s := &Set{}
	for kind, v := range nlattr.All(body) {
		switch kind {
		case setName:
			s.Name = nlattr.String(v)
		case setFlags:
			s.Flags = nlattr.Uint32(v)
		case setKeyType:
			s.KeyType = nlattr.Uint32(v)
		case setKeyLen:
			s.KeyLen = nlattr.Uint32(v)
		case setDataType:
			s.DataType = nlattr.Uint32(v)
		case setDataLen:
			s.DataLen = nlattr.Uint32(v)
		case setDesc:
			s.Size = nlattr.Uint32(nlattr.Get(v, descSize))
			for _, f := range nlattr.All(nlattr.Get(v, descConcat)) {
				s.Concat = append(s.Concat, nlattr.Uint32(nlattr.Get(f, fieldLen)))
			}
		case setUData:
			s.UserData = bytes.Clone(v)
		case setCount:
			s.count = int(nlattr.Uint32(v))
		case setPolicy, setTimeout, setGC, setObjType, setExpr, setExprs:
			s.odd = append(s.odd, byte(kind))
		}
	}
	s.Elems.keyLen = s.storedKey()
	return s
}

// boundary is one of the two elements of a range.
type boundary struct {
	end              bool
	key, data, udata []byte
}

func (o *observer) elements(s *Set) error {
	var ranges []boundary
	err := o.eachElement(s, func(e []byte) error {
		key, end := o.element(s, e)
		switch {
		case len(key) != int(s.KeyLen):
			s.odd = append(s.odd, "an element without a key"...)
		case s.keyEnds():
			if end := nlattr.Get(nlattr.Get(e, elemKeyEnd), dataValue); len(end) == len(key) {
				key = slices.Concat(key, end)
			} else {
				key = slices.Concat(key, key)
			}
			s.Elems.append(record{key, o.data, o.udata})
		case s.interval():
			ranges = append(ranges, boundary{end, bytes.Clone(key), bytes.Clone(o.data), bytes.Clone(o.udata)})
		default:
			s.Elems.append(record{key, o.data, o.udata})
		}
		return nil
	})
	s.join(ranges)
	if s.anonymous() {
		s.Elems.index()
	}
	return err
}

// eachElement dumps a set.
func (o *observer) eachElement(s *Set, yield func(e []byte) error) error {
	return o.dump(msgGetElems, flagDump, o.family, func(w *writer) {
		w.str(listTable, tableNamed)
		w.str(listSet, s.Name)
	}, func(body []byte) error {
		for _, e := range nlattr.All(nlattr.Get(body, listElems)) {
			if err := yield(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// element reads one element; its data and user data are in o afterwards.
func (o *observer) element(s *Set, e []byte) (key []byte, end bool) {
	o.data, o.udata = o.data[:0], o.udata[:0]
	odd := false
	for kind, v := range nlattr.All(e) {
		switch kind {
		case elemKey:
			key = nlattr.Get(v, dataValue)
		case elemData:
			if s.verdicts() {
				verdict := nlattr.Get(v, dataVerdict)
				o.data = append(o.data, nlattr.Get(verdict, verdictCode)...)
				o.data = append(o.data, bytes.TrimSuffix(nlattr.Get(verdict, verdictChain), []byte{0})...)
			} else {
				o.data = append(o.data, nlattr.Get(v, dataValue)...)
			}
		case elemFlags:
			end = nlattr.Uint32(v)&elemIntervalEnd != 0
		case elemUData:
			o.udata = append(o.udata, v[:min(len(v), 254)]...)
		case elemKeyEnd:
		default:
			odd = true
		}
	}
	if odd {
		o.udata = append(o.udata, 0xff) // planec never writes this, so the element is replaced
	}
	return key, end
}

// join combines boundaries to ranges. An end without a beginning is the element
// that nft puts first; a range without an end reaches to the next boundary or to
// the last possible key.
func (s *Set) join(list []boundary) {
	slices.SortFunc(list, func(a, b boundary) int {
		if c := bytes.Compare(a.key, b.key); c != 0 || a.end == b.end {
			return c
		}
		if a.end {
			return -1
		}
		return 1
	})
	for i, b := range list {
		if b.end {
			continue
		}
		last := bytes.Repeat([]byte{0xff}, len(b.key))
		if i+1 < len(list) {
			last = before(list[i+1].key)
		}
		s.Elems.append(record{slices.Concat(b.key, last), b.data, b.udata})
	}
}

// before returns the preceding key.
func before(key []byte) []byte { return plus(key, 0xff, 0xff) }
