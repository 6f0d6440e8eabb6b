package session_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/testkit"
)

// TestRefusedChange has a short change run out of the kernel's memory: the kernel
// serves what it served, and the next change brings both.
func TestRefusedChange(t *testing.T) {
	testkit.Require(t, "nft")
	testkit.RequireMemoryLimit(t)
	const few = 20
	all := clustergen.Objects(clustergen.Size{Services: 1500, Endpoints: 5})
	set := all
	set.Services, set.EndpointSlices = all.Services[:few], all.EndpointSlices[:few]
	x := compiler.NewIncremental(&set, set.Nodes[0].Object.Name, objects.Config{})
	s, a, b := nftables(t, x, backends.DefaultOptions())
	r := testkit.New(t, testkit.Spec{})
	entry := func() applier.Entry {
		artifact, err := b.Emit(x.Program())
		if err != nil {
			t.Fatal(err)
		}
		return applier.Entry{Backend: "nftables", Artifact: artifact}
	}
	verify := func(e applier.Entry) {
		t.Helper()
		if err := r.Do(func() error { return a.Verify(t.Context(), e) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Do(func() error { _, err := s.Apply(t.Context()); return err }); err != nil {
		t.Fatal(err)
	}
	before := entry()
	verify(before)

	var many compiler.Update
	for i := few; i < len(all.Services); i++ {
		service, slice := all.Services[i], all.EndpointSlices[i]
		many.Services = append(many.Services, compiler.ServiceUpdate{Name: objects.NameOf(service.Object), Service: service})
		many.Slices = append(many.Slices, compiler.SliceUpdate{Name: objects.NameOf(slice.Object), Slice: slice})
	}
	err := r.WithMemory(512<<10, func() error { _, err := s.Update(t.Context(), many); return err })
	if !errors.Is(err, unix.ENOMEM) {
		t.Fatalf("error %v", err)
	}
	t.Log(err)
	verify(before)

	update := compiler.Update{Slices: []compiler.SliceUpdate{shorter(all.EndpointSlices[3])}}
	if err := r.Do(func() error { _, err := s.Update(t.Context(), update); return err }); err != nil {
		t.Fatal(err)
	}
	verify(entry())
}
