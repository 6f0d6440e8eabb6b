package live

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/layout"
)

// device is an interface of the node.
type device struct {
	index, master int
	name, kind    string
	ethernet      bool
	elsewhere     bool // its other end is in another network namespace
}

// path is a route: where packets to a network leave the node.
type path struct {
	to      netip.Prefix
	device  int
	gateway bool // there is a router on the way
	kernel  bool // it came with an address of the node
}

// cast is what is known of pods.
type cast struct {
	addresses map[netip.Addr]bool
	networks  []netip.Prefix
}

func (c *cast) has(a netip.Addr) bool {
	return c.addresses[a] || slices.ContainsFunc(c.networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// meets reports whether a pod may be in a network.
func (c *cast) meets(p netip.Prefix) bool {
	if slices.ContainsFunc(c.networks, p.Overlaps) {
		return true
	}
	for a := range c.addresses {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// podDevices finds the interfaces of pods, in the order of their numbers:
//
//   - where a route to a single address of a pod leads, without a router;
//   - virtual Ethernet pairs that have a route to any single address and none by a
//     router, which makes an uplink: network plugins make it before a pod is known here;
//   - virtual ports of a bridge that leads to a network of pods.
func podDevices(devices []device, paths []path, pods *cast) []device {
	byIndex := make(map[int]*device, len(devices))
	for i := range devices {
		byIndex[devices[i].index] = &devices[i]
	}
	uplinks := make(map[int]bool)
	for _, p := range paths {
		uplinks[p.device] = uplinks[p.device] || p.gateway
	}
	found, bridges := make(map[int]bool), make(map[int]bool)
	for _, p := range paths {
		d := byIndex[p.device]
		if d == nil || p.gateway || !d.ethernet {
			continue
		}
		switch single := p.to.IsSingleIP(); {
		case d.kind == "bridge":
			bridges[d.index] = bridges[d.index] || pods.meets(p.to)
		case single && pods.has(p.to.Addr()), single && d.kind == "veth" && !p.kernel && !uplinks[d.index]:
			found[d.index] = true
		}
	}
	for _, d := range devices {
		if d.ethernet && bridges[d.master] && (d.kind == "veth" || d.kind == "tuntap") {
			found[d.index] = true
		}
	}
	var out []device
	for index := range found {
		out = append(out, *byIndex[index])
	}
	slices.SortFunc(out, func(a, b device) int { return cmp.Compare(a.index, b.index) })
	return out
}

// devices finds the node's pods and their interfaces.
func (i *Interfaces) devices() (*cast, []device, error) {
	addresses, err := podsOfImage(i.Dir)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the pods of the active image: %w", explain(err))
	}
	devices, err := listDevices()
	if err != nil {
		return nil, nil, fmt.Errorf("listing interfaces: %w", err)
	}
	paths, err := listPaths()
	if err != nil {
		return nil, nil, fmt.Errorf("listing routes: %w", err)
	}
	pods := &cast{addresses: addresses, networks: i.Pods}
	found := podDevices(devices, paths, pods)
	pods.addPaths(found, paths)
	return pods, found, nil
}

// addPaths adds the single addresses that routes to interfaces of pods have.
func (c *cast) addPaths(devices []device, paths []path) {
	for _, p := range paths {
		if p.to.IsSingleIP() && slices.ContainsFunc(devices, func(d device) bool { return d.index == p.device }) {
			c.addresses[p.to.Addr()] = true
		}
	}
}

// dumped repeats a listing that a change has interrupted.
func dumped[T any](list func() ([]T, error)) (out []T, err error) {
	for range 5 {
		if out, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return out, err
}

func listDevices() ([]device, error) {
	links, err := dumped(netlink.LinkList)
	if err != nil {
		return nil, err
	}
	out := make([]device, 0, len(links))
	for _, l := range links {
		a := l.Attrs()
		out = append(out, device{index: a.Index, master: a.MasterIndex, name: a.Name, kind: l.Type(), ethernet: a.EncapType == "ether", elsewhere: a.NetNsID >= 0})
	}
	return out, nil
}

// listPaths lists the routes of all tables.
func listPaths() ([]path, error) {
	var out []path
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := dumped(func() ([]netlink.Route, error) {
			return netlink.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
		})
		if err != nil {
			return nil, err
		}
		for i := range routes {
			out = append(out, pathsOf(&routes[i])...)
		}
	}
	return out, nil
}

func pathsOf(r *netlink.Route) []path {
	p := path{device: r.LinkIndex, gateway: r.Gw != nil || r.Via != nil, kernel: r.Protocol == unix.RTPROT_KERNEL}
	if r.Type != unix.RTN_UNICAST {
		return nil
	}
	if r.Dst != nil {
		a, ok := netip.AddrFromSlice(r.Dst.IP)
		bits, _ := r.Dst.Mask.Size()
		if ok && r.Family == netlink.FAMILY_V4 {
			a = a.Unmap()
		}
		p.to = netip.PrefixFrom(a, bits)
	}
	if len(r.MultiPath) == 0 {
		return []path{p}
	}
	var out []path
	for _, hop := range r.MultiPath {
		p.device, p.gateway = hop.LinkIndex, hop.Gw != nil || hop.Via != nil
		out = append(out, p)
	}
	return out
}

// exists reports whether there is an interface of this number.
func exists(index int) bool {
	_, err := netlink.LinkByIndex(index)
	return !errors.As(err, &netlink.LinkNotFoundError{})
}

// podsOfImage returns the pods that the policies of the active image select; none without one.
func podsOfImage(dir string) (map[netip.Addr]bool, error) {
	all, err := readPods(dir)
	pods := make(map[netip.Addr]bool, len(all))
	for a := range all {
		pods[a] = true
	}
	return pods, err
}

// readPods reads the pods of the active image.
func readPods(dir string) (map[netip.Addr]layout.Pod, error) {
	pods := make(map[netip.Addr]layout.Pod)
	active, err := ebpf.LoadPinnedMap(filepath.Join(dir, activeSpec().Name), &ebpf.LoadPinOptions{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return pods, nil
	} else if err != nil {
		return nil, err
	}
	defer active.Close()
	var word uint64
	if err := active.Lookup(uint32(0), &word); err != nil {
		return nil, err
	}
	outer, err := ebpf.LoadPinnedMap(filepath.Join(dir, outerSpec(layout.Maps()[layout.Pods]).Name), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return pods, nil
	} else if err != nil {
		return nil, err
	}
	defer outer.Close()
	const slotMask = layout.Slots - 1
	var inner *ebpf.Map
	if err := outer.Lookup(uint32(word&slotMask), &inner); errors.Is(err, ebpf.ErrKeyNotExist) {
		return pods, nil
	} else if err != nil {
		return nil, err
	}
	defer inner.Close()
	const slack = 64 // a look into a hash needs room for a bucket
	room := int(inner.MaxEntries()) + slack
	keys, values := make([]layout.Address, room), make([][layout.PodSize]byte, room)
	n, err := readAll(inner, keys, values)
	for i, k := range keys[:n] {
		pods[k.Addr()] = layout.DecodePod(values[i][:])
	}
	return pods, err
}
