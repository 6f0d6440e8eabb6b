package ipvs

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/internal/interp/iptables"
	"github.com/planec/planec/internal/interp/virtual"
	"github.com/planec/planec/internal/text/ipbatch"
	"github.com/planec/planec/internal/text/sysctl"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Interpreter evaluates packets on one node. It is safe for concurrent use.
type Interpreter struct {
	rules    *iptables.Interpreter
	services *virtual.Services
	sysctls  map[string]string
	// bound are the node's addresses, with those of the device.
	bound []netip.Addr
}

// The files that the interpreter reads in addition to rules and sets.
const (
	addressesFile = "addresses.batch"
	servicesFile  = "ipvsadm.rules"
	sysctlFile    = "sysctl.conf"
)

// New reads the files through file, by name. own are the node's own addresses,
// which its kernel knows and the files lack. If explain is set, results contain
// the matching rules as steps.
func New(file func(name string) []byte, own []netip.Addr, explain bool) (*Interpreter, error) {
	i := &Interpreter{sysctls: make(map[string]string)}
	bound, err := boundAddresses(file(addressesFile))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", addressesFile, err)
	}
	i.bound = slices.Concat(bound, own)
	if err := sysctl.Read(i.sysctls, file(sysctlFile)); err != nil {
		return nil, fmt.Errorf("%s: %w", sysctlFile, err)
	}
	if i.services, err = virtual.Read(file(servicesFile)); err != nil {
		return nil, fmt.Errorf("%s: %w", servicesFile, err)
	}
	i.rules, err = iptables.New(file, slices.Concat(bound, own), explain)
	return i, err
}

// Bound returns the addresses that the files give to the node, and the node's own: the
// packets of the node that IPVS has balanced come by again with them, and rules cannot tell
// those that another host sends.
func (i *Interpreter) Bound() []netip.Addr { return i.bound }

// boundAddresses returns the addresses of the device in the text.
func boundAddresses(text []byte) (out []netip.Addr, err error) {
	device := ""
	for c, err := range ipbatch.Commands(text) {
		switch {
		case err != nil:
			return nil, err
		case c.Verb == "link add":
			device = c.Device
		case c.Device != device:
			return nil, fmt.Errorf("%s of device %q, which is not the one that was made", c.Verb, c.Device)
		case c.Verb == "address flush":
			out = nil
		case c.Verb == "address add":
			out = append(out, c.Address)
		}
	}
	return out, nil
}

// Eval returns what happens to the packet, which is the first of its connection.
func (i *Interpreter) Eval(p eval.Packet) (eval.Result, error) {
	r, err := i.EvalAll(space.New(p.Box()))
	if err != nil {
		return r, fmt.Errorf("%v: %w", p, err)
	}
	return r, nil
}

// EvalAll returns what happens to every packet of what is left of the box.
func (i *Interpreter) EvalAll(p *space.Packets) (eval.Result, error) {
	return i.rules.Follow(p, i.travel)
}

func (i *Interpreter) travel(p *iptables.Packet) eval.Result {
	if p.FromNode() {
		return i.sent(p)
	}
	return i.arrived(p)
}

// arrived evaluates a packet from another host or a pod.
func (i *Interpreter) arrived(p *iptables.Packet) eval.Result {
	if !p.Through("PREROUTING", "mangle", "nat") {
		return p.Passed()
	}
	if !p.ToLocal() {
		if !i.forwards(p.IPv6()) {
			return eval.Result{Verdict: eval.Drop, Steps: p.Steps}
		}
		if p.Through("FORWARD", "mangle", "filter") {
			p.Leave()
		}
		return p.Passed()
	}
	admitted := p.Through("INPUT", "mangle", "filter")
	s := i.find(p)
	switch {
	case s == nil && admitted:
		p.Through("INPUT", "nat")
	case !admitted:
		return refused(p, s)
	default:
		return i.balance(p, s, func() bool {
			return p.ToLocal() || p.Through("OUTPUT", "mangle", "filter") && p.Leave()
		})
	}
	return p.Passed()
}

// find returns the virtual service that takes a packet, or nil.
func (i *Interpreter) find(p *iptables.Packet) *virtual.Service {
	addr, port := p.To()
	return i.services.Find(p.Packets, p.Mark, addr, port)
}

func (i *Interpreter) forwards(ipv6 bool) bool {
	return i.sysctls[map[bool]string{false: "net.ipv4.ip_forward", true: "net.ipv6.conf.all.forwarding"}[ipv6]] == "1"
}

// sent evaluates a packet of the node itself. A packet to the node leaves and
// re-enters through the loopback interface; NAT happens only on the way out.
func (i *Interpreter) sent(p *iptables.Packet) eval.Result {
	if !p.Through("OUTPUT", "mangle", "nat") {
		return p.Passed()
	}
	toSelf := func() bool { return p.Through("OUTPUT", "filter") && p.Leave() && p.Return() }
	s := i.find(p)
	switch {
	case s != nil:
		return i.balance(p, s, func() bool {
			if p.ToLocal() {
				return toSelf()
			}
			return p.Through("OUTPUT", "mangle", "filter") && p.Leave()
		})
	case p.ToLocal():
		toSelf()
	case p.Through("OUTPUT", "filter"):
		p.Leave()
	}
	return p.Passed()
}

// balance gives the packet one of the endpoints that IPVS may select, and delivers
// it there.
func (i *Interpreter) balance(p *iptables.Packet, s *virtual.Service, deliver func() bool) eval.Result {
	if len(s.Endpoints) == 0 {
		return eval.Result{Verdict: eval.Reject, Steps: p.Steps} // ip_vs_leave
	}
	c := s.Endpoints[p.Weighted(s.Parts)]
	p.Explain("ipvs", s.Text)
	p.Balanced = true
	p.Redirect(c.Address)
	delivered := deliver()
	r := eval.Result{Verdict: p.Verdict(), Affinity: s.Persistence, Steps: p.Steps, Logs: p.Passed().Logs}
	if !delivered {
		r.Denied = []eval.Choice{c}
		return r
	}
	c.Masquerade = p.Masqueraded && i.sysctls["net.ipv4.vs.conntrack"] == "1"
	c.Hairpin = c.Masquerade && p.ToSource() && p.InPairs()
	r.Verdict, r.Endpoints = eval.DNAT, []eval.Choice{c}
	return r
}

// refused ends a packet that reached INPUT. If a rule refused it because of its
// pair of virtual service and client, all endpoints are denied.
func refused(p *iptables.Packet, s *virtual.Service) eval.Result {
	r := p.Passed()
	if s != nil && p.RefusedByPair() {
		r.Affinity, r.Denied = s.Persistence, append(r.Denied, s.Endpoints...)
	}
	return r
}
