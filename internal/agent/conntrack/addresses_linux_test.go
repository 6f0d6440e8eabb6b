package conntrack

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestAddressesChange lists flows while unrelated addresses are added and removed,
// as CNI plugins do: that must not cause a failure.
func TestAddressesChange(t *testing.T) {
	n := newNode(t, in6())
	add := func(h *netlink.Handle, remove bool, text string) error {
		link, err := h.LinkByName("lo")
		if err != nil {
			return err
		}
		addr, err := netlink.ParseAddr(text)
		if err != nil {
			return err
		}
		if remove {
			return h.AddrDel(link, addr)
		}
		return h.AddrAdd(link, addr)
	}
	var wg sync.WaitGroup
	var over atomic.Bool
	var changes atomic.Int64
	ready := make(chan struct{})
	wg.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends
		defer close(ready)
		if err := unix.Setns(int(n.NodeNamespace().Fd()), unix.CLONE_NEWNET); err != nil {
			t.Error(err)
			return
		}
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			t.Error(err)
			return
		}
		defer h.Close()
		for i := range 600 { // more than one message lists
			if err := add(h, false, fmt.Sprintf("127.9.%d.%d/32", i/200, i%200+1)); err != nil {
				t.Error(err)
				return
			}
		}
		ready <- struct{}{}
		for i := 0; !over.Load(); i++ {
			if err := add(h, i%2 == 1, "127.8.0.1/32"); err != nil {
				t.Error(err)
				return
			}
			changes.Add(1)
		}
	})
	<-ready
	for range 40 {
		if err := n.Do(func() error { _, err := n.table.ownAddresses(); return err }); err != nil {
			t.Fatal(err)
		}
	}
	over.Store(true)
	wg.Wait()
	t.Logf("%d changes of addresses", changes.Load())
}
