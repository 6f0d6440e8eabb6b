package ipvs

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/internal/interp/iptables"
	"github.com/planec/planec/internal/text/ipvsadm"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// services is IPVS's table of virtual services.
type services struct {
	byKey map[ipvsadm.Key]*service
	// byAddress finds the place in list of the service of a family, protocol, address
	// and port.
	byAddress space.Table
	list      []*service
}

func newServices() *services { return &services{byKey: make(map[ipvsadm.Key]*service)} }

// service is one virtual service.
type service struct {
	text        string
	persistence uint32
	scheduler   string
	// endpoints are those with a weight above 0.
	endpoints []eval.Choice
	// parts is how much of the connections each endpoint gets, in their order.
	parts []float64
	has   map[netip.AddrPort]bool
}

// schedulers are the schedulers that select among the endpoints with a weight.
var schedulers = []string{"rr", "wrr", "lc", "wlc", "sh", "mh"}

// read executes the commands of ipvsadm -R.
func (all *services) read(text []byte) error {
	for c, err := range ipvsadm.Commands(text) {
		if err != nil {
			return err
		}
		if err := all.command(&c); err != nil {
			return fmt.Errorf("%q: %w", c.Text, err)
		}
	}
	for _, s := range all.byKey {
		s.share()
	}
	return nil
}

// share computes the parts of the endpoints, by their weights where the scheduler heeds them.
func (s *service) share() {
	weight := func(e eval.Choice) float64 {
		if s.scheduler == "rr" || s.scheduler == "lc" {
			return 1
		}
		return float64(e.Weight)
	}
	total := 0.0
	for _, e := range s.endpoints {
		total += weight(e)
	}
	for _, e := range s.endpoints {
		s.parts = append(s.parts, weight(e)/total)
	}
}

func (all *services) command(c *ipvsadm.Command) error {
	s := all.byKey[c.Key]
	switch {
	case c.Adds:
		return s.add(c)
	case s != nil:
		return fmt.Errorf("the virtual service is there already")
	case !slices.Contains(schedulers, c.Scheduler):
		return fmt.Errorf("scheduler %q is not known", c.Scheduler)
	}
	made := &service{text: strings.TrimPrefix(c.Text, "-A "), persistence: c.Persistence, scheduler: c.Scheduler, has: make(map[netip.AddrPort]bool)}
	all.byKey[c.Key] = made
	if c.Key.Mark == 0 {
		family, addr := uint64(0), c.Key.Address.Addr()
		if !addr.Is4() {
			family = 1
		}
		key := []space.Interval{one(space.N(family)), one(space.N(uint64(c.Key.Protocol))), one(space.Addr(addr)), one(space.N(uint64(c.Key.Address.Port())))}
		all.byAddress.Add(key, 0, len(all.list))
		all.list = append(all.list, made)
	}
	return nil
}

// add adds an endpoint.
func (s *service) add(c *ipvsadm.Command) error {
	switch {
	case s == nil:
		return fmt.Errorf("there is no such virtual service")
	case c.Mark != 0 && s.persistence > 0:
		return fmt.Errorf("a persistent service that a mark selects does not translate ports (ip_vs_sched_persist)")
	case s.has[c.Destination]:
		return fmt.Errorf("the endpoint is there already")
	}
	s.has[c.Destination] = true
	if c.Weight > 0 {
		s.endpoints = append(s.endpoints, eval.Choice{Address: c.Destination, Weight: c.Weight})
	}
	return nil
}

// find searches like IPVS (ip_vs_service_find): by the whole mark first.
func (all *services) find(p *iptables.Packet) *service {
	if s := all.byKey[ipvsadm.Key{Mark: p.Mark, IPv6: p.IPv6()}]; p.Mark != 0 && s != nil {
		return s
	}
	family := space.N(0)
	if p.IPv6() {
		family = space.N(1)
	}
	addr, port := p.To()
	at, found := all.byAddress.Find(p.Packets, space.Known(family), space.Protocol.Value(), addr, port)
	if !found {
		return nil
	}
	return all.list[at]
}

func one(n space.Number) space.Interval { return space.Interval{First: n, Last: n} }
