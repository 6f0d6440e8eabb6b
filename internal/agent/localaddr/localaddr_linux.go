// Package localaddr tells which addresses are this node's own, as they come and
// go.
package localaddr

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
)

// serviceDevices hold addresses of Services, which are not the node's own: those
// of planec's and of kube-proxy's IPVS.
var serviceDevices = []string{"planec-ipvs0", "kube-ipvs0"}

// List returns the addresses of the network namespace of the calling thread,
// sorted: no loopback, no link-local ones, none that are not usable yet.
func List() ([]netip.Addr, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("listing interfaces: %w", err)
	}
	var out []netip.Addr
	for _, link := range links {
		if slices.Contains(serviceDevices, link.Attrs().Name) {
			continue
		}
		addrs, err := netlink.AddrList(link, netlink.FAMILY_ALL)
		if err != nil {
			return nil, fmt.Errorf("listing addresses of %s: %w", link.Attrs().Name, err)
		}
		for _, a := range addrs {
			addr, ok := netip.AddrFromSlice(a.IP)
			if addr = addr.Unmap(); !ok || addr.IsLoopback() || addr.IsLinkLocalUnicast() {
				continue
			}
			out = append(out, addr)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out), nil
}

// settle is how long to wait for more when something changed.
const settle = 100 * time.Millisecond

// Watch calls f with the addresses whenever they are others than before, until ctx
// ends; the first time at once. It watches the network namespace of the calling
// thread at the start; failed is told what went wrong since.
func Watch(ctx context.Context, f func([]netip.Addr), failed func(error)) error {
	updates := make(chan netlink.AddrUpdate, 64)
	done := make(chan struct{})
	err := netlink.AddrSubscribeWithOptions(updates, done, netlink.AddrSubscribeOptions{ErrorCallback: func(err error) {
		if ctx.Err() == nil { // closing the socket ends its reader with an error too
			failed(err)
		}
	}})
	if err != nil {
		close(done)
		return fmt.Errorf("watching addresses: %w", err)
	}
	last, err := List()
	if err != nil {
		close(done)
		return err
	}
	f(last)
	go func() {
		defer close(done)
		timer := time.NewTimer(time.Hour)
		timer.Stop()
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case _, ok := <-updates:
				if !ok {
					return
				}
				timer.Reset(settle)
			case <-timer.C:
				now, err := List()
				if err != nil {
					failed(err)
					continue
				}
				if !slices.Equal(now, last) {
					last = now
					f(now)
				}
			}
		}
	}()
	return nil
}
