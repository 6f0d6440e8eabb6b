package live

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Place is where a covered pod is.
type Place struct {
	Pod netip.Addr
	// Index is the number of the interface on the node's side that packets to the pod are
	// handed to, past the stack; 0 is none.
	Index uint32
}

// Places returns the pods of Covered, sorted by address. Packets may be handed to those in Direct
// that are each at a virtual Ethernet pair whose other end is in another network namespace. An
// address that several interfaces lead to is none of them.
func (i *Interfaces) Places() (out []Place, err error) {
	covered, err := i.Covered()
	if err != nil {
		return nil, err
	}
	to := make(map[netip.Addr]uint32)
	if len(i.Direct) > 0 {
		if to, err = i.directWays(); err != nil {
			return nil, err
		}
	}
	for _, a := range covered {
		out = append(out, Place{Pod: a, Index: to[a]})
	}
	return out[:min(len(out), mostPlaces)], nil
}

// directWays are the interfaces that packets may be handed to, by the pod.
func (i *Interfaces) directWays() (map[netip.Addr]uint32, error) {
	devices, err := listDevices()
	if err != nil {
		return nil, fmt.Errorf("listing interfaces: %w", err)
	}
	paths, err := listPaths()
	if err != nil {
		return nil, fmt.Errorf("listing routes: %w", err)
	}
	pairs := make(map[int]bool)
	for _, d := range devices {
		pairs[d.index] = d.kind == "veth" && d.elsewhere
	}
	ways := make(map[netip.Addr]uint32)
	for _, p := range paths {
		a := p.to.Addr()
		within := slices.ContainsFunc(i.Direct, func(d netip.Prefix) bool { return d.Contains(a) })
		if !p.to.IsSingleIP() || !within {
			continue
		}
		if other, found := ways[a]; pairs[p.device] && (!found || other == uint32(p.device)) {
			ways[a] = uint32(p.device)
		} else {
			ways[a] = 0
		}
	}
	return ways, nil
}

// mostPlaces is the size of the map.
const mostPlaces = 4096

// Placed returns what the programs have of Places, sorted by address. known is false if there is
// no such map.
func (i *Interfaces) Placed() (out []Place, known bool, err error) {
	m, err := i.openPlaces()
	if m == nil || err != nil {
		return nil, false, err
	}
	defer m.Close()
	all, err := readPlaces(m)
	for a, index := range all {
		out = append(out, Place{Pod: a, Index: index})
	}
	slices.SortFunc(out, func(a, b Place) int { return a.Pod.Compare(b.Pod) })
	return out, true, err
}

// Place has the programs take these pods for covered, and no others. Without programs it does
// nothing. What a pod sends that is taken out is the stack's from the next packet on; what it is
// sent on connections that stand goes its way as long as the sender is in.
func (i *Interfaces) Place(want []Place) error {
	m, err := i.openPlaces()
	if m == nil || err != nil {
		return err
	}
	defer m.Close()
	have, err := readPlaces(m)
	if err != nil {
		return err
	}
	wanted := make(map[netip.Addr]uint32, len(want))
	for _, p := range want {
		wanted[p.Pod] = p.Index
	}
	for _, a := range slices.SortedFunc(maps.Keys(have), netip.Addr.Compare) {
		if to, found := wanted[a]; found && to == have[a] {
			continue
		}
		if err := m.Delete(layout.AddressOf(a)); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("pod %v is covered no more: %w", a, err)
		}
	}
	for _, p := range want {
		if to, found := have[p.Pod]; found && to == p.Index {
			continue
		}
		if err := m.Put(layout.AddressOf(p.Pod), p.Index); err != nil {
			return fmt.Errorf("covering pod %v: %w", p.Pod, err)
		}
	}
	return nil
}

func readPlaces(m *ebpf.Map) (map[netip.Addr]uint32, error) {
	const slack = 64 // a look into a hash needs room for a bucket
	room := int(m.MaxEntries()) + slack
	keys, values := make([]layout.Address, room), make([]uint32, room)
	n, err := readAll(m, keys, values)
	if err != nil {
		return nil, fmt.Errorf("reading which pods are covered: %w", err)
	}
	out := make(map[netip.Addr]uint32, n)
	for at, k := range keys[:n] {
		out[k.Addr()] = values[at]
	}
	return out, nil
}

// openPlaces opens the map; nil is none.
func (i *Interfaces) openPlaces() (*ebpf.Map, error) {
	m, err := ebpf.LoadPinnedMap(filepath.Join(i.Dir, coveredMap), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("opening the map %s: %w", coveredMap, explain(err))
	}
	return m, nil
}
