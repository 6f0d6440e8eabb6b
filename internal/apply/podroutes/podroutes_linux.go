package podroutes

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/backends/podnet/live"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/podnet"
	"github.com/planec/planec/ir/diag"
)

// Routes are those of one kernel. They are not safe for concurrent use.
type Routes struct{ kernel *live.Kernel }

// Open opens the network namespace of the calling thread.
func Open() (*Routes, error) {
	k, err := live.Open()
	return &Routes{k}, err
}

// Close closes the sockets.
func (r *Routes) Close() { r.kernel.Close() }

// Plan compares the kernel with the objects. The findings are about Nodes, and about routes
// of other programs.
func (r *Routes) Plan(in Input) (*Plan, diag.List, error) {
	s := in.Settings
	if at := slices.IndexFunc(in.Set.Nodes, func(n objects.Sourced[*corev1.Node]) bool { return n.Object.Name == in.Node }); at >= 0 {
		subnets, mtu, err := r.kernel.Underlay(objects.NodeIPs(in.Set.Nodes[at].Object, nil))
		if err != nil {
			return nil, nil, fmt.Errorf("pod routes: %w", err)
		}
		if s.UnderlayMTU = mtu; len(s.Subnets) == 0 {
			s.Subnets = subnets
		}
	}
	want, diags := podnet.Lower(in.Set, in.Node, s, in.Config)
	if want.Node == "" {
		return nil, diags, ErrNoNode
	}
	p, err := r.kernel.Plan(&want)
	if err != nil {
		return nil, diags, fmt.Errorf("pod routes: %w", err)
	}
	for _, f := range p.Foreign() {
		diags.Add(diag.ForeignRoute, f.Origin.At("spec.podCIDRs"), "the kernel has a route "+f.Route)
	}
	diags.Sort()
	return planned(p), diags, nil
}

// Clean plans the removal of everything of planec's.
func (r *Routes) Clean() (*Plan, error) {
	p, err := r.kernel.Clean()
	if err != nil {
		return nil, fmt.Errorf("pod routes: %w", err)
	}
	return planned(p), nil
}

func planned(p *live.Plan) *Plan { return &Plan{Steps: p.Steps(), Apply: p.Apply} }

// Watch gives a notice for changes in the kernel that may be about pod routes, until ctx
// ends, and calls failed when notices may have been lost.
func Watch(ctx context.Context, failed func(error)) (<-chan struct{}, error) {
	return live.Watch(ctx, failed)
}
