package localport

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/planec/planec/internal/agent/listener"
	"github.com/planec/planec/ir"
)

// The connections that are forwarded at once: of all ports together, and of one. What
// comes beyond is refused, so that a port cannot take the agent's descriptors and
// memory from the others, nor from the agent.
const (
	mostConnections = 1024
	mostOfOne       = 256
)

// Forwarder serves ports. Its functions may be nil. They may be called by goroutines of
// their own, and must not call the Forwarder. It is safe for concurrent use.
type Forwarder struct {
	// Said is told why a port cannot be listened on at an address, which is tried
	// again until it can be, and nil once it is or is not wanted any more.
	Said func(p Port, at string, err error)
	// Listening is told of each listener that opened (1) or closed (-1), and Failed
	// of each attempt to open one that failed.
	Listening func(f ir.Family, change int)
	Failed    func(f ir.Family) // called with the family of the address

	mu      sync.Mutex
	closed  bool
	served  map[key]*served
	bounded slots
}

// served is a port with its listener.
type served struct {
	choice choice
	kept   *listener.Kept
	at     string
	mu     sync.Mutex
	port   Port
}

// Set serves these ports from now on, and no others. A port that stays keeps its
// listener and its connections, whatever its endpoints are; one that goes loses both.
func (f *Forwarder) Set(ports []Port) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.replace(ports)
	}
}

// Close ends everything; nothing is served after it.
func (f *Forwarder) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.replace(nil)
	f.closed = true
}

// replace is Set; the lock is held.
func (f *Forwarder) replace(ports []Port) {
	if f.served == nil {
		f.served, f.bounded = make(map[key]*served), newSlots(mostConnections)
	}
	wanted := make(map[key]*Port, len(ports))
	for i := range ports {
		if len(ports[i].Endpoints) > 0 {
			wanted[ports[i].key()] = &ports[i]
		}
	}
	for k, p := range f.served {
		if wanted[k] == nil {
			p.kept.Stop()
			f.said(p, nil)
			delete(f.served, k)
		}
	}
	for k, port := range wanted {
		p := f.served[k]
		if p == nil {
			f.served[k] = f.open(port)
			continue
		}
		p.set(port)
	}
}

// open begins to serve a port.
func (f *Forwarder) open(port *Port) *served {
	p := &served{at: port.address()}
	p.set(port)
	family, network := port.Family, "tcp4"
	if family == ir.IPv6 {
		network = "tcp6"
	}
	p.kept, _ = listener.Keep(listener.Server{ // what fails is said, and tried again
		Listen: func() (net.Listener, error) {
			l, err := (&net.ListenConfig{}).Listen(context.Background(), network, p.at)
			if err != nil {
				if f.Failed != nil {
					f.Failed(family)
				}
				return nil, fmt.Errorf("listening on %s: %w", p.at, err)
			}
			return l, nil
		},
		Serve: func(l net.Listener) error { return f.serve(p, family, l) },
		Said:  func(err error) { f.said(p, err) },
	})
	return p
}

func (p *served) set(port *Port) {
	p.mu.Lock()
	p.port = *port
	p.mu.Unlock()
	p.choice.set(port.Endpoints, port.Affinity)
}

func (f *Forwarder) said(p *served, err error) {
	if f.Said == nil {
		return
	}
	p.mu.Lock()
	port := p.port
	p.mu.Unlock()
	f.Said(port, p.at, err)
}

// serve takes connections until the listener is closed, and ends them then.
func (f *Forwarder) serve(p *served, family ir.Family, l net.Listener) error {
	if f.Listening != nil {
		f.Listening(family, 1)
		defer f.Listening(family, -1)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	own := newSlots(mostOfOne)
	for {
		client, err := accept(l)
		if err != nil {
			return err
		}
		release, ok := take(own, f.bounded)
		if !ok {
			reset(client)
			continue
		}
		conns.Go(func() {
			defer release()
			forward(ctx, client, &p.choice)
		})
	}
}

// accept takes the next connection. What is short for a moment, such as descriptors,
// does not cost the listener.
func accept(l net.Listener) (*net.TCPConn, error) {
	wait := firstWait
	for {
		c, err := l.Accept()
		if err == nil {
			return c.(*net.TCPConn), nil // the listener is one of TCP
		}
		if !passing(err) {
			return nil, err
		}
		time.Sleep(wait)
		wait = min(2*wait, lastWait)
	}
}

// How long accepting rests while something is short.
const (
	firstWait = 5 * time.Millisecond
	lastWait  = 500 * time.Millisecond
)
