package live

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtables"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/text/ipset"
	"github.com/planec/planec/ir"
)

// Plan turns one state into another, in the order that the package documentation
// describes.
type Plan struct {
	sysctls []setting
	// journal has the virtual services that the sets temporarily do not contain.
	journal []Key
	// leftJournal is whether a killed apply left its journal.
	leftJournal bool
	// early changes are made before the sets and the rules change.
	early []change
	rules *xtlive.Plan
	// makeDevice and raise concern the dummy interface.
	makeDevice, raise bool
	come              []change
	addAddresses      []address
	leave             []change
	removeAddresses   []netip.Addr
	gone              []change
	// draining are the removals of destinations that stay while they have
	// connections: the planned ones, and after the apply also those found during it.
	draining []change
	// commit updates the held state.
	commit func()
	// names maps keys to the names of their Services.
	names map[Key]string
}

// setting is a sysctl.
type setting struct{ name, from, to string }

// address is an address of the device.
type address struct {
	netip.Addr
	deprecated, replace bool
}

// verb is the kind of change to a virtual service or a destination.
type verb int

const (
	addService verb = iota
	updateService
	removeService
	addDestination
	updateDestination
	removeDestination
)

// change is one change to a virtual service or a destination.
type change struct {
	verb verb
	key  Key
	// service is the wanted state, with destinations if it is added.
	service *service
	dest    netip.AddrPort
	// from and to are the old and the new state of the destination.
	from, to destination
	// graceful destinations stay while they have connections.
	graceful bool
}

// String describes the change.
func (c change) String() string {
	switch c.verb {
	case addService:
		return fmt.Sprintf("add service %v (%v; %s)", c.key, c.service.settings, backends.Count(len(c.service.destinations), "destination"))
	case updateService:
		return fmt.Sprintf("change service %v (%v)", c.key, c.service.settings)
	case removeService:
		return fmt.Sprintf("remove service %v", c.key)
	case addDestination:
		return fmt.Sprintf("add destination %v to %v (weight %d)", c.dest, c.key, c.to.weight)
	case updateDestination:
		if c.from.forward != c.to.forward {
			return fmt.Sprintf("change destination %v of %v (masquerading)", c.dest, c.key)
		}
		return fmt.Sprintf("change destination %v of %v (weight %d, was %d)", c.dest, c.key, c.to.weight, c.from.weight)
	}
	if c.graceful && c.from.active > 0 {
		return fmt.Sprintf("drain destination %v of %v (weight 0, was %d; %s)", c.dest, c.key, c.from.weight, backends.Count(int(c.from.active), "connection"))
	}
	return fmt.Sprintf("remove destination %v of %v", c.dest, c.key)
}

// NewPlan compares two states.
func NewPlan(have, want *State) *Plan {
	p := &Plan{leftJournal: hasJournal(have.rules)}
	for _, name := range differing(have.sysctls, want.sysctls) {
		p.sysctls = append(p.sysctls, setting{name, have.sysctls[name], want.sysctls[name]})
	}
	p.rules = xtlive.NewPlan(have.rules.Without(journalSet), want.rules)
	ours, journal := owned(have.rules), readJournal(have.rules)
	p.planServices(have, want, func(k Key) bool { return ours[k] || journal[k] })
	p.planDevice(have.device, want.device)
	if len(p.early)+len(p.come)+len(p.leave)+len(p.gone) > 0 {
		p.names = namesOf(have.rules, want.rules)
	}
	return p
}

// planServices compares the virtual services that belong to planec.
func (p *Plan) planServices(have, want *State, ours func(Key) bool) {
	protocols := protocolsOf(have.rules, want.rules)
	early := passedOn(have.rules, want.rules)
	for _, k := range want.services.keys() {
		w, h := want.services[k], have.services[k]
		if h == nil {
			p.planNew(k, w)
			continue
		}
		come, leave, stay := compareService(k, h, w, graceful(k, protocols))
		p.draining = append(p.draining, stay...)
		if early[k] {
			p.early = append(append(p.early, come...), leave...)
			continue
		}
		p.come, p.leave = append(p.come, come...), append(p.leave, leave...)
	}
	for _, k := range have.services.keys() {
		if want.services[k] == nil && ours(k) {
			p.gone = append(p.gone, change{verb: removeService, key: k})
			p.journal = append(p.journal, k)
		}
	}
}

func (p *Plan) planNew(k Key, w *service) {
	c := change{verb: addService, key: k, service: w}
	if k.Mark == 0 {
		p.come = append(p.come, c)
		return
	}
	p.early = append(p.early, c)
	p.journal = append(p.journal, k)
}

// graceful reports whether destinations of the service stay while they have
// connections, which is the case for TCP.
func graceful(k Key, protocols map[Key]ir.Protocol) bool {
	if p, known := protocols[k]; k.Mark != 0 && known {
		return p == ir.TCP
	}
	return k.Mark != 0 || k.Protocol == ir.TCP
}

