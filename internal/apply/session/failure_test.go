package session_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/fakeplane"
)

// plane is a dataplane whose short ways can be made to fail.
type plane struct {
	fakeplane.Nothing
	calls []string
	// fail is what the next short ways return, one after the other.
	fail []error
	want string
	have string
}

func (p *plane) Plan(_ context.Context, want backends.Artifact) (applier.Plan, error) {
	p.calls = append(p.calls, "plan")
	if p.want = string(want.File("rules.nft")); p.want == p.have {
		return fakeplane.Plan{}, nil
	}
	return fakeplane.Plan{List: []string{"all"}, Do: p.apply}, nil
}

func (p *plane) apply(context.Context) error {
	p.calls = append(p.calls, "apply")
	p.have = p.want
	return nil
}

func (p *plane) Hold(backends.Artifact) error {
	p.calls = append(p.calls, "hold")
	return nil
}

func (p *plane) Change(backends.Artifact, backends.Artifact) (applier.Plan, error) {
	return p.short("change")
}

func (p *plane) Replace(backends.Artifact) (applier.Plan, error) {
	return p.short("replace")
}

func (p *plane) short(way string) (applier.Plan, error) {
	p.calls = append(p.calls, way)
	if len(p.fail) == 0 {
		return fakeplane.Plan{List: []string{way}}, nil
	}
	err := p.fail[0]
	p.fail = p.fail[1:]
	return nil, err
}

// TestFailedChange wants a change after one that failed to go the long way, since
// the kernel is behind the objects then, and those after it the short way again.
func TestFailedChange(t *testing.T) {
	refused, machine := errors.New("refused"), errors.New("no privileges")
	for _, c := range []struct {
		name  string
		fail  []error
		error error
		// first and second are what the two changes after the start call.
		first, second []string
	}{
		{"nothing fails", nil, nil, []string{"change"}, []string{"change"}},
		{"a change fails", []error{machine}, machine, []string{"change"}, []string{"plan", "apply", "plan", "hold"}},
		{"a change fails once", []error{refused}, nil, []string{"change", "change"}, []string{"change"}},
		{"a whole one is needed", []error{applier.ErrWhole}, nil, []string{"change", "replace"}, []string{"change"}},
		{"a whole one fails", []error{applier.ErrWhole, machine}, machine, []string{"change", "replace"}, []string{"plan", "apply", "plan", "hold"}},
		{"another process was there", []error{applier.ErrDrift}, nil, []string{"change", "plan", "apply", "plan", "hold"}, []string{"change"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := clustergen.Objects(clustergen.Size{Services: 20, Endpoints: 3})
			x := compiler.NewIncremental(&set, set.Nodes[0].Object.Name, objects.Config{})
			selected, err := registry.Select(backends.DefaultOptions(), "nftables")
			if err != nil {
				t.Fatal(err)
			}
			p := &plane{}
			s := session.New(x, selected[0], applier.New(map[string]applier.Dataplane{"nftables": p}, applier.NewRecord(t.TempDir())))
			s.General = func(err error) bool { return errors.Is(err, machine) }
			if _, err := s.Apply(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.fail = c.fail
			for i, want := range [][]string{c.first, c.second, {"change"}} {
				p.calls = nil
				wantErr := c.error
				if i > 0 {
					wantErr = nil
				}
				if _, err := s.Update(t.Context(), compiler.Update{Slices: []compiler.SliceUpdate{shorter(set.EndpointSlices[i])}}); !errors.Is(err, wantErr) {
					t.Errorf("change %d: error %v, want %v", i, err, wantErr)
				}
				if !slices.Equal(p.calls, want) {
					t.Errorf("change %d calls %q, want %q", i, p.calls, want)
				}
				if !slices.Contains(want, "apply") {
					continue
				}
				if a, err := selected[0].Emit(x.Program()); err != nil || string(a.File("rules.nft")) != p.have {
					t.Errorf("change %d: what was applied is not what the objects say, %v", i, err)
				}
			}
		})
	}
}

// shorter takes the last endpoint from a slice.
func shorter(s objects.Sourced[*discoveryv1.EndpointSlice]) compiler.SliceUpdate {
	o := *s.Object
	o.Endpoints = o.Endpoints[:len(o.Endpoints)-1]
	return compiler.SliceUpdate{Name: objects.NameOf(&o), Slice: objects.Sourced[*discoveryv1.EndpointSlice]{Object: &o}}
}
