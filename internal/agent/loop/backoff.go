package loop

import "time"

// backoff is how long to wait after failures, longer each time.
type backoff struct{ next time.Duration }

const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// failed returns how long to wait now.
func (b *backoff) failed() time.Duration {
	b.next = min(max(firstRetry, 2*b.next), lastRetry)
	return b.next
}

// succeeded ends a row of failures; it reports whether there was one.
func (b *backoff) succeeded() (again bool) {
	again = b.next > 0
	b.next = 0
	return again
}
