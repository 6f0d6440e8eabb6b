package live

import (
	"context"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
)

// Watch gives a notice when routes, interfaces, addresses or permanent neighbours of the
// calling thread's network namespace change, until ctx ends. Several changes may give one
// notice. It calls failed when notices may be lost, gives one, and goes on.
func Watch(ctx context.Context, failed func(error)) (<-chan struct{}, error) {
	notices := make(chan struct{}, 1)
	w := &watch{notices: notices, failed: failed}
	ended, err := w.subscribe(ctx)
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-ended:
			}
			w.ring()
			// The kernel ends a subscription that reads too slowly.
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
			if ended, err = w.subscribe(ctx); err != nil {
				failed(err)
				return
			}
		}
	}()
	return notices, nil
}

type watch struct {
	notices chan struct{}
	failed  func(error)
}

func (w *watch) ring() {
	select {
	case w.notices <- struct{}{}:
	default: // one is pending
	}
}

// subscribe begins to listen. The channel is closed when one of the subscriptions ends.
func (w *watch) subscribe(ctx context.Context) (<-chan struct{}, error) {
	one, cancel := context.WithCancel(ctx)
	said := func(err error) {
		if one.Err() == nil { // closing a socket ends its reader with an error too
			w.failed(fmt.Errorf("watching routes: %w", err))
		}
	}
	routes, links := make(chan netlink.RouteUpdate, 64), make(chan netlink.LinkUpdate, 64)
	addrs, neighbours := make(chan netlink.AddrUpdate, 64), make(chan netlink.NeighUpdate, 64)
	err := netlink.RouteSubscribeWithOptions(routes, one.Done(), netlink.RouteSubscribeOptions{ErrorCallback: said})
	if err == nil {
		err = netlink.LinkSubscribeWithOptions(links, one.Done(), netlink.LinkSubscribeOptions{ErrorCallback: said})
	}
	if err == nil {
		err = netlink.AddrSubscribeWithOptions(addrs, one.Done(), netlink.AddrSubscribeOptions{ErrorCallback: said})
	}
	if err == nil {
		err = netlink.NeighSubscribeWithOptions(neighbours, one.Done(), netlink.NeighSubscribeOptions{ErrorCallback: said})
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("watching routes: %w", err)
	}
	go listen(routes, cancel, w.ring, func(netlink.RouteUpdate) bool { return true })
	go listen(links, cancel, w.ring, func(netlink.LinkUpdate) bool { return true })
	go listen(addrs, cancel, w.ring, func(netlink.AddrUpdate) bool { return true })
	// A node learns and forgets neighbours all the time.
	go listen(neighbours, cancel, w.ring, func(n netlink.NeighUpdate) bool { return n.State&netlink.NUD_PERMANENT != 0 })
	return one.Done(), nil
}

// listen rings for updates until their channel is closed, and then ends the others.
func listen[T any](updates <-chan T, ended, ring func(), counts func(T) bool) {
	defer ended()
	for u := range updates {
		if counts(u) {
			ring()
		}
	}
}
