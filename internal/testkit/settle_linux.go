package testkit

import (
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
)

// settleTimeout is ample: links settle within a millisecond on an idle machine,
// and the kernel may put it off for a second (linkwatch_nextevent in
// net/core/link_watch.c).
const settleTimeout = 5 * time.Second

// settle waits until every interface passes packets. An interface that is up
// before its peer gets its queue only when a worker of the kernel's has seen
// the carrier; until then it loses what it is given.
func (n *namespace) settle() error {
	deadline := time.Now().Add(settleTimeout)
	for pause := 100 * time.Microsecond; ; pause *= 2 {
		waiting, err := n.unsettled()
		if err != nil || waiting == "" {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("interface %s of the %v: not running after %v", waiting, n.side, settleTimeout)
		}
		time.Sleep(pause)
	}
}

// unsettled names an interface that is not operational yet, if there is one.
func (n *namespace) unsettled() (string, error) {
	links, err := n.nl.LinkList()
	if err != nil {
		return "", fmt.Errorf("links of the %v: %w", n.side, err)
	}
	for _, l := range links {
		a := l.Attrs()
		if a.Index == loopbackIndex || a.OperState == netlink.OperUp {
			continue // the loopback's state is never known
		}
		if b, ok := l.(*netlink.Bridge); ok && !hasPorts(b, links) {
			continue // it has no carrier
		}
		return a.Name, nil
	}
	return "", nil
}

func hasPorts(b *netlink.Bridge, links []netlink.Link) bool {
	for _, l := range links {
		if l.Attrs().MasterIndex == b.Index {
			return true
		}
	}
	return false
}
