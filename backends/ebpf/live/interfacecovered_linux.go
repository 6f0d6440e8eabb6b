package live

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Covered returns the addresses of pods at interfaces that have both programs, sorted: those that
// a route to a single address leads to. Rules of packets may leave policies of connections
// between them to the programs; a pod that is not listed has none yet, or is on a bridge, or its
// policies log: programs write nothing to the kernel's log, so rules judge its connections.
func (i *Interfaces) Covered() (out []netip.Addr, err error) {
	all, err := i.Reached()
	if err != nil {
		return nil, err
	}
	pods, err := readPods(i.Dir)
	if err != nil {
		return nil, fmt.Errorf("reading which pods' policies log: %w", explain(err))
	}
	return slices.DeleteFunc(all, func(a netip.Addr) bool { return pods[a].Flags&layout.PodLogs != 0 }), nil
}

// Reached is Covered with the pods whose policies log.
func (i *Interfaces) Reached() (out []netip.Addr, err error) {
	devices, err := i.guardedDevices()
	if err != nil {
		return nil, err
	}
	paths, err := listPaths()
	if err != nil {
		return nil, err
	}
	for _, d := range devices {
		for _, p := range paths {
			if p.device == d.index && p.to.IsSingleIP() && !p.gateway && !p.kernel {
				out = append(out, p.to.Addr())
			}
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out), nil
}

// covered reports whether a device has both programs.
func covered(d device, links interfaceLinks, programs *sharedPrograms) bool {
	for s, p := range programs {
		l := links[linkKey{d.index, s}]
		if p == nil || l == nil || l.gone || l.program != p.id {
			return false
		}
	}
	return true
}

// Guarded returns the numbers of the interfaces that have both programs, sorted.
func (i *Interfaces) Guarded() (out []uint32, err error) {
	devices, err := i.guardedDevices()
	if err != nil {
		return nil, err
	}
	for _, d := range devices {
		out = append(out, uint32(d.index))
	}
	slices.Sort(out)
	return out, nil
}

// guardedDevices are the interfaces of pods that have both programs.
func (i *Interfaces) guardedDevices() (out []device, err error) {
	_, devices, err := i.devices()
	if err != nil {
		return nil, err
	}
	links, err := i.links()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, links.close()) }()
	programs, err := i.pinnedPrograms()
	if err != nil {
		return nil, err
	}
	defer programs.close()
	for _, d := range devices {
		if covered(d, links, programs) {
			out = append(out, d)
		}
	}
	return out, nil
}
