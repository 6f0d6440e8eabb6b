package live

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/cilium/ebpf"
)

// programMaps are the maps that programs of a spec are to use: those that are pinned, since an apply
// may have put others there, and its constants. Programs share most maps, so each is judged once.
type programMaps struct {
	spec  *ebpf.CollectionSpec
	right map[ebpf.MapID]bool
}

func newProgramMaps(dir string, spec *ebpf.CollectionSpec) (*programMaps, error) {
	p := &programMaps{spec: spec, right: make(map[ebpf.MapID]bool)}
	return p, eachPinned(dir, spec, func(name string, m *ebpf.Map) error {
		info, err := m.Info()
		if err == nil && info.Name == name {
			id, _ := info.ID()
			p.right[id] = true
		}
		return errors.Join(err, m.Close())
	})
}

// are reports whether all maps of a program are right.
func (p *programMaps) are(program *ebpf.ProgramInfo) (bool, error) {
	ids, _ := program.MapIDs()
	for _, id := range ids {
		right, known := p.right[id]
		if !known {
			var err error
			if right, err = p.judge(id); err != nil {
				return false, err
			}
			p.right[id] = right
		}
		if !right {
			return false, nil
		}
	}
	return true, nil
}

// judge looks at a map that is not pinned.
func (p *programMaps) judge(id ebpf.MapID) (right bool, err error) {
	m, err := ebpf.NewMapFromID(id)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	info, err := m.Info()
	if err != nil || strings.HasPrefix(info.Name, namePrefix) {
		return false, err
	}
	if info.Name != constants {
		return true, nil
	}
	have, err := m.LookupBytes(uint32(0))
	return err == nil && p.hasConstants(have), err
}

// constants is the name of the map of a program's constants.
const constants = ".rodata"

func (p *programMaps) hasConstants(have []byte) bool {
	for _, v := range p.spec.Variables {
		end := int(v.Offset) + len(v.Value)
		if v.SectionName == constants && (end > len(have) || string(have[v.Offset:end]) != string(v.Value)) {
			return false
		}
	}
	return true
}

// eachPinned calls f with the maps of a spec that are pinned; f closes them.
func eachPinned(dir string, spec *ebpf.CollectionSpec, f func(name string, m *ebpf.Map) error) error {
	for name := range spec.Maps {
		if !strings.HasPrefix(name, namePrefix) {
			continue // constants of the programs
		}
		m, err := ebpf.LoadPinnedMap(filepath.Join(dir, name), nil)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = f(name, m)
		}
		if err != nil {
			return fmt.Errorf("map %s: %w", name, err)
		}
	}
	return nil
}
