package drift

import (
	"context"
	"time"
)

// lookEvery is how often rules are looked at of which the kernel tells nothing, or not
// when a change of planec's own is through.
const lookEvery = 500 * time.Millisecond

// poll tells of differences until ctx ends.
func poll(ctx context.Context, notices chan<- struct{}, differs func() bool) {
	look := time.Tick(lookEvery)
	for {
		select {
		case <-ctx.Done():
			return
		case <-look:
			if differs() {
				tell(notices)
			}
		}
	}
}
