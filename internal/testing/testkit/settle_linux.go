package testkit

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// settleTimeout is generous: if a request does not help (see settle), the kernel
// may delay a change of carrier by a second (linkwatch_nextevent in
// net/core/link_watch.c).
const settleTimeout = 5 * time.Second

// settle waits until an interface passes packets. An interface that is up before
// its peer gets its queue only when the kernel's link watch notices the carrier,
// and loses packets until then. Kernels since 6.8 update an interface when it is
// requested individually (rtnl_getlink in net/core/rtnetlink.c), so settle rarely
// waits.
func (n *namespace) settle(index int) error {
	return n.await(fmt.Sprintf("interface %d", index), func() (bool, error) {
		link, err := n.nl.LinkByIndex(index)
		return err == nil && link.Attrs().OperState == netlink.OperUp, err
	})
}

// settleAddr waits until packets to an address of the namespace are delivered. For
// IPv6, a worker of the kernel enables this (addrconf_dad_work in
// net/ipv6/addrconf.c), even without duplicate detection.
func (n *namespace) settleAddr(a netip.Addr) error {
	return n.await(fmt.Sprintf("address %v", a), func() (bool, error) {
		routes, err := n.nl.RouteGet(a.AsSlice())
		if errors.Is(err, unix.ENETUNREACH) {
			return false, nil
		}
		return err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL, err
	})
}

func (n *namespace) await(what string, ready func() (bool, error)) error {
	deadline := time.Now().Add(settleTimeout)
	for pause := 100 * time.Microsecond; ; pause *= 2 {
		ok, err := ready()
		switch {
		case err != nil:
			return fmt.Errorf("%s of the %v: %w", what, n.side, err)
		case ok:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("%s of the %v: not ready after %v", what, n.side, settleTimeout)
		}
		time.Sleep(pause)
	}
}
