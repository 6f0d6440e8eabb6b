package ebpf

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Errors of Read that a caller may want to tell apart.
var (
	// ErrNotImage means that the file is not a map image.
	ErrNotImage = errors.New("not a map image")
	// ErrVersion means that the image has another version or byte order, or
	// features that this reader does not know.
	ErrVersion = errors.New("the map image is of another version of planec: compile it again")
	// ErrDigest means that the image was changed or truncated.
	ErrDigest = errors.New("digest does not match")
)

// Read parses the output of Bytes strictly: it recomputes every digest, checks
// every reference and every reserved byte, and rejects all that Bytes would not
// write. Its memory use is proportional to the size of the file, and the image
// keeps the file's bytes.
func Read(file []byte) (*Image, error) {
	img, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("reading the map image: %w", err)
	}
	return img, nil
}

func read(file []byte) (*Image, error) {
	features, symbolSize, err := readHeader(file)
	if err != nil {
		return nil, err
	}
	end := len(file) - layout.DigestSize
	if sum := sha256.Sum256(file[:end]); !bytes.Equal(sum[:], file[end:]) {
		return nil, fmt.Errorf("%w: the file was changed or cut", ErrDigest)
	}
	img := &Image{}
	maps := layout.MapsFor(features)
	rest := file[headerSize+maps*recordSize : end]
	for i, l := range layout.Maps() {
		if i >= maps {
			img.maps[i] = Map{layout: l}
			img.maps[i].sum()
			continue
		}
		record := file[headerSize+i*recordSize:][:recordSize]
		if img.maps[i], rest, err = readMap(l, record, rest); err != nil {
			return nil, fmt.Errorf("map %s: %w", l.Name, err)
		}
	}
	if uint64(symbolSize) != uint64(len(rest)) {
		return nil, fmt.Errorf("%d bytes of symbols where the header says %d", len(rest), symbolSize)
	}
	if err := img.verify(); err != nil {
		return nil, err
	}
	if info := img.Info(); info.Features != features || !bytes.Equal(info.Digest[:], file[32:headerSize]) {
		return nil, fmt.Errorf("%w: header and meta disagree", ErrDigest)
	}
	if len(rest) > 0 {
		if img.symbols, err = readSymbols(rest, img); err != nil {
			return nil, fmt.Errorf("symbols: %w", err)
		}
	}
	return img, nil
}

// readHeader checks the header and the minimum size of the file.
func readHeader(file []byte) (layout.Features, uint32, error) {
	if !IsImage(file) {
		return 0, 0, ErrNotImage
	}
	var features layout.Features
	if len(file) >= headerSize {
		features = layout.Features(le.Uint64(file[16:]))
	}
	if len(file) < headerSize+layout.MapsFor(features)*recordSize+layout.DigestSize {
		return 0, 0, fmt.Errorf("%w: %d bytes are less than header and table", ErrDigest, len(file))
	}
	if want := appendIdentity(nil, features); !bytes.Equal(want, file[:identitySize]) {
		return 0, 0, fmt.Errorf("%w: format %d, byte order %d, %d maps", ErrVersion, le.Uint32(file[8:]), file[12], le.Uint32(file[24:]))
	}
	if unknown := features &^ layout.AllFeatures; unknown != 0 {
		return 0, 0, fmt.Errorf("%w: it needs unknown features %#x", ErrVersion, uint64(unknown))
	}
	symbols := le.Uint32(file[28:])
	if symbols > maxSymbols {
		return 0, 0, fmt.Errorf("%d bytes of symbols are too many", symbols)
	}
	return features, symbols, nil
}

// readMap splits the entries of a map off the rest of the file.
func readMap(l layout.Map, record, rest []byte) (Map, []byte, error) {
	m := Map{layout: l}
	n := le.Uint32(record[nameSize+5*4:])
	if n > layout.MaxEntries || uint64(n)*uint64(m.stride()) > uint64(len(rest)) {
		return m, nil, fmt.Errorf("%d entries are more than the file has", n)
	}
	size := int(n) * m.stride()
	m.data, rest = rest[:size:size], rest[size:]
	m.sum()
	if want := m.appendRecord(nil); !bytes.Equal(want, record) {
		at := recordSize - layout.DigestSize
		if bytes.Equal(want[:at], record[:at]) {
			return m, nil, ErrDigest
		}
		return m, nil, fmt.Errorf("%w: its row in the table is not that of version %d", ErrVersion, layout.Version)
	}
	return m, rest, nil
}
