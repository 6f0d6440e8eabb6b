package listener

import (
	"context"
	"net"
	"sync"
	"time"
)

// The delay before the first retry of a place that cannot be opened; each further
// delay is twice as long, up to lastAgain. A port may become free, and an address
// may be added to the node.
const (
	firstAgain = 250 * time.Millisecond
	lastAgain  = 5 * time.Second
)

// Place is a place, such as an address, that is to be served.
type Place struct {
	// Listen opens a listener. Serve serves it until that fails or the listener is
	// closed.
	Listen func() (net.Listener, error)
	Serve  func(net.Listener) error
	// Said is called with the error when the place is not served, once for each different
	// reason, and with nil when it is served again. Calls come from a separate goroutine.
	Said func(error)
}

// Kept is a place that is served until Stop.
type Kept struct {
	place  Place
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Keep serves a place, with retries, until Stop. It returns after the first
// attempt; err is the result of that attempt, and needs no action.
func Keep(p Place) (k *Kept, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	k = &Kept{place: p, cancel: cancel}
	l, err := p.Listen()
	k.done.Go(func() { k.run(ctx, l, err) })
	return k, err
}

// Stop ends the serving, and returns when the place is free.
func (k *Kept) Stop() {
	k.cancel()
	k.done.Wait()
}

// run serves a listener, and reopens it after failures.
func (k *Kept) run(ctx context.Context, l net.Listener, err error) {
	said := ""
	wait := firstAgain
	for {
		if err == nil {
			if said != "" {
				said = ""
				k.place.Said(nil)
			}
			wait = firstAgain
			err = k.serve(ctx, l)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil && err.Error() != said {
			said = err.Error()
			k.place.Said(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, lastAgain)
		l, err = k.place.Listen()
	}
}

// serve serves a listener until that fails or ctx ends.
func (k *Kept) serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // ends Serve
	defer stop()
	defer l.Close() // if Serve failed, the listener is still open
	return k.place.Serve(l)
}
