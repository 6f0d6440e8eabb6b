package live

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/layout"
)

// TestABI refuses to attach programs over maps that are for others: those of the former
// layout, and those that say another version.
func TestABI(t *testing.T) {
	p, _ := pins(t)
	if err := checkABI(p.Dir); err != nil {
		t.Errorf("where nothing is: %v", err)
	}
	apply(t, p, generationImage(t, 3))
	if err := checkABI(p.Dir); err != nil {
		t.Errorf("maps of this build: %v", err)
	}
	d, err := Open(p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	slot, err := d.Active()
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []uint32{layout.MetaSize, 104} {
		m, err := ebpf.NewMap(&ebpf.MapSpec{Name: "plc_meta", Type: ebpf.Array, KeySize: 4, ValueSize: size, MaxEntries: 1, Flags: mapLayout(0).Flags})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		value := make([]byte, size)
		if size == layout.MetaSize {
			value[104] = layout.ABI + 1
		}
		if err := m.Put(uint32(0), value); err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(p.Dir, outerSpec(mapLayout(0)).Name)
		if size == layout.MetaSize {
			err = d.outer[0].Put(slot, m)
		} else {
			err = otherMeta(at, m, slot)
		}
		if err != nil {
			t.Fatal(err)
		}
		s := &Sockets{Dir: p.Dir, Cgroup: "/sys/fs/cgroup"}
		if err := checkABI(p.Dir); !errors.Is(err, ErrABI) {
			t.Errorf("meta of %d bytes: %v", size, err)
		}
		if _, err := s.load(); !errors.Is(err, ErrABI) {
			t.Errorf("loading programs over meta of %d bytes: %v", size, err)
		}
	}
	apply(t, p, generationImage(t, 3))
	serving(t, p, generationImage(t, 3))
	if err := checkABI(p.Dir); err != nil {
		t.Errorf("after an apply: %v", err)
	}
}

// otherMeta pins an array of maps with a meta of another layout.
func otherMeta(at string, m *ebpf.Map, slot uint32) error {
	l := mapLayout(0)
	l.ValueSize = m.ValueSize()
	outer, err := ebpf.NewMap(outerSpec(l))
	if err != nil {
		return err
	}
	defer outer.Close()
	if err := outer.Put(slot, m); err != nil {
		return fmt.Errorf("putting: %w", err)
	}
	return errors.Join(removePin(outerSpec(l), filepath.Dir(at)), outer.Pin(at))
}
