package live

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/podnet"
)

// Kernel is one network namespace. It is not safe for concurrent use.
type Kernel struct {
	nl *netlink.Handle
	// raw is for requests that netlink's library has not.
	raw *nl.SocketHandle
}

// Open opens the network namespace of the calling thread. The Kernel may be used by others.
func Open() (*Kernel, error) {
	raw, err := nl.Subscribe(unix.NETLINK_ROUTE) // subscribes to no group: a plain socket
	if err != nil {
		return nil, fmt.Errorf("opening the kernel's routes: %w", err)
	}
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		raw.Close()
		return nil, fmt.Errorf("opening the kernel's routes: %w", err)
	}
	return &Kernel{nl: handle, raw: &nl.SocketHandle{Socket: raw}}, nil
}

// Close closes the sockets.
func (k *Kernel) Close() {
	k.raw.Close()
	k.nl.Close()
}

// state is what a kernel has, as far as a network is concerned.
type state struct {
	devices map[string]*device
	// routes are planec's by destination; foreign are others' to the wanted destinations.
	routes  map[netip.Prefix][]netlink.Route
	foreign map[netip.Prefix]netlink.Route
	// tunnels are those of planec's routes.
	tunnels map[routeKey]podnet.Tunnel
	// nets are the networks at the interfaces that are not planec's.
	nets []attached
}

// attached is a network at an interface.
type attached struct {
	net   netip.Prefix // as the address has it: with the host's bits
	index int
	mtu   int
}

// device is a device of planec with what is on it.
type device struct {
	// link is a *netlink.Vxlan or a *netlink.Geneve.
	link       netlink.Link
	addresses  map[netip.Addr]netlink.Addr
	neighbours map[netip.Addr]netlink.Neigh
	// forwarding has the first entry of each address, and extra all others.
	forwarding map[podnet.MAC]netlink.Neigh
	extra      []netlink.Neigh
}

// read reads the kernel. The wanted destinations are those of which foreign routes matter.
func (k *Kernel) read(want *podnet.Network) (*state, error) {
	s := &state{devices: make(map[string]*device), routes: make(map[netip.Prefix][]netlink.Route), foreign: make(map[netip.Prefix]netlink.Route), tunnels: make(map[routeKey]podnet.Tunnel)}
	if err := k.readLinks(s); err != nil {
		return nil, err
	}
	wanted := make(map[netip.Prefix]bool, len(want.Routes))
	for _, r := range want.Routes {
		wanted[r.To] = true
	}
	for _, f := range ir.Families() {
		routes, err := dump(func() ([]netlink.Route, error) { return k.nl.RouteList(nil, number(f)) })
		if err != nil {
			return nil, fmt.Errorf("listing %v routes: %w", f, err)
		}
		for _, r := range routes {
			to, ok := prefixOf(r.Dst)
			switch {
			case !ok:
			case r.Protocol == podnet.Protocol:
				s.routes[to] = append(s.routes[to], r)
			case wanted[to]:
				s.foreign[to] = r
			}
		}
	}
	if len(s.routes) == 0 {
		return s, nil
	}
	return s, k.readTunnels(s)
}

