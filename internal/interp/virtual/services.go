package virtual

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/internal/text/ipvsadm"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Services is IPVS's table of virtual services. It is safe for concurrent use.
type Services struct {
	byKey map[ipvsadm.Key]*Service
	// byAddress finds the place in list of the service of a family, protocol, address
	// and port.
	byAddress space.Table
	list      []*Service
}

// Service is one virtual service.
type Service struct {
	// Text is the line that made it, without the command.
	Text string
	// Persistence is for how many seconds a client keeps its endpoint; 0 is not at all.
	Persistence uint32
	// Endpoints are those with a weight above 0.
	Endpoints []eval.Choice
	// Parts is how much of the connections each endpoint gets, in their order; the sum is 1.
	Parts []float64

	scheduler string
	has       map[netip.AddrPort]bool
}

// schedulers are the schedulers that select among the endpoints with a weight.
var schedulers = []string{"rr", "wrr", "lc", "wlc", "sh", "mh"}

// Read executes the commands of ipvsadm -R. What ipvsadm or the kernel would refuse is an
// error, and so is a scheduler whose choice is not known.
func Read(text []byte) (*Services, error) {
	all := &Services{byKey: make(map[ipvsadm.Key]*Service)}
	for c, err := range ipvsadm.Commands(text) {
		if err != nil {
			return nil, err
		}
		if err := all.command(&c); err != nil {
			return nil, fmt.Errorf("%q: %w", c.Text, err)
		}
	}
	for _, s := range all.byKey {
		s.share()
	}
	return all, nil
}

// share computes the parts of the endpoints, by their weights where the scheduler heeds them.
func (s *Service) share() {
	weight := func(e eval.Choice) float64 {
		if s.scheduler == "rr" || s.scheduler == "lc" {
			return 1
		}
		return float64(e.Weight)
	}
	total := 0.0
	for _, e := range s.Endpoints {
		total += weight(e)
	}
	for _, e := range s.Endpoints {
		s.Parts = append(s.Parts, weight(e)/total)
	}
}

func (all *Services) command(c *ipvsadm.Command) error {
	s := all.byKey[c.Key]
	switch {
	case c.Adds:
		return s.add(c)
	case s != nil:
		return fmt.Errorf("the virtual service is there already")
	case c.Mark == 0 && c.Address.Port() == 0:
		return fmt.Errorf("a virtual service of every port is not known")
	case !slices.Contains(schedulers, c.Scheduler):
		return fmt.Errorf("scheduler %q is not known", c.Scheduler)
	}
	made := &Service{Text: strings.TrimPrefix(c.Text, "-A "), Persistence: c.Persistence, scheduler: c.Scheduler, has: make(map[netip.AddrPort]bool)}
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
func (s *Service) add(c *ipvsadm.Command) error {
	switch {
	case s == nil:
		return fmt.Errorf("there is no such virtual service")
	case c.Mark != 0 && s.Persistence > 0:
		return fmt.Errorf("a persistent service that a mark selects does not translate ports (ip_vs_sched_persist)")
	case s.has[c.Destination]:
		return fmt.Errorf("the endpoint is there already")
	}
	s.has[c.Destination] = true
	if c.Weight > 0 {
		s.Endpoints = append(s.Endpoints, eval.Choice{Address: c.Destination, Weight: c.Weight})
	}
	return nil
}

// Has reports whether there is a virtual service of the family.
func (all *Services) Has(ipv6 bool) bool {
	for k := range all.byKey {
		if k.IPv6 == ipv6 {
			return true
		}
	}
	return false
}

// Find searches like IPVS (ip_vs_service_find), for packets with a mark that go to an address
// and port: by the whole mark first. It returns nil if no virtual service takes them.
func (all *Services) Find(p *space.Packets, mark uint32, addr, port space.Value) *Service {
	if s := all.byKey[ipvsadm.Key{Mark: mark, IPv6: p.IPv6()}]; mark != 0 && s != nil {
		return s
	}
	family := space.N(0)
	if p.IPv6() {
		family = space.N(1)
	}
	at, found := all.byAddress.Find(p, space.Known(family), space.Protocol.Value(), addr, port)
	if !found {
		return nil
	}
	return all.list[at]
}

func one(n space.Number) space.Interval { return space.Interval{First: n, Last: n} }
