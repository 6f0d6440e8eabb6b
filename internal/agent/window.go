package agent

import (
	"context"
	"time"
)

// window decides how long changes are gathered before they are applied: a single
// one goes on at once, and of a rollout many go together.
type window struct {
	// span is how long the next gathering takes.
	span time.Duration
}

const (
	shortest = 2 * time.Millisecond
	longest  = 500 * time.Millisecond
	// flood is how many changes a second are worth waiting for more.
	flood = 400
)

// gather waits until changes should be applied. Pending says how many there are
// and since when.
func (w *window) gather(ctx context.Context, pending func() (int, time.Time)) {
	if w.span < shortest {
		w.span = shortest
	}
	_, since := pending()
	end := since.Add(w.span)
	for {
		left := time.Until(end)
		if left <= 0 {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(left, 10*time.Millisecond)):
		}
		count, _ := pending()
		if rate := float64(count) / max(time.Since(since), time.Millisecond).Seconds(); count > 8 && rate > flood {
			// More is coming faster than one transaction each would be worth.
			end = since.Add(longest)
		}
	}
	w.settle(pending)
}

// settle sets the next span by how much came in this one.
func (w *window) settle(pending func() (int, time.Time)) {
	count, since := pending()
	if rate := float64(count) / max(time.Since(since), time.Millisecond).Seconds(); count > 8 && rate > flood {
		w.span = longest
		return
	}
	w.span = shortest
}