// compareService returns additions and changes (come), removals (leave), and
// removals that wait for connections to end (stay).
func compareService(k Key, have, want *service, graceful bool) (come, leave, stay []change) {
	var update []change
	for _, a := range sortedAddrs(want.destinations) {
		w := want.destinations[a]
		h, there := have.destinations[a]
		c := change{key: k, service: want, dest: a, from: h, to: w}
		switch {
		case !there:
			c.verb = addDestination
			come = append(come, c)
		case !h.same(w):
			c.verb = updateDestination
			update = append(update, c)
		}
	}
	if have.settings != want.settings {
		update = append(update, change{verb: updateService, key: k, service: want})
	}
	for _, a := range sortedAddrs(have.destinations) {
		h := have.destinations[a]
		if _, stays := want.destinations[a]; stays {
			continue
		}
		c := change{verb: removeDestination, key: k, service: want, dest: a, from: h, graceful: graceful}
		if graceful && h.draining() {
			stay = append(stay, c)
			continue
		}
		leave = append(leave, c)
	}
	return append(come, update...), leave, stay
}

// draining reports whether a destination to be removed still waits for its connections.
func (d destination) draining() bool { return d.weight == 0 && d.connections() > 0 }

// tidies reports whether a change only removes a drained destination.
func (c change) tidies() bool {
	return c.verb == removeDestination && c.graceful && c.from.weight == 0
}

// planDevice compares the device and its addresses.
func (p *Plan) planDevice(have, want device) {
	p.makeDevice = want.there && !have.there
	p.raise = want.up && !have.up
	for _, a := range slices.SortedFunc(maps.Keys(want.addresses), netip.Addr.Compare) {
		deprecated := want.addresses[a]
		if before, there := have.addresses[a]; !there || before != deprecated {
			p.addAddresses = append(p.addAddresses, address{Addr: a, deprecated: deprecated, replace: there})
		}
	}
	for _, a := range slices.SortedFunc(maps.Keys(have.addresses), netip.Addr.Compare) {
		if _, stays := want.addresses[a]; !stays {
			p.removeAddresses = append(p.removeAddresses, a)
		}
	}
}

// Empty reports whether nothing has to change. Drained destinations are no
// difference, although the plan has a step for each: the kernel may forget the
// last connection between an apply and its verification, which must not report a
// difference.
func (p *Plan) Empty() bool {
	tidy := 0
	for _, changes := range [][]change{p.early, p.leave} {
		for _, c := range changes {
			if c.tidies() {
				tidy++
			}
		}
	}
	return len(p.Steps()) == tidy
}

// Steps describes the changes in order, one line each.
func (p *Plan) Steps() []string {
	var out []string
	for _, s := range p.sysctls {
		out = append(out, fmt.Sprintf("sysctl: %s = %s (was %s)", s.name, s.to, cmp.Or(s.from, "missing")))
	}
	out = appendChanges(out, p.early, p.names)
	rules := p.rules.Steps()
	last := func(s string) bool { return strings.HasPrefix(s, "ipset: remove set ") }
	for _, s := range rules {
		if !last(s) {
			out = append(out, s)
		}
	}
	if p.makeDevice {
		out = append(out, "add device "+deviceName)
	}
	if p.raise {
		out = append(out, "set device "+deviceName+" up")
	}
	out = appendChanges(out, p.come, p.names)
	for _, a := range p.addAddresses {
		verb := "add"
		if a.replace {
			verb = "change"
		}
		out = append(out, verb+" address "+a.String())
	}
	out = appendChanges(out, p.leave, p.names)
	for _, a := range p.removeAddresses {
		out = append(out, "remove address "+a.String())
	}
	out = appendChanges(out, p.gone, p.names)
	for _, s := range rules {
		if last(s) {
			out = append(out, s)
		}
	}
	if p.leftJournal {
		out = append(out, "ipset: remove the journal of an apply that did not end")
	}
	return out
}

func appendChanges(out []string, changes []change, names map[Key]string) []string {
	for _, c := range changes {
		text := "ipvs: " + c.String()
		if name := names[c.key]; name != "" {
			text += " of " + name
		}
		out = append(out, text)
	}
	return out
}

// namesOf reads the names of virtual services from the sets; the last state has
// priority. A mark gets the name of a frontend that maps to it.
func namesOf(states ...*xtlive.State) map[Key]string {
	out := make(map[Key]string)
	for _, s := range states {
		named(out, s)
		for at, mark := range leads(s) {
			if out[at] != "" {
				out[mark] = out[at]
			}
		}
	}
	return out
}

// named adds the names in the comments of elements.
func named(out map[Key]string, s *xtlive.State) {
	for k, m := range keysIn(s, xtables.Virtual) {
		if _, name := ipset.Named(m); name != "" {
			out[k] = name
		}
	}
}
