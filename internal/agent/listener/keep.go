package listener

import (
	"context"
	"net"
	"sync"
	"time"
)

// What cannot be listened on is tried again after firstAgain, and then after
// twice as long each time, at most lastAgain: what had the port goes, and an address
// comes to the node.
const (
	firstAgain = 250 * time.Millisecond
	lastAgain  = 5 * time.Second
)

// Server is what is to be listened on, and what answers there.
type Server struct {
	// Listen opens a listener, and Serve answers on it until that fails. Serve returns
	// when the listener is closed.
	Listen func() (net.Listener, error)
	Serve  func(net.Listener) error
	// Said is told why it does not serve, once for each reason in a row, and
	// nil when it serves again. It is called by a goroutine of its own.
	Said func(error)
}

// Kept is a server for as long as it is wanted.
type Kept struct {
	server Server
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Keep serves, and tries again where that fails, until Stop. It has tried once
// when it returns; err says how that went, and nothing else has to be done about it.
func Keep(p Server) (k *Kept, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	k = &Kept{server: p, cancel: cancel}
	l, err := p.Listen()
	k.done.Go(func() { k.run(ctx, l, err) })
	return k, err
}

// Stop ends the serving, and returns when the address is free.
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
				k.server.Said(nil)
			}
			wait = firstAgain
			err = k.serve(ctx, l)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil && err.Error() != said {
			said = err.Error()
			k.server.Said(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, lastAgain)
		l, err = k.server.Listen()
	}
}

// serve answers on a listener until that fails or the server is not wanted any more.
func (k *Kept) serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // ends Serve
	defer stop()
	defer l.Close() // where Serve failed with the listener open
	return k.server.Serve(l)
}
