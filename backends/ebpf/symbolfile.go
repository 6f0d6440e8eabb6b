package ebpf

import (
	"errors"
	"fmt"

	"github.com/planec/planec/backends/ebpf/layout"
)

// The symbols in the file:
//
//	number of strings, number of records      4 bytes each
//	strings: length (2), bytes; the first one is empty
//	records: kind (1), zero (3), reference (4), name (4), origin: kind,
//	         namespace, name, path, file, line (4 each)
const symbolRecordSize = 4 * (3 + originStrings + 1)

// size returns the number of bytes that append appends.
func (s *Symbols) size() int {
	if s == nil {
		return 0
	}
	n := 8 + len(s.records)*symbolRecordSize
	for _, str := range s.strings {
		n += 2 + len(str)
	}
	return n
}

func (s *Symbols) append(b []byte) []byte {
	if s == nil {
		return b
	}
	b = le.AppendUint32(b, uint32(len(s.strings)))
	b = le.AppendUint32(b, uint32(len(s.records)))
	for _, str := range s.strings {
		b = le.AppendUint16(b, uint16(len(str)))
		b = append(b, str...)
	}
	for i := range s.records {
		r := &s.records[i]
		b = append(b, byte(r.kind), 0, 0, 0)
		b = le.AppendUint32(b, r.ref)
		b = le.AppendUint32(b, r.name)
		for _, n := range r.origin {
			b = le.AppendUint32(b, n)
		}
		b = le.AppendUint32(b, r.line)
	}
	return b
}

// readSymbols parses the output of append. Every reference must lead to an entry
// of the image.
func readSymbols(b []byte, img *Image) (*Symbols, error) {
	if len(b) < 8 {
		return nil, errors.New("too short")
	}
	nStrings, nRecords := le.Uint32(b), le.Uint32(b[4:])
	b = b[8:]
	if uint64(nRecords)*symbolRecordSize > uint64(len(b)) || nStrings == 0 || nStrings > uint32(len(b)/2) {
		return nil, fmt.Errorf("%d strings and %d records do not fit", nStrings, nRecords)
	}
	text, records := b[:len(b)-int(nRecords)*symbolRecordSize], b[len(b)-int(nRecords)*symbolRecordSize:]
	s := &Symbols{}
	if err := s.readStrings(string(text), int(nStrings)); err != nil {
		return nil, err
	}
	s.records = make([]symbolRecord, nRecords)
	for i := range s.records {
		if err := s.readRecord(i, records[i*symbolRecordSize:], img); err != nil {
			return nil, fmt.Errorf("record %d: %w", i, err)
		}
	}
	return s, nil
}

func (s *Symbols) readStrings(text string, n int) error {
	s.strings = make([]string, n)
	for i := range s.strings {
		if len(text) < 2 {
			return fmt.Errorf("string %d of %d is missing", i, n)
		}
		size := int(text[0]) | int(text[1])<<8
		if size > maxString || size > len(text)-2 || (i == 0) != (size == 0) {
			return fmt.Errorf("string %d has %d bytes", i, size)
		}
		s.strings[i], text = text[2:2+size], text[2+size:]
	}
	if text != "" {
		return fmt.Errorf("%d bytes after the strings", len(text))
	}
	return nil
}

func (s *Symbols) readRecord(i int, b []byte, img *Image) error {
	r := &s.records[i]
	r.kind, r.ref, r.name, r.line = symbolKind(b[0]), le.Uint32(b[4:]), le.Uint32(b[8:]), le.Uint32(b[12+4*originStrings:])
	known := int(r.name) < len(s.strings)
	for j := range r.origin {
		r.origin[j] = le.Uint32(b[12+4*j:])
		known = known && int(r.origin[j]) < len(s.strings)
	}
	switch {
	case !known:
		return errors.New("a string that is not there")
	case b[1]|b[2]|b[3] != 0 || r.line > 1<<31-1:
		return errors.New("reserved bytes or line")
	case i > 0 && s.records[i-1].compare(*r) >= 0:
		return errors.New("not after the one before")
	case !img.has(r.kind, r.ref):
		return fmt.Errorf("it belongs to no entry (kind %d, %d)", r.kind, r.ref)
	}
	return nil
}

// has reports whether a reference of the given kind leads to an entry.
func (img *Image) has(kind symbolKind, ref uint32) bool {
	switch kind {
	case nodeSymbol, masqueradeSymbol:
		return ref == 0
	case nodeProfileSymbol:
		return ref == 0 && img.Info().Node.Flags != 0
	case serviceSymbol:
		return uint64(ref) < uint64(img.maps[layout.Services].Len())
	case routeSymbol:
		return uint64(ref) < 2*uint64(img.maps[layout.Services].Len())
	case endpointSymbol: // those of equal pools are behind all others
		return ref < layout.MaxEntries
	case poolSymbol:
		return uint64(ref) < uint64(img.maps[layout.Endpoints].Len())
	case sourceSymbol:
		return ref >= layout.FirstSourceSet
	case profileSymbol, podSymbol:
		return uint64(ref) < uint64(img.maps[layout.Pods].Len())
	case classSymbol, peerSymbol:
		return uint64(ref) < uint64(img.maps[layout.Classes].Len())
	}
	return false
}
