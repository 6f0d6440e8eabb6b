package agent

import (
	"context"
	"fmt"
	"time"
)

// again tries the objects again that the kernel refused and whose time has come.
func (a *Agent) again(ctx context.Context) error {
	if a.session == nil || a.behind {
		return nil // the whole is tried again anyway
	}
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

// whenAgain sets the timer for the next time.
func (a *Agent) whenAgain(timer *time.Timer) {
	if a.session == nil {
		return
	}
	if next := a.session.Next(); !next.IsZero() {
		timer.Reset(max(time.Until(next), time.Millisecond))
		return
	}
	timer.Stop()
}
