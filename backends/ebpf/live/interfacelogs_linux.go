package live

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/cilium/ebpf"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// Logged is how many packets the programs counted for a log of a row.
type Logged struct {
	Row     layout.PolicyID // the row, whose lines in maps.txt say what it accepts
	Prefix  string          // what rules of packets write before such a packet
	Packets uint64          // since the programs were attached first, or the row was last used
}

// Logged returns what the programs counted of the logs of an image, in the order of rows and
// prefixes; nothing where no program was attached, and for rows of other images.
func (i *Interfaces) Logged(img *image.Image) (out []Logged, err error) {
	m, err := ebpf.LoadPinnedMap(filepath.Join(i.Dir, loggedMap), &ebpf.LoadPinOptions{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading what policies logged: %w", explain(err))
	}
	defer m.Close()
	logs := img.Map(layout.Logs)
	for at := range logs.Len() {
		l := Logged{Row: layout.DecodeLogKey(logs.Key(at)).Row, Prefix: layout.DecodeLogPrefix(logs.Value(at))}
		if err := m.Lookup(logs.Key(at), &l.Packets); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil, fmt.Errorf("reading what policies logged: %w", err)
		}
		out = append(out, l)
	}
	return out, nil
}
