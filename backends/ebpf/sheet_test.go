package ebpf

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// TestSheet wants the file that is written where the maps lie to be the one that is written from
// them, its digest to be right, and the maps to stay what they were.
func TestSheet(t *testing.T) {
	twice := irtest.ManyServices(9) // two pools that are one
	twice.Pools[3].Endpoints = twice.Pools[4].Endpoints
	for name, p := range map[string]*ir.Program{
		"kitchen sink": kitchenSink(), "policies": policed(), "dialects": dialects(), "a pool twice": twice,
		"many": irtest.ManyServices(700), "nothing": {Node: ir.Node{Name: "none"}},
	} {
		for _, comments := range []bool{false, true} {
			o := backends.DefaultOptions()
			o.NoComments = !comments
			a, err := New(o).Emit(p)
			if err != nil {
				t.Fatal(err)
			}
			img, f := a.Made.(*Image), a.Named(ImageFile)
			if f.SHA256() != sha256.Sum256(f.Data) {
				t.Errorf("%s: another digest than that of its file", name)
			}
			if !bytes.Equal(img.Bytes(), f.Data) {
				t.Errorf("%s: another file than that of its maps", name)
			}
			read, err := Read(f.Data)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for i := range layout.NumMaps {
				if !bytes.Equal(read.Map(i).Entries(), img.Map(i).Entries()) {
					t.Errorf("%s: map %d is another one in the file", name, i)
				}
			}
		}
	}
}

// TestSheetElsewhere has maps that do not lie in the sheet, or at another place of it.
func TestSheetElsewhere(t *testing.T) {
	img := imageOf(t, irtest.ManyServices(40))
	want := img.Bytes()
	s, svc, ep := newSheet(true, img.Map(layout.Services).Len(), img.Map(layout.Endpoints).Len())
	moved := *img
	moved.maps[layout.Services].data = append(svc, img.maps[layout.Services].data...)
	for name, data := range map[string][]byte{
		"the sheet of an image with policies": append(ep, img.maps[layout.Endpoints].data...),
		"other memory":                        bytes.Clone(img.maps[layout.Endpoints].data),
	} {
		moved.maps[layout.Endpoints].data = data
		if got, sum := moved.file(s); !bytes.Equal(got, want) || sum != sha256.Sum256(want) {
			t.Errorf("%s: another file", name)
		}
	}
	if got, _ := img.file(s[:0]); !bytes.Equal(got, want) {
		t.Error("a sheet without maps: another file")
	}
	policed := imageOf(t, policed())
	small, _, _ := newSheet(false, 0, 0)
	if got, _ := policed.file(small); !bytes.Equal(got, policed.Bytes()) {
		t.Error("a small sheet without policies: another file")
	}
}
