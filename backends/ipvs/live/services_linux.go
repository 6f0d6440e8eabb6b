package live

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/moby/ipvs"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/ir"
)

// Flags of a virtual service (include/uapi/linux/ip_vs.h).
const (
	flagPersistent = 0x0001
	// flagHashed is set by the kernel.
	flagHashed = 0x0002
)

// Netmasks of a single address in the form that IPVS uses: a mask for IPv4, a
// length for IPv6.
const (
	oneAddress4 = 0xffffffff
	oneAddress6 = 128
)

func oneAddress(ipv6 bool) uint32 {
	if ipv6 {
		return oneAddress6
	}
	return oneAddress4
}

// procFile lists services with their destinations.
const procFile = "/proc/thread-self/net/ip_vs"

// readServices reads all virtual services over netlink, which reports all their
// properties. It reads their destinations from the list in /proc, and over netlink
// if a service is missing there.
func (s *sockets) readServices() (services, error) {
	list, err := s.ipvs.GetServices()
	if err != nil {
		return nil, fmt.Errorf("listing the virtual services: %w", explain(err))
	}
	destinations, err := openProc()
	if err != nil {
		return nil, err
	}
	out := make(services, len(list))
	for _, v := range list {
		k := keyOf(v)
		d, there := destinations[k]
		if !there {
			if d, err = s.readDestinations(k); errors.Is(err, unix.ESRCH) {
				continue // removed in the meantime
			} else if err != nil {
				return nil, err
			}
		}
		out[k] = &service{settings: settingsOf(v), destinations: d}
	}
	return out, nil
}

func openProc() (map[Key]map[netip.AddrPort]destination, error) {
	f, err := os.Open(procFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the destinations: %w", explain(err))
	}
	defer f.Close()
	d, err := readProc(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", procFile, err)
	}
	return d, nil
}

// readDestinations reads the destinations of one virtual service.
func (s *sockets) readDestinations(k Key) (map[netip.AddrPort]destination, error) {
	list, err := s.ipvs.GetDestinations(serviceOf(k, settings{}))
	if err != nil {
		return nil, fmt.Errorf("listing the destinations of %v: %w", k, explain(err))
	}
	out := make(map[netip.AddrPort]destination, len(list))
	for _, d := range list {
		a, _ := netip.AddrFromSlice(d.Address)
		out[netip.AddrPortFrom(a, d.Port)] = destination{
			weight: uint32(d.Weight), forward: d.ConnectionFlags & ipvs.ConnFwdMask,
			active: d.ActiveConnections, inactive: d.InactiveConnections,
		}
	}
	return out, nil
}

func keyOf(v *ipvs.Service) Key {
	k := Key{Mark: v.FWMark, IPv6: v.AddressFamily == unix.AF_INET6}
	if k.Mark == 0 {
		a, _ := netip.AddrFromSlice(v.Address)
		k.Protocol, k.Address = ir.Protocol(v.Protocol), netip.AddrPortFrom(a, v.Port)
	}
	return k
}

func settingsOf(v *ipvs.Service) settings {
	s := settings{scheduler: v.SchedName, flags: v.Flags &^ (flagPersistent | flagHashed)}
	if v.Flags&flagPersistent == 0 {
		return s
	}
	s.persistence = v.Timeout
	if v.Netmask != oneAddress(v.AddressFamily == unix.AF_INET6) {
		s.netmask = v.Netmask
	}
	return s
}

// serviceOf returns a virtual service for a request.
func serviceOf(k Key, s settings) *ipvs.Service {
	v := &ipvs.Service{
		AddressFamily: unix.AF_INET, FWMark: k.Mark, Protocol: uint16(k.Protocol),
		Port: k.Address.Port(), SchedName: s.scheduler, Netmask: oneAddress(k.IPv6),
	}
	if k.IPv6 {
		v.AddressFamily = unix.AF_INET6
	}
	if k.Mark == 0 {
		v.Address = net.IP(k.Address.Addr().AsSlice())
	}
	if s.persistence > 0 {
		v.Flags, v.Timeout = flagPersistent, s.persistence
	}
	return v
}

func destinationOf(a netip.AddrPort, d destination) *ipvs.Destination {
	return &ipvs.Destination{Address: net.IP(a.Addr().AsSlice()), Port: a.Port(), Weight: int(d.weight), ConnectionFlags: d.forward}
}

// putService adds a virtual service, or changes it if another process has added it since.
func (s *sockets) putService(k Key, v settings) error {
	err := s.ipvs.NewService(serviceOf(k, v))
	if errors.Is(err, unix.EEXIST) {
		err = s.ipvs.UpdateService(serviceOf(k, v))
	}
	if err != nil {
		return fmt.Errorf("adding service %v: %w", k, explainService(err, v.scheduler))
	}
	return nil
}

func (s *sockets) updateService(k Key, v settings) error {
	if err := s.ipvs.UpdateService(serviceOf(k, v)); err != nil {
		return fmt.Errorf("changing service %v: %w", k, explainService(err, v.scheduler))
	}
	return nil
}

// deleteService also succeeds if the service does not exist.
func (s *sockets) deleteService(k Key) error {
	if err := s.ipvs.DelService(serviceOf(k, settings{})); err != nil && !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("removing service %v: %w", k, explain(err))
	}
	return nil
}

// putDestination adds a destination, or changes it if another process has added it since.
func (s *sockets) putDestination(k Key, a netip.AddrPort, d destination) error {
	err := s.ipvs.NewDestination(serviceOf(k, settings{}), destinationOf(a, d))
	if errors.Is(err, unix.EEXIST) {
		err = s.ipvs.UpdateDestination(serviceOf(k, settings{}), destinationOf(a, d))
	}
	if err != nil {
		return fmt.Errorf("adding destination %v to %v: %w", a, k, explain(err))
	}
	return nil
}

func (s *sockets) updateDestination(k Key, a netip.AddrPort, d destination) error {
	if err := s.ipvs.UpdateDestination(serviceOf(k, settings{}), destinationOf(a, d)); err != nil {
		return fmt.Errorf("changing destination %v of %v: %w", a, k, explain(err))
	}
	return nil
}

// deleteDestination also succeeds if the destination does not exist.
func (s *sockets) deleteDestination(k Key, a netip.AddrPort) error {
	if err := s.ipvs.DelDestination(serviceOf(k, settings{}), destinationOf(a, destination{})); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("removing destination %v of %v: %w", a, k, explain(err))
	}
	return nil
}
