// Package localaddr reads and watches this node's own addresses.
package localaddr

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
)

// serviceDevices have addresses of Services, which are not the node's own: the
// devices of planec's and of kube-proxy's IPVS mode.
var serviceDevices = []string{"planec-ipvs0", "kube-ipvs0"}

// List returns the addresses of the calling thread's network namespace, sorted,
// without loopback, link-local and not yet usable addresses.
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

// settle is how long to wait for further changes after a change.
const settle = 100 * time.Millisecond

// Watch calls f with the addresses at once, and again whenever they change, until
// ctx ends. It watches the network namespace of the thread that called it. It
// calls failed with errors of the watch.
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
