package loop

import (
	"context"
	"time"
)

// window decides how long changes are gathered before they are applied: a single
// one goes on at once, and of a rollout many go together.
type window struct{}

const (
	// shortest is how long is waited for what comes together with a change.
	shortest = 2 * time.Millisecond
	// longest is how long a change waits at most.
	longest = 500 * time.Millisecond
	// While changes keep coming in a flood, the next look is after a quarter of the
	// time that has passed, within these bounds: what only came late together, after
	// a pause of another process, costs one short look.
	shortestLook, longestLook = 10 * time.Millisecond, 50 * time.Millisecond
	// flood is how many changes a second are worth waiting for more.
	flood = 400
	// few changes are no flood, however fast they came.
	few = 8
)

// gather waits until changes should be applied. Pending says how many there are
// and since when.
func (window) gather(ctx context.Context, pending func() (int, time.Time)) {
	before, since := pending()
	if before == 0 {
		return
	}
	begin := time.Now()
	// What has waited already is not waited for again.
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
