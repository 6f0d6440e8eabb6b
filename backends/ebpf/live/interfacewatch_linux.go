package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Watch says when to look again, by Missing or Attach: an interface or a route came, changed or
// went in the network namespace of the calling thread, or notices of that were lost. Many
// changes may be one notice. The channel is closed when ctx ends.
func (i *Interfaces) Watch(ctx context.Context) (<-chan struct{}, error) {
	socket, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("watching interfaces: %w", err)
	}
	notices := make(chan struct{}, 1)
	go func() {
		defer close(notices)
		defer socket.Close()
		stop := context.AfterFunc(ctx, socket.Close)
		defer stop()
		for ctx.Err() == nil {
			_, _, err := socket.Receive()
			if err != nil && !errors.Is(err, unix.ENOBUFS) {
				select { // it must not spin while the error lasts, and then look again
				case <-ctx.Done():
					return
				case <-time.After(time.Second):
				}
			}
			select {
			case notices <- struct{}{}:
			default: // one is there already
			}
		}
	}()
	return notices, nil
}

// Keep calls attach now, whenever Watch says so, and every so often: a program that was taken off
// an interface gives no notice. It reports each call that did something or failed, and returns
// when ctx ends, or at once if interfaces cannot be watched.
func (i *Interfaces) Keep(ctx context.Context, every time.Duration, attach func(context.Context) ([]string, error), report func(steps []string, err error)) error {
	notices, err := i.Watch(ctx)
	if err != nil {
		return err
	}
	again := time.NewTicker(every)
	defer again.Stop()
	for {
		if steps, err := attach(ctx); ctx.Err() != nil {
			return nil
		} else if err != nil || len(steps) > 0 {
			report(steps, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		case <-notices:
		}
	}
}
