package loop

import (
	"context"
	"fmt"
	"time"
)

// soonest is the minimum time before objects are retried, so that retries cannot
// keep the agent busy.
const soonest = 100 * time.Millisecond

// again retries the objects that the kernel refused and that are due.
func (a *Agent) again(ctx context.Context) error {
	better, err := a.session.Retry(ctx)
	a.diagnose()
	if better {
		a.Log.Info("an object that the kernel had refused is served again")
		a.follow(true)
	}
	a.settled()
	if err != nil {
		a.behind = true
		return fmt.Errorf("node %s: going back to what was right: %w", a.Node, err)
	}
	return nil
}

// whenAgain sets the timer for the next retry. While the kernel is behind,
// everything is retried first, and these objects after it.
func (a *Agent) whenAgain(timer *time.Timer) {
	timer.Stop()
	if a.session == nil || a.behind {
		return
	}
	if next := a.session.Next(); !next.IsZero() {
		timer.Reset(max(time.Until(next), soonest))
	}
}
