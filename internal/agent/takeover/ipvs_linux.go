package takeover

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/moby/ipvs"
	"github.com/vishvananda/netlink"
)

// proxyDevice has the addresses of Services in kube-proxy's IPVS mode.
const proxyDevice = "kube-ipvs0"

// virtualServers removes the device and the virtual servers at its addresses. If
// planec itself uses IPVS, the virtual servers already belong to planec and stay.
func virtualServers(_ context.Context, backend string) (removed, _ []string, err error) {
	link, err := netlink.LinkByName(proxyDevice)
	var none netlink.LinkNotFoundError
	if errors.As(err, &none) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("device %s: %w", proxyDevice, err)
	}
	if backend != "ipvs" {
		if removed, err = serversOf(link); err != nil {
			return removed, nil, err
		}
	}
	if err := netlink.LinkDel(link); err != nil {
		return removed, nil, fmt.Errorf("removing device %s: %w", proxyDevice, err)
	}
	return append(removed, "device "+proxyDevice), nil, nil
}

// serversOf removes the virtual servers at the addresses of a device.
func serversOf(link netlink.Link) (removed []string, err error) {
	const tries = 10
	var addrs []netlink.Addr
	for range tries { // addresses may change while they are listed
		if addrs, err = netlink.AddrList(link, netlink.FAMILY_ALL); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("addresses of %s: %w", proxyDevice, err)
	}
	held := make(map[netip.Addr]bool, len(addrs))
	for _, a := range addrs {
		if addr, ok := netip.AddrFromSlice(a.IP); ok {
			held[addr.Unmap()] = true
		}
	}
	handle, err := ipvs.New("")
	if err != nil {
		return nil, fmt.Errorf("IPVS: %w", err)
	}
	defer handle.Close()
	services, err := handle.GetServices()
	if err != nil {
		return nil, fmt.Errorf("listing virtual servers: %w", err)
	}
	for _, s := range services {
		addr, ok := netip.AddrFromSlice(s.Address)
		if !ok || !held[addr.Unmap()] {
			continue
		}
		if err := handle.DelService(s); err != nil {
			return removed, fmt.Errorf("removing virtual server %v:%d: %w", addr.Unmap(), s.Port, err)
		}
		removed = append(removed, fmt.Sprintf("virtual server %v:%d", addr.Unmap(), s.Port))
	}
	return removed, nil
}
