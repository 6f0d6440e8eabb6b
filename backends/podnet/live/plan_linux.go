package live

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/podnet"
)

// Plan is what makes a kernel have a network.
type Plan struct {
	stages  [stages][]step
	foreign []Foreign
}

// The stages of a plan, in order.
const (
	makeDevices = iota
	fillDevices
	makeRoutes
	removeRoutes
	emptyDevices
	removeDevices

	stages
)

// step is one change.
type step struct {
	text string
	do   func() error
}

// Foreign is a route of another program to a wanted destination.
type Foreign struct {
	To     netip.Prefix
	Route  string    // the other route in words
	Origin ir.Origin // the Node whose pods are there
}

// Steps says what would change, in order; none if the kernel has the network.
func (p *Plan) Steps() []string {
	var out []string
	for _, stage := range p.stages {
		for _, s := range stage {
			out = append(out, s.text)
		}
	}
	return out
}

// Foreign lists the routes of other programs that are in the way, sorted by destination.
func (p *Plan) Foreign() []Foreign { return p.foreign }

// maxErrors bounds the errors of one Apply that are named.
const maxErrors = 10

// Apply carries the plan out. A change that the kernel refuses prevents no other one but
// those on a device that could not be made. The error names the first ones.
func (p *Plan) Apply() error {
	var errs []error
	failed := 0
	for _, stage := range p.stages {
		for _, s := range stage {
			err := s.do()
			if err == nil {
				continue
			}
			if failed++; len(errs) < maxErrors {
				errs = append(errs, fmt.Errorf("%s: %w", s.text, err))
			}
		}
	}
	if failed > len(errs) {
		errs = append(errs, fmt.Errorf("%d more changes failed", failed-len(errs)))
	}
	return errors.Join(errs...)
}

func (p *Plan) add(stage int, do func() error, format string, args ...any) {
	p.stages[stage] = append(p.stages[stage], step{fmt.Sprintf(format, args...), do})
}

// Plan compares the kernel with a network.
func (k *Kernel) Plan(want *podnet.Network) (*Plan, error) {
	s, err := k.read(want)
	if err != nil {
		return nil, err
	}
	p := &planner{Kernel: k, state: s, plan: &Plan{}, index: make(map[string]*int)}
	for i := range want.Devices {
		p.device(&want.Devices[i])
	}
	for _, name := range podnet.DeviceNames() {
		if d := s.devices[name]; d != nil && p.index[name] == nil {
			p.plan.add(removeDevices, func() error { return k.nl.LinkDel(d.link) }, "remove device %s", name)
		}
	}
	p.neighbours(want)
	p.forwarding(want)
	p.routes(want)
	return p.plan, nil
}

// Clean returns the plan that removes everything of planec's.
func (k *Kernel) Clean() (*Plan, error) { return k.Plan(&podnet.Network{}) }

// planner makes one plan.
type planner struct {
	*Kernel
	state *state
	plan  *Plan
	// index has the interface index of each wanted device, which is known once it is made.
	index map[string]*int
}

// kept returns the device as it is, or nil if it is made anew or not wanted.
func (p *planner) kept(name string) *device {
	if i := p.index[name]; i == nil || *i == 0 {
		return nil
	}
	return p.state.devices[name]
}

// sorted returns the keys of a map in order.
func sorted[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, compare)
	return out
}
