package live

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/cilium/ebpf"
)

// hitsMap has the counts of connections, and countingMap says whether any are counted.
const (
	hitsMap     = namePrefix + "hits"
	countingMap = namePrefix + "counting"
)

// Hits are the connections of one Service port that sockets opened, and datagrams that they
// sent without connecting.
type Hits struct {
	Given   uint64 // were sent to an endpoint
	Refused uint64 // found no endpoint
}

// Count says whether the programs that are attached count connections; they do not
// until then. The numbers go on from where they were.
func (s *Sockets) Count(on bool) error {
	m, err := ebpf.LoadPinnedMap(filepath.Join(s.Dir, countingMap), nil)
	if err != nil {
		return fmt.Errorf("counting connections: %w", explain(err))
	}
	defer m.Close()
	want := uint32(0)
	if on {
		want = 1
	}
	if err := m.Put(uint32(0), want); err != nil {
		return fmt.Errorf("counting connections: %w", explain(err))
	}
	return nil
}

// Hits returns what was counted, by the identity of the Service port
// (layout.Service.ID). Of more than 65,536 Service ports, those that were not used for the
// longest time are left out, and begin anew. Without programs there are none.
func (s *Sockets) Hits() (map[uint64]Hits, error) {
	m, err := ebpf.LoadPinnedMap(filepath.Join(s.Dir, hitsMap), &ebpf.LoadPinOptions{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the counts of connections: %w", explain(err))
	}
	defer m.Close()
	out := make(map[uint64]Hits)
	var id uint64
	var h Hits
	all := m.Iterate()
	for all.Next(&id, &h) {
		out[id] = h
	}
	// Programs add and remove entries meanwhile: what was seen is right.
	if err := all.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
		return nil, fmt.Errorf("reading the counts of connections: %w", explain(err))
	}
	return out, nil
}
