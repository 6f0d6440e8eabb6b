package drift

import (
	"context"
	"time"
)

// lookEvery is the interval of polling where the kernel sends no notice, or none
// that tells when planec's own change is complete.
const lookEvery = 500 * time.Millisecond

// poll reports differences until ctx ends.
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