func (k *Kernel) readLinks(s *state) error {
	links, err := dump(k.nl.LinkList)
	if err != nil {
		return fmt.Errorf("listing interfaces: %w", err)
	}
	kinds := podnet.DeviceKinds()
	mtus := make(map[int]int, len(links))
	for _, l := range links {
		a := l.Attrs()
		mtus[a.Index] = a.MTU
		kind, own := kinds[a.Name]
		if !own {
			continue
		}
		if l.Type() != string(kind) {
			return fmt.Errorf("interface %s is of kind %s: another program has a device with planec's name", a.Name, l.Type())
		}
		s.devices[a.Name] = &device{link: l, addresses: make(map[netip.Addr]netlink.Addr)}
		if err := k.readDevice(s.devices[a.Name]); err != nil {
			return fmt.Errorf("reading %s: %w", a.Name, err)
		}
	}
	addrs, err := dump(func() ([]netlink.Addr, error) { return k.nl.AddrList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return fmt.Errorf("listing addresses: %w", err)
	}
	for _, a := range addrs {
		p, ok := networkOf(a.IPNet)
		if !ok {
			continue
		}
		own := false
		for _, d := range s.devices {
			if own = d.link.Attrs().Index == a.LinkIndex; own && !p.Addr().IsLinkLocalUnicast() {
				d.addresses[p.Addr()] = a
			}
			if own {
				break
			}
		}
		if !own {
			s.nets = append(s.nets, attached{p, a.LinkIndex, mtus[a.LinkIndex]})
		}
	}
	return nil
}

// readDevice reads the permanent neighbours and forwarding entries: others are what the
// kernel knows for the moment.
func (k *Kernel) readDevice(d *device) error {
	d.neighbours, d.forwarding = make(map[netip.Addr]netlink.Neigh), make(map[podnet.MAC]netlink.Neigh)
	index := d.link.Attrs().Index
	families := []int{unix.AF_INET, unix.AF_INET6}
	if d.link.Type() == string(podnet.InVXLAN) { // of others the list has the multicast addresses that are listened to
		families = append(families, unix.AF_BRIDGE)
	}
	for _, family := range families {
		list, err := dump(func() ([]netlink.Neigh, error) { return k.nl.NeighList(index, family) })
		if err != nil {
			return fmt.Errorf("listing neighbours: %w", err)
		}
		for _, n := range list {
			if n.State&netlink.NUD_PERMANENT == 0 {
				continue
			}
			n.Family = family
			if family != unix.AF_BRIDGE {
				if a, ok := addrOf(n.IP); ok {
					d.neighbours[a] = n
				}
				continue
			}
			mac, ok := macOf(n.HardwareAddr)
			if _, twice := d.forwarding[mac]; !ok || twice {
				d.extra = append(d.extra, n)
				continue
			}
			d.forwarding[mac] = n
		}
	}
	return nil
}

// tries bounds how often a list is asked for that changes meanwhile.
const tries = 5

func dump[T any](list func() ([]T, error)) (out []T, err error) {
	for range tries {
		if out, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return out, err
}

// Underlay returns the networks that the addresses have at this kernel's interfaces, and the
// smallest MTU of these; 0 if no interface has one of them.
func (k *Kernel) Underlay(own []netip.Addr) (subnets []netip.Prefix, mtu int, err error) {
	s := &state{devices: make(map[string]*device)}
	if err := k.readLinks(s); err != nil {
		return nil, 0, err
	}
	for _, n := range s.nets {
		if !slices.Contains(own, n.net.Addr()) {
			continue
		}
		if !n.net.IsSingleIP() {
			subnets = append(subnets, n.net.Masked())
		}
		if mtu == 0 || n.mtu < mtu {
			mtu = n.mtu
		}
	}
	slices.SortFunc(subnets, podnet.ComparePrefixes)
	return slices.Compact(subnets), mtu, nil
}

func number(f ir.Family) int {
	if f == ir.IPv4 {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func addrOf(ip net.IP) (netip.Addr, bool) {
	a, ok := netip.AddrFromSlice(ip)
	return a.Unmap(), ok
}

// networkOf keeps the host's bits.
func networkOf(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	a, ok := addrOf(n.IP)
	bits, size := n.Mask.Size()
	if !ok || size != a.BitLen() {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, bits), true
}

func prefixOf(n *net.IPNet) (netip.Prefix, bool) {
	p, ok := networkOf(n)
	return p.Masked(), ok
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func macOf(hw net.HardwareAddr) (m podnet.MAC, ok bool) {
	if len(hw) != len(m) {
		return m, false
	}
	copy(m[:], hw)
	return m, true
}
