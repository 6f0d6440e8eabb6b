package proofmutants

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// entries are the entries of all maps of an image.
type entries [layout.NumMaps][]byte

// ofImage changes an entry of an image. The image is well formed: its digests are those of
// its entries, and it is one that the reader takes.
func ofImage(rng *rand.Rand, a backends.Artifact) (Mutant, bool) {
	img, err := image.Read(a.File(image.ImageFile))
	if err != nil {
		return Mutant{}, false
	}
	for range tries {
		var e entries
		for i := range e {
			e[i] = bytes.Clone(img.Map(i).Entries())
		}
		at := 1 + rng.IntN(layout.NumMaps-1)
		if len(e[at]) == 0 || at == layout.Logs {
			continue
		}
		m, ok := e.change(rng, at)
		if !ok {
			continue
		}
		e.seal(a.File(image.ImageFile))
		made, err := image.NewImage(e)
		if err != nil {
			continue // it refers to what is not there
		}
		m.Artifact = with(a, image.ImageFile, made.Bytes())
		return m, true
	}
	return Mutant{}, false
}

// change changes a random entry of a map.
func (e *entries) change(rng *rand.Rand, at int) (Mutant, bool) {
	l := layout.Maps()[at]
	size := image.Stride(l)
	n := len(e[at]) / size
	i := rng.IntN(n)
	entry := e[at][i*size : (i+1)*size]
	before := bytes.Clone(entry)
	m := Mutant{Kind: l.Name, Before: fmt.Sprintf("%x", before)}
	key, value := entry[:size-int(l.ValueSize)], entry[size-int(l.ValueSize):]
	what := rng.IntN(4)
	switch {
	case what == 0 && l.Type != layout.Array:
		m.Kind += " entry lost"
		e[at] = append(e[at][:i*size:i*size], e[at][(i+1)*size:]...)
		return m, true
	case what == 1 && n > 1:
		m.Kind += " value of another"
		other := (i + 1 + rng.IntN(n-1)) % n
		copy(value, e[at][(other+1)*size-len(value):(other+1)*size])
	case what == 2 && len(key) > 0:
		m.Kind += " key"
		changeKey(rng, at, key)
	default:
		m.Kind += " value"
		changeValue(rng, at, value)
	}
	m.After = fmt.Sprintf("%x", entry)
	return m, !bytes.Equal(entry, before)
}

// changeKey changes a field of a key: an address, a port, a protocol, a prefix.
func changeKey(rng *rand.Rand, at int, key []byte) {
	off := 1 - 2*rng.IntN(2)
	switch at {
	case layout.Services:
		switch rng.IntN(3) {
		case 0:
			key[15] += byte(off)
		case 1:
			key[17] += byte(off)
		case 2:
			key[18] = pick(rng, []byte{6, 17, 132})
		}
	case layout.Prefixes, layout.Sources, layout.Classes:
		bits := binary.LittleEndian.Uint32(key) + uint32(off)
		binary.LittleEndian.PutUint32(key, bits)
		clear(key, int(bits))
	case layout.Ports, layout.SourcePorts:
		if bits := binary.LittleEndian.Uint32(key); rng.IntN(2) == 0 {
			binary.LittleEndian.PutUint32(key, bits+uint32(off))
			clear(key, int(bits)+off)
			return
		}
		key[13] = pick(rng, []byte{6, 17, 132})
	case layout.Rows:
		if rng.IntN(2) == 0 {
			key[8] ^= 3
			return
		}
		key[15] += byte(off)
	default:
		key[15] += byte(off)
	}
}

// clear clears the bits behind a prefix, which begins behind its length.
func clear(key []byte, bits int) {
	for i := bits; i < 8*(len(key)-4); i++ {
		key[4+i/8] &^= 0x80 >> (i % 8)
	}
}

// changeValue changes a field of a value.
func changeValue(rng *rand.Rand, at int, value []byte) {
	off := byte(1 - 2*rng.IntN(2))
	switch at {
	case layout.Services:
		s := layout.DecodeService(value)
		changeService(rng, &s)
		copy(value, s.Append(nil))
	case layout.Endpoints:
		switch rng.IntN(4) {
		case 0:
			value[15] += off
		case 1:
			value[17] += off
		case 2:
			value[18] ^= layout.EndpointLocal
		case 3:
			value[20] += off
		}
	case layout.Addresses:
		value[0] = pick(rng, []byte{1, 2, 3})
	case layout.Pods:
		p := layout.DecodePod(value)
		if rng.IntN(2) == 0 {
			p.Egress, p.Ingress = p.Ingress, p.Egress
		} else {
			p.Flags ^= 1 << rng.IntN(6)
		}
		copy(value, p.Append(nil))
	case layout.Ports:
		value[0] ^= 3
	default:
		value[rng.IntN(len(value))] ^= 1 << rng.IntN(8)
	}
}

func changeService(rng *rand.Rand, s *layout.Service) {
	route := pick(rng, []*layout.Route{&s.Internal, &s.External})
	switch rng.IntN(6) {
	case 0:
		s.Internal, s.External = s.External, s.Internal
	case 1:
		route.Masquerade = uint8(rng.IntN(4))
	case 2:
		route.OnEmpty ^= 3
	case 3:
		s.Affinity += uint32(rng.IntN(2))*2 - 1
	case 4:
		s.Sources = 0
	case 5:
		*route = layout.Route{Masquerade: route.Masquerade, OnEmpty: route.OnEmpty}
	}
}

// seal writes the numbers of entries and the image's digest into meta, as package ebpf
// computes it (see its format.go): of the first bytes of the file, which say what it is,
// and of a record of every map.
func (e *entries) seal(file []byte) {
	const identity = 28
	info := layout.DecodeInfo(e[layout.Meta])
	for i, l := range layout.Maps() {
		if i != layout.Meta {
			info.SetCount(i, uint32(len(e[i])/image.Stride(l)))
		}
	}
	info.Digest = image.Digest{}
	e[layout.Meta] = info.Append(nil)
	b := e.appendRecord(bytes.Clone(file[:identity]), layout.Meta)
	for i := range layout.MapsFor(info.Features) {
		if i != layout.Meta {
			b = e.appendRecord(b, i)
		}
	}
	info.Digest = sha256.Sum256(b)
	e[layout.Meta] = info.Append(nil)
}

func (e *entries) appendRecord(b []byte, at int) []byte {
	l := layout.Maps()[at]
	data := e[at]
	sum := image.Sum(l, data)
	n := uint32(len(data) / image.Stride(l))
	var name [16]byte
	copy(name[:], l.Name)
	b = append(b, name[:]...)
	for _, field := range [...]uint32{uint32(l.Type), l.KeySize, l.ValueSize, max(1, n), l.Flags, n} {
		b = binary.LittleEndian.AppendUint32(b, field)
	}
	return append(b, sum[:]...)
}
