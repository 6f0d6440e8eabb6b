package loop

import (
	"context"
	"time"
)

// window decides how long changes are collected before they are applied: a single
// change is applied at once, and changes of a rollout are applied together.
type window struct{}

const (
	// shortest is the minimum wait for related changes.
	shortest = 2 * time.Millisecond
	// longest is the maximum wait of a change.
	longest = 500 * time.Millisecond
	// While changes arrive in a flood, the next check is after a quarter of the
	// elapsed time, within these bounds. Changes that only arrived together late,
	// after another process paused, cost one short check.
	shortestLook, longestLook = 10 * time.Millisecond, 50 * time.Millisecond
	// flood is the rate in changes per second above which waiting continues.
	flood = 400
	// few changes are never a flood, whatever their rate.
	few = 8
)

// gather waits until changes should be applied. pending returns the number of
// waiting changes and the time of the oldest one.
func (window) gather(ctx context.Context, pending func() (int, time.Time)) {
	before, since := pending()
	if before == 0 {
		return
	}
	begin := time.Now()
	// Time that a change has already waited counts.
	look := shortest - begin.Sub(since)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(look, 0)):
		}
		count, _ := pending()
		if count <= few || time.Since(since) >= longest {
			return
		}
		if look >= shortestLook && float64(count-before) < flood*look.Seconds() {
			return
		}
		before, look = count, min(max(time.Since(begin)/4, shortestLook), longestLook)
	}
}
