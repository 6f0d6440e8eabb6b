package localport

import (
	"net/netip"
	"testing"
	"time"
)

// TestWindow wants each connection to restart the affinity timeout, and a changed
// timeout to forget the endpoint.
func TestWindow(t *testing.T) {
	var all []netip.AddrPort
	for i := range 64 {
		all = append(all, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 0, byte(i)}), 80))
	}
	var c choice
	if _, ok := c.next(time.Now()); ok {
		t.Error("none of none was chosen")
	}
	c.set(all, 10*time.Second)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first, _ := c.next(now)
	for range 20 {
		now = now.Add(10 * time.Second)
		if got, _ := c.next(now); got != first {
			t.Fatalf("got %v within the time, want %v", got, first)
		}
	}
	differs := func(before func()) bool {
		for range 20 {
			before()
			if got, _ := c.next(now); got != first {
				return true
			}
		}
		return false
	}
	if !differs(func() { now = now.Add(11 * time.Second) }) {
		t.Error("the endpoint outlives its time")
	}
	if !differs(func() { c.set(all, 20*time.Second); c.set(all, 10*time.Second) }) {
		t.Error("the endpoint outlives another time")
	}
}
