package live

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	xtlive "github.com/planec/planec/backends/xtables/live"
)

// Held is an artifact that is in the kernel. It plans changes without a look at
// the kernel, and parses little more than what differs.
type Held struct {
	artifact backends.Artifact
	// draining are the removals of destinations that have the weight 0 and may
	// have connections still.
	draining []change
}

// Hold takes what was applied, and the plan that was made when it was in: it
// knows the destinations that are left alone while they have connections.
func Hold(a backends.Artifact, last *Plan) *Held {
	h := &Held{artifact: a}
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

// Plan says what turns what is held into another artifact.
func (h *Held) Plan(want backends.Artifact) (*Plan, error) {
	p := &Plan{}
	old, now := &State{}, &State{}
	if err := parseDiffering(old, now, h.artifact, want); err != nil {
		return nil, err
	}
	for _, name := range differing(old.sysctls, now.sysctls) {
		p.sysctls = append(p.sysctls, setting{name, old.sysctls[name], now.sysctls[name]})
	}
	var err error
	if p.rules, err = xtlive.Difference(h.artifact, want); err != nil {
		return nil, err
	}
	// Which marks lead where matters only when some of that changes.
	if !p.rules.Empty() || marked(old.services) || marked(now.services) {
		if old.rules, err = xtlive.ParseSets(h.artifact, routeSet); err != nil {
			return nil, err
		}
		if now.rules, err = xtlive.ParseSets(want, routeSet); err != nil {
			return nil, err
		}
	}
	p.planServices(old, now, func(Key) bool { return true })
	p.planDevice(old.device, now.device)
	h.tidy(p)
	return p, nil
}

// Commit makes what a plan was made for what is held, once it was carried out.
func (h *Held) Commit(p *Plan, a backends.Artifact) { h.artifact, h.draining = a, p.draining }

// tidy adds to a plan the destinations that may have drained by now, but for
// those that it brings back or removes with their service.
func (h *Held) tidy(p *Plan) {
	type place struct {
		key  Key
		dest netip.AddrPort
	}
	touched := make(map[place]bool)
	for _, changes := range [][]change{p.early, p.come, p.gone} {
		for _, c := range changes {
			touched[place{c.key, c.dest}] = true
		}
	}
	for _, c := range h.draining {
		if !touched[place{c.key, c.dest}] && !touched[place{key: c.key}] {
			c.from.weight, c.from.active, c.from.inactive = 0, 0, 0
			p.leave = append(p.leave, c)
		}
	}
}

// parseDiffering reads what only one of two artifacts has. Of a virtual service
// that differs all is read.
func parseDiffering(old, now *State, before, after backends.Artifact) error {
	*old, *now = *nothing(), *nothing()
	for _, f := range []struct {
		name     string
		starts   func(last, line []byte) bool
		old, now func([]string) error
	}{
		{ipvs.ServicesFile, startsService, old.services.line, now.services.line},
		{ipvs.AddressesFile, xtlive.EveryLine, old.device.line, now.device.line},
		{ipvs.SysctlFile, xtlive.EveryLine, old.sysctl, now.sysctl},
	} {
		if after.File(f.name) == nil {
			return fmt.Errorf("the artifact has no %s", f.name)
		}
		gone, come := xtlive.Differing(before.File(f.name), after.File(f.name), f.starts)
		for _, b := range gone {
			if err := parseLines(f.name, b, f.old); err != nil {
				return err
			}
		}
		for _, b := range come {
			if err := parseLines(f.name, b, f.now); err != nil {
				return err
			}
		}
	}
	return nil
}

// startsService begins a block with each virtual service.
func startsService(_, line []byte) bool { return !bytes.HasPrefix(line, []byte("-a ")) }

func marked(s services) bool {
	for k := range s {
		if k.Mark != 0 {
			return true
		}
	}
	return false
}

// routeSet reports whether a set leads to marks.
func routeSet(name string) bool {
	for _, f := range families {
		for _, part := range routeSets {
			if name == "plc-"+f.name+part {
				return true
			}
		}
	}
	return false
}
