package live

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/ir/podnet"
)

// errNoDevice is the error of what is on a device that could not be made.
var errNoDevice = errors.New("its device is not there")

// routes plans the routes: the wanted ones, and those of planec's that are not.
func (p *planner) routes(want *podnet.Network) {
	wanted := make(map[netip.Prefix]bool, len(want.Routes))
	for _, r := range want.Routes {
		if f, is := p.state.foreign[r.To]; is {
			p.plan.foreign = append(p.plan.foreign, Foreign{To: r.To, Route: words(&f), Origin: r.Origin})
			continue
		}
		wanted[r.To] = true
		p.route(&r)
	}
	for _, to := range sorted(p.state.routes, podnet.ComparePrefixes) {
		if !wanted[to] {
			for _, r := range p.state.routes[to] {
				p.remove(&r)
			}
		}
	}
}

// route plans one route. The right one stays; any other of planec's is replaced by it.
func (p *planner) route(want *podnet.Route) {
	right := p.rightLinks(want)
	have := p.state.routes[want.To]
	at := slices.IndexFunc(have, func(r netlink.Route) bool { return p.is(&r, want, right) })
	if at < 0 {
		p.plan.add(makeRoutes, func() error { return p.replace(want, right) }, "set route %s", wantedWords(want))
		if i := slices.IndexFunc(have, replaced); i >= 0 {
			have = slices.Concat(have[:i], have[i+1:])
		}
	} else {
		have = slices.Concat(have[:at], have[at+1:])
	}
	for _, r := range have {
		p.remove(&r)
	}
}

// replaced reports whether a route of planec's is the one that another to the same
// destination replaces: one with the metric that the kernel gives to a route without any,
// 0 of IPv4 and 1024 of IPv6 (IP6_RT_PRIO_USER).
func replaced(r netlink.Route) bool {
	return r.Tos == 0 && (r.Family == unix.AF_INET && r.Priority == 0 || r.Family == unix.AF_INET6 && r.Priority == 1024)
}

// rightLinks are the interfaces by which a route may leave; none says that the kernel is
// to decide. It is read when a device that is made with the plan exists.
func (p *planner) rightLinks(want *podnet.Route) func() []int {
	if want.Device != "" {
		index := p.index[want.Device]
		return func() []int { return []int{*index} }
	}
	var links []int
	longest := -1
	for _, n := range p.state.nets {
		if !n.net.Contains(want.Via) || n.net.Bits() < longest || n.net.IsSingleIP() {
			continue
		}
		if n.net.Bits() > longest {
			longest, links = n.net.Bits(), nil
		}
		links = append(links, n.index)
	}
	return func() []int { return links }
}

func (p *planner) is(have *netlink.Route, want *podnet.Route, right func() []int) bool {
	via, _ := addrOf(have.Gw)
	links := right()
	return via == want.Via && len(have.MultiPath) == 0 && have.Type == unix.RTN_UNICAST && have.Encap == nil && have.Via == nil &&
		p.state.tunnels[keyOf(have)] == want.Tunnel &&
		(len(links) == 0 || slices.Contains(links, have.LinkIndex))
}

func (p *planner) replace(want *podnet.Route, right func() []int) error {
	r := &netlink.Route{Dst: ipNet(want.To), Gw: want.Via.AsSlice(), Protocol: podnet.Protocol, Table: unix.RT_TABLE_MAIN}
	if links := right(); len(links) > 0 {
		if r.LinkIndex = links[0]; r.LinkIndex == 0 {
			return errNoDevice
		}
	}
	if want.Device != "" {
		r.Flags = int(netlink.FLAG_ONLINK)
	}
	if want.Tunnel.To.IsValid() {
		r.Encap = &encap{want.Tunnel}
	}
	return p.nl.RouteReplace(r)
}

// remove plans that a route of planec's goes. One that is gone already, with its device, is
// no error.
func (p *planner) remove(r *netlink.Route) {
	del := func() error {
		if err := p.nl.RouteDel(r); !errors.Is(err, unix.ESRCH) {
			return err
		}
		return nil
	}
	p.plan.add(removeRoutes, del, "remove route %s", words(r))
}

func wantedWords(r *podnet.Route) string {
	if r.Device == "" {
		return fmt.Sprintf("to %v via %v", r.To, r.Via)
	}
	s := fmt.Sprintf("to %v via %v on %s", r.To, r.Via, r.Device)
	if r.Tunnel.To.IsValid() {
		s += ": " + encap{r.Tunnel}.String()
	}
	return s
}

// words names a route of the kernel's.
func words(r *netlink.Route) string {
	to, _ := prefixOf(r.Dst)
	s := fmt.Sprintf("to %v", to)
	if via, ok := addrOf(r.Gw); ok {
		s += fmt.Sprintf(" via %v", via)
	}
	return s + fmt.Sprintf(" of protocol %d", r.Protocol)
}
