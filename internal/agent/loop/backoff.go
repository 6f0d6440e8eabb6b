package loop

import "time"

// backoff computes growing delays after consecutive failures.
type backoff struct{ next time.Duration }

const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// failed returns the delay before the next attempt.
func (b *backoff) failed() time.Duration {
	b.next = min(max(firstRetry, 2*b.next), lastRetry)
	return b.next
}

// succeeded ends a series of failures; it reports whether there was one.
func (b *backoff) succeeded() (again bool) {
	again = b.next > 0
	b.next = 0
	return again
}
