package ebpf

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
)

// The file, all numbers little-endian:
//
//	 0  magic                                  8 bytes  ┐
//	 8  format version                         4        │
//	12  byte order of the maps: 1 is little    1        │ identity
//	13  zero                                   3        │
//	16  required features                      8        │
//	24  number of maps: 12 with policies,
//	    6 without                             4        ┘
//	28  size of the symbols                    4
//	32  digest of the image                   32
//	64  table of maps, 72 bytes each: name (16), type, key size, value size,
//	    max_entries, flags, entries (4 each), SHA-256 of the entries (32)
//	    entries, map after map: key and value each, values alone of arrays
//	    symbols
//	    SHA-256 of everything before          32
const (
	magic        = "PLCMAPS\n"
	littleEndian = 1
	identitySize = 28
	headerSize   = 64
	nameSize     = 16
	recordSize   = nameSize + 6*4 + layout.DigestSize
	// maxSymbols bounds the symbols, in bytes.
	maxSymbols = 1 << 30
)

var le = binary.LittleEndian

// appendIdentity appends the start of the header.
func appendIdentity(b []byte, features layout.Features) []byte {
	b = append(b, magic...)
	b = le.AppendUint32(b, layout.Version)
	b = append(b, littleEndian, 0, 0, 0)
	b = le.AppendUint64(b, uint64(features))
	return le.AppendUint32(b, uint32(layout.MapsFor(features)))
}

// appendRecord appends the map's row of the table.
func (m *Map) appendRecord(b []byte) []byte {
	var name [nameSize]byte
	copy(name[:], m.layout.Name)
	b = append(b, name[:]...)
	for _, n := range [...]uint32{uint32(m.layout.Type), m.layout.KeySize, m.layout.ValueSize, m.MaxEntries(), m.layout.Flags, uint32(m.Len())} {
		b = le.AppendUint32(b, n)
	}
	return append(b, m.digest[:]...)
}

// Bytes returns the file. Equal images with equal symbols give equal bytes.
func (img *Image) Bytes() []byte {
	file, _ := img.file(nil)
	return file
}

// file is Bytes in the sheet, if the maps lie there, with the SHA-256 of all of it.
func (img *Image) file(s sheet) ([]byte, Digest) {
	info := img.Info()
	maps := img.inFile()
	size := headerSize + len(maps)*recordSize + img.symbols.size() + layout.DigestSize
	for i := range maps {
		size += len(maps[i].data)
	}
	laid := s.holds(maps, size)
	if !laid {
		s = make(sheet, 0, size)
	}
	b := appendIdentity(s[:0], info.Features)
	b = le.AppendUint32(b, uint32(img.symbols.size()))
	b = append(b, info.Digest[:]...)
	for i := range maps {
		b = maps[i].appendRecord(b)
	}
	for i := range maps {
		if laid && (i == layout.Services || i == layout.Endpoints) {
			b = b[:len(b)+len(maps[i].data)]
			continue
		}
		b = append(b, maps[i].data...)
	}
	b = img.symbols.append(b)
	sum := sha256.New()
	sum.Write(b)
	end := len(b)
	b = sum.Sum(b)
	sum.Write(b[end:])
	return slices.Clip(b), Digest(sum.Sum(nil))
}

// IsImage reports whether b starts like a map image.
func IsImage(b []byte) bool { return bytes.HasPrefix(b, []byte(magic)) }
