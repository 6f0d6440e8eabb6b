package foreign

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/planec/planec/internal/interp/virtual"
	"github.com/planec/planec/internal/text/ipaddr"
	text "github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// balancer is IPVS on the node: its virtual services, and the addresses of the device that
// has those which are no others of the node.
type balancer struct {
	services *virtual.Services
	bound    []netip.Addr
	// bound4 and bound6 are the addresses of each family.
	bound4, bound6 space.Set
}

// proxyDevice is the device of kube-proxy (pkg/proxy/ipvs/proxier.go).
const proxyDevice = "kube-ipvs0"

// proxyChain is a chain that kube-proxy has in its IPVS mode only.
const proxyChain = "KUBE-IPVS-FILTER"

// Recording is what records the whole state of kube-proxy's IPVS mode.
const Recording = "(ipvsadm-save -n; ipset save; iptables-save; ip6tables-save; ip -o addr show dev kube-ipvs0) > kube-proxy.ipvs"

// isIPVS reports whether the listings are the state of IPVS.
func (p *listings) isIPVS() bool {
	for _, rules := range p.iptables {
		if strings.Contains(string(rules.text), "\n:"+proxyChain+" ") {
			return true
		}
	}
	return p.services != nil || p.addresses != nil
}

// missing names the commands of listings that are not there.
func (p *listings) missing() error {
	var list []string
	for _, c := range []struct {
		missing bool
		command string
	}{
		{p.services == nil, "ipvsadm-save -n"},
		{p.sets == nil, "ipset save"},
		{p.addresses == nil, "ip -o addr show dev " + proxyDevice},
		{len(p.iptables) == 0, "iptables-save or ip6tables-save"},
	} {
		if c.missing {
			list = append(list, c.command)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return fmt.Errorf("the listings are of kube-proxy's IPVS mode, and the output of %s is missing; all are recorded by: %s", strings.Join(list, ", and that of "), Recording)
}

// newBalancer reads the virtual services and the addresses.
func newBalancer(p *listings) (*balancer, error) {
	if err := p.missing(); err != nil {
		return nil, err
	}
	b := &balancer{}
	var err error
	if b.services, err = virtual.Read(p.services.text); err != nil {
		return nil, p.services.errorf(err)
	}
	var four, six []space.Number
	for a, err := range ipaddr.Addresses(p.addresses.text) {
		switch {
		case err != nil:
			return nil, p.addresses.errorf(err)
		case a.Device != proxyDevice:
			return nil, p.addresses.errorf(fmt.Errorf("%v is an address of %s: give those of %s alone", a.Addr, a.Device, proxyDevice))
		case a.Addr.Is4():
			four = append(four, space.Addr(a.Addr))
		default:
			six = append(six, space.Addr(a.Addr))
		}
		b.bound = append(b.bound, a.Addr)
	}
	b.bound4, b.bound6 = space.Points(four...), space.Points(six...)
	return b, nil
}

// IPVS reports whether virtual services of IPVS belong to the rules.
func (i *Interpreter) IPVS() bool { return i.balancer != nil }

// Bound are the addresses that IPVS's device gives to the node.
func (i *Interpreter) Bound() []netip.Addr {
	if i.balancer == nil {
		return nil
	}
	return i.balancer.bound
}

// complete rejects virtual services of a family without rules of it.
func (i *Interpreter) complete() error {
	for ipv6, command := range map[bool]string{false: "iptables-save", true: "ip6tables-save"} {
		if i.balancer.services.Has(ipv6) && i.of(ipv6) == nil {
			return fmt.Errorf("there are virtual services of a family without rules: the output of %s is missing; all are recorded by: %s", command, Recording)
		}
	}
	return nil
}

// Where IPVS takes packets (ip_vs_ops in net/netfilter/ipvs/ip_vs_core.c): in INPUT it does so
// after filter, in OUTPUT between nat and filter.
const (
	atInput  = 99
	atOutput = -98
)

// travelBalanced sends packets through the hooks of a node with IPVS. What has got an endpoint
// passes OUTPUT again, from its beginning, but for nat: the addresses of its connection are
// set (ip_vs_nat_send_or_cont in ip_vs_xmit.c).
func (m *machine) travelBalanced() eval.Result {
	switch {
	case m.fromNode():
		m.sendBalanced()
	case !m.through(prerouting, true):
	case !m.local(m.dst):
		if m.through(forward, true) {
			m.through(postrouting, true)
		}
	case m.part(input, math.MinInt, atInput, true):
		if !m.balance() {
			m.part(input, atInput, math.MaxInt, true)
		} else if m.service != nil {
			m.deliver()
		}
	}
	return m.result()
}

// deliver sends what has arrived to its endpoint.
func (m *machine) deliver() {
	if m.local(m.dst) {
		m.part(input, atInput, math.MaxInt, true)
	} else if m.through(output, false) {
		m.through(postrouting, true)
	}
}

// sendBalanced sends what the node itself has sent. A connection of the node to itself
// re-enters through the loopback interface.
func (m *machine) sendBalanced() {
	if !m.part(output, math.MinInt, atOutput, true) {
		return
	}
	taken := m.balance()
	switch {
	case taken && m.service == nil:
		return
	case taken && !m.local(m.dst):
		if m.through(output, false) {
			m.through(postrouting, true)
		}
		return
	}
	if m.part(output, atOutput, math.MaxInt, false) && m.through(postrouting, true) && m.local(m.dst) && m.through(prerouting, false) {
		m.through(input, false)
	}
}

// balance gives packets an endpoint, if a virtual service takes them, and reports whether one
// does; without an endpoint it refuses them (ip_vs_leave). A TCP segment without SYN begins no
// connection (tcp_conn_schedule in ip_vs_proto_tcp.c, without sloppy_tcp).
func (m *machine) balance() bool {
	s := m.interp.balancer.services.Find(m.packets, m.mark, m.dst, m.port)
	if s == nil || m.is(space.Protocol, uint64(ir.TCP)) && m.is(space.Midstream, 1) {
		return false
	}
	if m.interp.explain {
		m.steps = append(m.steps, eval.Step{Stage: "ipvs", Text: s.Text})
	}
	if len(s.Endpoints) == 0 {
		m.decided = decision{verdict: reject}
		return true
	}
	m.service = s
	m.redirect(s.Endpoints[m.draws.Weighted(s.Parts)].Address)
	return true
}

// ofIPVS matches what IPVS has given an endpoint by its virtual service. For packets of
// connections that IPVS does not have, an option holds neither with nor without negation.
func (r *xtRule) ofIPVS(m *text.Match) (statement, error) {
	if m.Option == "--ipvs" {
		return func(m *machine) bool { return m.service != nil }, nil
	}
	if m.Negated {
		return nil, errors.New("a negated property of virtual services")
	}
	var f space.Field
	var i space.Interval
	var err error
	switch m.Option {
	case "--vaddr":
		f = space.Destination
		i, err = addresses(m.Values[0], r.rules.IPv6)
	case "--vproto":
		var p space.Number
		f = space.Protocol
		p, err = protocol(m.Values[0])
		i = space.Interval{First: p, Last: p}
	case "--vport":
		var n uint64
		f = space.Port
		n, err = strconv.ParseUint(m.Values[0], 10, 16)
		i = point(n)
	}
	return func(m *machine) bool { return m.service != nil && m.packets.Between(f, i) }, err
}

// bridged reports whether packets came in by a port of a bridge, which they do not say: both
// are followed.
func (m *machine) bridged() bool {
	if m.fromNode() {
		return false
	}
	if m.fromPort == nil {
		is := m.draws.Random(2) == 1
		m.fromPort = &is
	}
	return *m.fromPort
}
