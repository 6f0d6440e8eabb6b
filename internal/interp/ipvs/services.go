package ipvs

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/internal/interp/iptables"
	"github.com/planec/planec/internal/text/ipvsadm"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// services is IPVS's table of virtual services.
type services map[ipvsadm.Key]*service

// service is one virtual service.
type service struct {
	text        string
	persistence uint32
	// endpoints are those with a weight above 0.
	endpoints []eval.Choice
	has       map[netip.AddrPort]bool
}

// schedulers are the schedulers that select among the endpoints with a weight.
var schedulers = []string{"rr", "wrr", "lc", "wlc", "sh", "mh"}

// read executes the commands of ipvsadm -R.
func (all services) read(text []byte) error {
	for c, err := range ipvsadm.Commands(text) {
		if err != nil {
			return err
		}
		if err := all.command(&c); err != nil {
			return fmt.Errorf("%q: %w", c.Text, err)
		}
	}
	return nil
}

func (all services) command(c *ipvsadm.Command) error {
	s := all[c.Key]
	switch {
	case c.Adds:
		return s.add(c)
	case s != nil:
		return fmt.Errorf("the virtual service is there already")
	case !slices.Contains(schedulers, c.Scheduler):
		return fmt.Errorf("scheduler %q is not known", c.Scheduler)
	}
	all[c.Key] = &service{text: strings.TrimPrefix(c.Text, "-A "), persistence: c.Persistence, has: make(map[netip.AddrPort]bool)}
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
func (all services) find(p *iptables.Packet) *service {
	ipv6 := ir.FamilyOf(p.Dst) == ir.IPv6
	if s := all[ipvsadm.Key{Mark: p.Mark, IPv6: ipv6}]; p.Mark != 0 && s != nil {
		return s
	}
	return all[ipvsadm.Key{Protocol: uint8(p.Protocol), Address: p.To, IPv6: ipv6}]
}
