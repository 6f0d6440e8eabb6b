package dataplane

import (
	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	nftlive "github.com/planec/planec/backends/nftables/live"
)

// mixedState is what the kernel has of the three parts.
type mixedState struct {
	packets *nftlive.State
	maps    *live.State
	// cgroup is where programs should be, and programs the steps that are missing there.
	cgroup   string
	programs []string
	// interfaces are those of pods.
	interfaces interfacesState
}

// Served is what the maps serve, with the names that the rules for packets have.
func (s *mixedState) Served() backends.Served {
	served := s.maps.Served()
	nameFrom(&served, s.packets.Served())
	return served
}

// mixedModel is what the kernel should have.
type mixedModel struct {
	image *ebpf.Image
	// packets are nil if the rules for packets stay as they are.
	packets *nftlive.Wanted
	// attached is whether programs use the maps.
	attached bool
}

// Served is what an artifact serves, with the names that its rules for packets have.
func (m *mixedModel) Served() backends.Served {
	served := m.image.Served()
	if m.packets != nil {
		nameFrom(&served, m.packets.Served())
	}
	return served
}

// nameFrom fills in what the maps do not say: the names of frontends and pods.
func nameFrom(s *backends.Served, rules backends.Served) {
	frontends, pods := make(map[string]string), make(map[string]backends.ServedPod)
	for _, f := range rules.Frontends {
		frontends[f.At] = f.Name
	}
	for _, p := range rules.Pods {
		pods[p.Address] = p
	}
	for i := range s.Frontends {
		if f := &s.Frontends[i]; f.Name == "" {
			f.Name = frontends[f.At]
		}
	}
	for i := range s.Pods {
		if p, ok := pods[s.Pods[i].Address]; ok {
			s.Pods[i] = p
		}
	}
	s.Normalize()
}

// Complete implements [partial].
func (m *mixedModel) Complete() error {
	if m.packets == nil {
		return nil
	}
	return m.packets.Complete()
}

// mixedPlan is a plan for the three parts.
type mixedPlan struct {
	packets  *nftlive.Plan // nil: they stay
	maps     *live.Plan
	cgroup   string
	programs []string
	// attached is whether programs are to use the maps. Those that are there may use others
	// once the maps are in.
	attached bool
	// interfaces are those of pods.
	interfaces interfacesPlan
	// begun is whether a part was applied.
	begun bool
}

// Empty reports whether no part has anything to do.
func (p *mixedPlan) Empty() bool {
	return (p.packets == nil || p.packets.Empty()) && p.maps.Empty() && len(p.programs) == 0 && len(p.interfaces.steps) == 0
}

// FromNothing reports whether the kernel had neither rules nor an image.
func (p *mixedPlan) FromNothing() bool {
	return (p.packets == nil || p.packets.FromNothing()) && p.maps.FromNothing()
}

// Steps are those of the parts, in the order in which they are made.
func (p *mixedPlan) Steps() []string {
	var steps []string
	if p.packets != nil {
		steps = append(steps, p.packets.Steps()...)
	}
	steps = append(steps, p.maps.Steps()...)
	for _, s := range p.programs {
		steps = append(steps, s+" to "+p.cgroup)
	}
	return append(steps, p.interfaces.steps...)
}

// half marks an error, if there is one and a part before was applied.
func (p *mixedPlan) half(err error) error {
	if p.begun && err != nil {
		return &halfError{err}
	}
	return err
}

// halfError is the error of a part after another one was applied.
type halfError struct{ error }

// Unwrap returns the part's error.
func (e *halfError) Unwrap() error { return e.error }

// mixedHeld is what the kernel has. Programs stay what they are, whatever changes.
type mixedHeld struct {
	packets *nftlive.Live
	maps    *live.Held
}

func (h *mixedHeld) rules() *nftlive.Live { return h.packets }

// Change plans the difference of two fragments, in both halves or in none.
func (h *mixedHeld) Change(before, after backends.Artifact) (*mixedPlan, error) {
	was, is, err := images(before, after)
	if err != nil {
		return nil, err
	}
	maps, err := h.maps.Change(was, is)
	if err != nil {
		return nil, err
	}
	packets, err := h.packets.Change(before.File(ebpf.PacketsFile), after.File(ebpf.PacketsFile))
	if err != nil {
		return nil, err
	}
	return &mixedPlan{packets: packets, maps: maps}, nil
}

// ChangePolicy is Change with the whole policy, possibly none, in the second fragment and none
// in the first: it replaces the held policy.
func (h *mixedHeld) ChangePolicy(before, after backends.Artifact) (*mixedPlan, error) {
	was, is, err := images(before, after)
	if err != nil {
		return nil, err
	}
	maps, err := h.maps.ChangePolicy(was, is)
	if err != nil {
		return nil, err
	}
	packets, err := h.packets.ChangePolicy(before.File(ebpf.PacketsFile), after.File(ebpf.PacketsFile))
	if err != nil {
		return nil, err
	}
	return &mixedPlan{packets: packets, maps: maps, interfaces: interfacesPlan{attach: is.AtInterfaces(), reach: reachOf(is)}}, nil
}

// images reads the maps of two artifacts.
func images(before, after backends.Artifact) (was, is *ebpf.Image, err error) {
	if was, err = ebpf.ImageOf(before); err != nil {
		return nil, nil, err
	}
	is, err = ebpf.ImageOf(after)
	return was, is, err
}

// Replace plans the difference to a whole artifact.
func (h *mixedHeld) Replace(whole backends.Artifact) (*mixedPlan, error) {
	img, err := ebpf.ImageOf(whole)
	if err != nil {
		return nil, err
	}
	maps, err := h.maps.Replace(img)
	if err != nil {
		return nil, err
	}
	packets, err := h.packets.Replace(whole.File(ebpf.PacketsFile))
	if err != nil {
		return nil, err
	}
	return &mixedPlan{packets: packets, maps: maps, interfaces: interfacesPlan{attach: img.AtInterfaces(), reach: reachOf(img)}}, nil
}

// Commit records that the kernel took the plan.
func (h *mixedHeld) Commit(p *mixedPlan) {
	h.packets.Commit(p.packets)
	h.maps.Commit(p.maps)
}
