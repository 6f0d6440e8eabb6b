package loop

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestWindow runs on a clock that advances only while waiting.
func TestWindow(t *testing.T) {
	for _, c := range []struct {
		name string
		// rate is in changes per second; together is the number of simultaneous changes.
		rate, together int
		lasts          time.Duration
		least, most    time.Duration
	}{
		{"one change", 0, 1, 0, shortest, shortest},
		{"a few together", 0, few, 0, shortest, shortest},
		{"many together, late, and no more", 0, 40, 0, shortest + shortestLook, 2 * shortestLook},
		{"a slow stream", 50, 1, time.Minute, shortest, shortest},
		{"a rollout that goes on", 5000, 1, time.Minute, longest, longest + longestLook},
		{"a rollout that ends", 5000, 1, 200 * time.Millisecond, 200 * time.Millisecond, 200*time.Millisecond + 2*longestLook},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				since := time.Now()
				pending := func() (int, time.Time) {
					passed := min(time.Since(since), c.lasts)
					return c.together + int(passed.Seconds()*float64(c.rate)), since
				}
				window{}.gather(t.Context(), pending)
				if took := time.Since(since); took < c.least || took > c.most {
					t.Errorf("gathered for %v, want %v to %v", took, c.least, c.most)
				}
			})
		})
	}
}
