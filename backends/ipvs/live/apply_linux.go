package live

import (
	"context"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	xtlive "github.com/planec/planec/backends/xtables/live"
)

// Observe reads the state of the kernel.
func (k *Kernel) Observe(ctx context.Context) (*State, error) {
	s, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	out := &State{}
	if out.services, err = s.readServices(); err != nil {
		return nil, err
	}
	if out.device, err = s.readDevice(); err != nil {
		return nil, err
	}
	if out.sysctls, err = readSysctls(); err != nil {
		return nil, err
	}
	out.rules, err = k.rules.Observe(ctx)
	return out, err
}

// Apply carries out a plan. If it fails, flows to Services that do not change are
// not affected, and a new plan completes the change.
func (k *Kernel) Apply(ctx context.Context, p *Plan) error {
	s, err := open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	for _, v := range p.sysctls {
		if err := writeSysctl(v); err != nil {
			return err
		}
	}
	if len(p.journal) > 0 {
		if err := k.rules.Sets(ctx, writeJournal(p.journal)); err != nil {
			return fmt.Errorf("noting what is on its way: %w", err)
		}
	}
	if err := k.change(ctx, s, p); err != nil {
		return err
	}
	p.draining = append(p.draining, s.stay...)
	if err := k.rules.End(ctx, p.rules); err != nil {
		return err
	}
	if len(p.journal) > 0 || p.leftJournal {
		return k.rules.Sets(ctx, closeJournal())
	}
	return nil
}

// change carries out a plan except for sysctls, the journal and obsolete sets.
func (k *Kernel) change(ctx context.Context, s *sockets, p *Plan) error {
	for _, step := range []func() error{
		func() error { return s.run(ctx, p.early) },
		func() error { return k.rules.Begin(ctx, p.rules) },
		func() error { return s.makeDevice(p.makeDevice, p.raise) },
		func() error { return s.run(ctx, p.come) },
		func() error { return s.changeAddresses(p.addAddresses, nil) },
		func() error { return s.run(ctx, p.leave) },
		func() error { return s.changeAddresses(nil, p.removeAddresses) },
		func() error { return s.run(ctx, p.gone) },
	} {
		if err := errors.Join(ctx.Err(), step()); err != nil {
			return err
		}
	}
	return nil
}

// run makes changes in order. Destinations that may have connections are removed last.
func (s *sockets) run(ctx context.Context, changes []change) error {
	var leaving []change
	for _, c := range changes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.verb == removeDestination && c.graceful {
			leaving = append(leaving, c)
			continue
		}
		if err := s.one(c); err != nil {
			return err
		}
	}
	return s.leave(leaving)
}

func (s *sockets) one(c change) error {
	switch c.verb {
	case addService:
		if err := s.putService(c.key, c.service.settings); err != nil {
			return err
		}
		for _, a := range sortedAddrs(c.service.destinations) {
			if err := s.putDestination(c.key, a, c.service.destinations[a]); err != nil {
				return err
			}
		}
		return nil
	case updateService:
		return s.updateService(c.key, c.service.settings)
	case removeService:
		return s.deleteService(c.key)
	case addDestination:
		return s.putDestination(c.key, c.dest, c.to)
	case updateDestination:
		return s.updateDestination(c.key, c.dest, c.to)
	}
	return s.deleteDestination(c.key, c.dest)
}

// leave sets the weight of destinations to 0, reads them again, because connections
// may have been added since the plan was made, and removes those without connections.
func (s *sockets) leave(changes []change) error {
	perService := make(map[Key][]change)
	var order []Key
	for _, c := range changes {
		if perService[c.key] == nil {
			order = append(order, c.key)
		}
		perService[c.key] = append(perService[c.key], c)
		if c.from.weight == 0 {
			continue
		}
		quiet := c.from
		quiet.weight = 0
		if err := s.updateDestination(c.key, c.dest, quiet); err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	for _, k := range order {
		now, err := s.readDestinations(k)
		if err != nil {
			return err
		}
		for _, c := range perService[k] {
			d, there := now[c.dest]
			if busy := d.active > 0 || c.from.weight == 0 && d.connections() > 0; !there || busy {
				if there {
					s.stay = append(s.stay, c)
				}
				continue
			}
			if err := s.deleteDestination(k, c.dest); err != nil {
				return err
			}
		}
	}
	return nil
}

// Clean removes all objects of planec except sysctls, and returns the steps taken. If
// the kernel lacks IPVS or the system lacks iptables, there are no such objects.
func (k *Kernel) Clean(ctx context.Context) ([]string, error) {
	have, err := k.cleanable(ctx)
	if err != nil {
		return nil, err
	}
	steps, err := cleanServices(ctx, have)
	if err != nil {
		return steps, err
	}
	rules := xtlive.NewPlan(have.rules, xtlive.Nothing())
	return append(steps, rules.Steps()...), k.rules.Apply(ctx, rules)
}

// Left returns the steps that Clean would take, without a change.
func (k *Kernel) Left(ctx context.Context) ([]string, error) {
	have, err := k.cleanable(ctx)
	if err != nil {
		return nil, err
	}
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	defer h.Close()
	var steps []string
	if link, err := findDevice(h); err != nil {
		return nil, err
	} else if link != nil {
		steps = append(steps, "remove device "+deviceName)
	}
	want := nothing()
	want.rules = have.rules
	steps = appendChanges(steps, NewPlan(have, want).gone, namesOf(have.rules))
	return append(steps, xtlive.NewPlan(have.rules, xtlive.Nothing()).Steps()...), nil
}

// cleanable reads what Clean may remove. It leaves out the rules if they belong to
// the iptables backend.
func (k *Kernel) cleanable(ctx context.Context) (*State, error) {
	out := nothing()
	rules, err := k.rules.Observe(ctx)
	if err != nil {
		return nil, err
	}
	if out.rules = rules; !OwnRules(rules) {
		out.rules = rules.Only(OwnSet)
	}
	if len(owned(rules)) == 0 && !hasJournal(rules) {
		return out, nil // do not load the module only to look
	}
	s, err := open(ctx)
	if errors.Is(err, ErrNoIPVS) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	defer s.close()
	out.services, err = s.readServices()
	return out, err
}

// cleanServices removes virtual services and the device. It does not remove the
// sets, because they record which virtual services belong to planec.
func cleanServices(ctx context.Context, have *State) (steps []string, err error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	defer h.Close()
	if link, err := findDevice(h); err != nil {
		return nil, err
	} else if link != nil {
		if err := removeDevice(h); err != nil {
			return nil, err
		}
		steps = append(steps, "remove device "+deviceName)
	}
	want := nothing()
	want.rules = have.rules
	p := NewPlan(have, want)
	if len(p.gone) == 0 {
		return steps, nil
	}
	s, err := open(ctx)
	if err != nil {
		return steps, err
	}
	defer s.close()
	return appendChanges(steps, p.gone, namesOf(have.rules)), s.run(ctx, p.gone)
}
