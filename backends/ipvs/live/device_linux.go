package live

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// readDevice returns the dummy device with its addresses.
func (s *sockets) readDevice() (device, error) {
	d := device{addresses: make(map[netip.Addr]bool)}
	link, err := findDevice(s.link)
	if err != nil || link == nil {
		return d, err
	}
	d.there, d.up = true, link.Attrs().Flags&net.FlagUp != 0
	list, err := addresses(s.link, link)
	for _, a := range list {
		addr, _ := netip.AddrFromSlice(a.IP)
		if addr = addr.Unmap(); !addr.IsLinkLocalUnicast() || !addr.Is6() {
			d.addresses[addr] = a.Flags&unix.IFA_F_DEPRECATED != 0
		}
	}
	return d, err
}

// addresses lists the addresses of a link, again if a concurrent change interrupts the dump.
func addresses(h *netlink.Handle, link netlink.Link) (list []netlink.Addr, err error) {
	for range 10 {
		if list, err = h.AddrList(link, netlink.FAMILY_ALL); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listing the addresses of %s: %w", deviceName, explain(err))
	}
	return list, nil
}

// findDevice returns nil if the device does not exist.
func findDevice(h *netlink.Handle) (netlink.Link, error) {
	link, err := h.LinkByName(deviceName)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("device %s: %w", deviceName, explain(err))
	}
	if link.Type() != "dummy" {
		return nil, fmt.Errorf("device %s is of the type %s: %w", deviceName, link.Type(), ErrForeign)
	}
	return link, nil
}

// makeDevice creates the device (add) and sets it up (raise).
func (s *sockets) makeDevice(add, raise bool) error {
	link := &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: deviceName}}
	if add {
		err := s.link.LinkAdd(link)
		if errors.Is(err, unix.EOPNOTSUPP) {
			return fmt.Errorf("adding device %s: %w", deviceName, ErrNoDummy)
		}
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("adding device %s: %w", deviceName, explain(err))
		}
	}
	if !raise {
		return nil
	}
	if err := s.link.LinkSetUp(link); err != nil {
		return fmt.Errorf("setting device %s up: %w", deviceName, explain(err))
	}
	return nil
}

// removeDevice removes the device with its addresses.
func removeDevice(h *netlink.Handle) error {
	link, err := findDevice(h)
	if err != nil || link == nil {
		return err
	}
	if err := h.LinkDel(link); err != nil {
		return fmt.Errorf("removing device %s: %w", deviceName, explain(err))
	}
	return nil
}

// changeAddresses adds addresses to the device and removes others.
func (s *sockets) changeAddresses(add []address, remove []netip.Addr) error {
	if len(add) == 0 && len(remove) == 0 {
		return nil
	}
	link, err := findDevice(s.link)
	if err == nil && link == nil {
		err = fmt.Errorf("device %s is gone", deviceName)
	}
	if err != nil {
		return err
	}
	for _, a := range add {
		if err := s.link.AddrReplace(link, addressOf(a)); err != nil {
			return fmt.Errorf("adding address %v: %w", a.Addr, explain(err))
		}
	}
	for _, a := range remove {
		if err := s.link.AddrDel(link, addressOf(address{Addr: a})); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			return fmt.Errorf("removing address %v: %w", a, explain(err))
		}
	}
	return nil
}

// forever is INFINITY_LIFE_TIME (include/net/addrconf.h).
const forever = ^uint32(0)

// addressOf returns an address with full prefix length. A deprecated address has a
// preferred lifetime of 0. Duplicate detection is off, because every node has the address.
func addressOf(a address) *netlink.Addr {
	out := &netlink.Addr{IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())}}
	if a.deprecated {
		valid := forever
		out.Flags, out.ValidLft = unix.IFA_F_NODAD, int(valid)
	}
	return out
}
