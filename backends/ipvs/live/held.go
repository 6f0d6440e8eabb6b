package live

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/backends/xtables"
	xtlive "github.com/planec/planec/backends/xtables/live"
)

// Held is the artifact in the kernel, together with the changes by fragments
// since. It plans changes without reading the kernel, and parses little more than
// the difference.
type Held struct {
	base  backends.Artifact
	rules *xtlive.Held
	// policed is whether the artifact has policies.
	policed bool
	// edited are the virtual services that fragments have changed.
	edited map[Key]edited
	// draining are the removals of destinations with weight 0 that may still have
	// connections.
	draining []change
}

// edited is a virtual service in the artifact and in the kernel; nil means that it
// does not exist there.
type edited struct{ base, now *service }

// Hold starts from the artifact that was applied and the plan of that apply, which
// lists the draining destinations.
func Hold(a backends.Artifact, last *Plan) *Held {
	h := &Held{rules: xtlive.Hold(a)}
	h.rebase(a)
	if last == nil {
		return h
	}
	h.draining = slices.Clone(last.draining)
	for _, changes := range [][]change{last.early, last.leave} {
		for _, c := range changes {
			if c.tidies() {
				h.draining = append(h.draining, c)
			}
		}
	}
	return h
}

func (h *Held) rebase(a backends.Artifact) {
	h.base, h.edited = a, make(map[Key]edited)
	h.policed = bytes.Contains(a.File("ipset.rules"), []byte("-"+xtables.DeniedOwnSet+" "))
}

// Commit updates the held state after the plan was carried out.
func (h *Held) Commit(p *Plan) {
	h.rules.Commit(p.rules)
	p.commit()
	h.draining = p.draining
}

// Replace plans the change from the held state to another artifact.
func (h *Held) Replace(whole backends.Artifact) (*Plan, error) {
	old, now := nothing(), nothing()
	if err := parseDiffering(old, now, h.base, whole); err != nil {
		return nil, err
	}
	for k, e := range h.edited {
		if old.services[k] == nil && now.services[k] == nil && e.base != nil { // equal in both artifacts
			now.services[k] = e.base
		}
		if delete(old.services, k); e.now != nil {
			old.services[k] = e.now
		}
	}
	rules, err := h.rules.Replace(whole)
	if err != nil {
		return nil, err
	}
	// Parse the sets that map to marks only if rules or marked services change;
	// fragments never change these sets.
	if !rules.Empty() || marked(old.services) || marked(now.services) {
		if old.rules, err = xtlive.ParseSets(h.base, routeSet); err != nil {
			return nil, err
		}
		if now.rules, err = xtlive.ParseSets(whole, routeSet); err != nil {
			return nil, err
		}
	}
	p := h.plan(old, now, rules)
	p.commit = func() { h.rebase(whole) }
	return p, nil
}

// Change plans the change from one fragment of the held artifact to another. It
// returns [xtlive.ErrStructure] if the change depends on the rest: on marks, on
// addresses, which several Services may share, or on the Services that policies
// deny to their own endpoints.
func (h *Held) Change(before, after backends.Artifact) (*Plan, error) {
	if h.policed {
		return nil, xtlive.ErrStructure
	}
	old, now := nothing(), nothing()
	if err := parseDiffering(old, now, before, after); err != nil {
		return nil, err
	}
	marks := []byte("-A -f ")
	if len(old.device.addresses)+len(now.device.addresses)+len(old.sysctls)+len(now.sysctls) > 0 ||
		bytes.Contains(before.File(ipvs.ServicesFile), marks) || bytes.Contains(after.File(ipvs.ServicesFile), marks) {
		return nil, xtlive.ErrStructure
	}
	rules, err := h.rules.Change(before, after)
	if err != nil {
		return nil, err
	}
	p := h.plan(old, now, rules)
	p.commit = func() { h.edit(old, now) }
	return p, nil
}

// edit records the changes of a fragment.
func (h *Held) edit(old, now *State) {
	for _, s := range []services{old.services, now.services} {
		for k := range s {
			e, again := h.edited[k]
			if !again {
				e.base = old.services[k]
			}
			e.now = now.services[k]
			h.edited[k] = e
		}
	}
}

func (h *Held) plan(old, now *State, rules *xtlive.Plan) *Plan {
	p := &Plan{rules: rules}
	for _, name := range differing(old.sysctls, now.sysctls) {
		p.sysctls = append(p.sysctls, setting{name, old.sysctls[name], now.sysctls[name]})
	}
	p.planServices(old, now, func(Key) bool { return true })
	p.planDevice(old.device, now.device)
	h.tidy(p)
	return p
}

// tidy adds the removals of destinations that may have drained to a plan, except
// for those that the plan adds back or removes with their service.
func (h *Held) tidy(p *Plan) {
	type place struct {
		key  Key
		dest netip.AddrPort
	}
	back, removed := make(map[place]bool), make(map[Key]bool)
	for _, changes := range [][]change{p.early, p.come, p.gone} {
		for _, c := range changes {
			switch c.verb {
			case addDestination, updateDestination:
				back[place{c.key, c.dest}] = true
			case removeService:
				removed[c.key] = true
			}
		}
	}
	for _, c := range h.draining {
		if !back[place{c.key, c.dest}] && !removed[c.key] {
			c.from.weight, c.from.active, c.from.inactive = 0, 0, 0
			p.leave = append(p.leave, c)
		}
	}
}

// parseDiffering parses the difference of two artifacts. It parses all lines of a
// virtual service that differs.
func parseDiffering(old, now *State, before, after backends.Artifact) error {
	nows := now.files()
	for i, f := range old.files() {
		if !hasFile(after, f.name) {
			return fmt.Errorf("the artifact has no %s", f.name)
		}
		gone, come := xtlive.Differing(before.File(f.name), after.File(f.name), f.starts)
		if err := f.read(bytes.Join(gone, nil)); err != nil {
			return fmt.Errorf("%s as applied: %w", f.name, err)
		}
		if err := nows[i].read(bytes.Join(come, nil)); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// startsService reports whether a line begins the block of a virtual service.
func startsService(_, line []byte) bool { return !bytes.HasPrefix(line, []byte("-a ")) }

func marked(s services) bool {
	for k := range s {
		if k.Mark != 0 {
			return true
		}
	}
	return false
}

// routeSet reports whether a set maps frontends to marks.
func routeSet(name string) bool { return xtables.SetRole(name).Role == xtables.Routes }
