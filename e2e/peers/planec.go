package peers

import (
	"context"
	"fmt"
	"runtime/debug"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/testing/testkit"
)

// agentMemory is the limit that planec-agent sets itself.
const agentMemory = 300 << 20

// variant is the one of iptables that both sides use. The other needs minutes for
// kube-proxy's chains.
const variant = "legacy"

// planec is what the agent applies with.
type planec struct {
	backend backends.Backend
	applier *applier.Applier
	session *session.Session
}

func newPlanec(j Job) (side, error) {
	debug.SetMemoryLimit(agentMemory)
	selected, err := registry.Select(backends.DefaultOptions(), j.Engine.Mode)
	if err != nil {
		return nil, err
	}
	if err := testkit.NotRoot(j.Cgroup); err != nil {
		return nil, err
	}
	planes := dataplane.AllAt(j.Cgroup)
	planes["ebpf"] = dataplane.EBPF(j.Pins, j.Cgroup)
	planes["iptables"] = dataplane.IPTables(variant)
	planes["ipvs"] = dataplane.IPVS(variant)
	return &planec{backend: selected[0], applier: applier.New(planes, applier.NewRecord(j.State))}, nil
}

func (p *planec) start(set *objects.Set) error {
	x := compiler.NewIncremental(set, set.Nodes[0].Object.Name, objects.Config{})
	p.session = session.New(x, p.backend, p.applier)
	_, err := p.session.Apply(context.Background())
	return err
}

func (p *planec) update(s *discoveryv1.EndpointSlice) (applier.Plan, error) {
	return p.session.Update(context.Background(), compiler.Update{Slices: []compiler.SliceUpdate{{
		Name: objects.NameOf(s), Slice: objects.Sourced[*discoveryv1.EndpointSlice]{Object: s},
	}}})
}

func (p *planec) slice(changed *discoveryv1.EndpointSlice) error {
	_, err := p.update(changed)
	return err
}

func (p *planec) nothing(same *discoveryv1.EndpointSlice) error {
	plan, err := p.update(same)
	if err == nil && !plan.Empty() {
		err = fmt.Errorf("nothing changed, and there is something to do: %q", plan.Steps())
	}
	return err
}

func (p *planec) event(same *discoveryv1.EndpointSlice) error { return p.nothing(same) }
