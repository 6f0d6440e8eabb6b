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

// The maximum number of connections of all ports together, and of one port.
// Further connections are refused, so that one port cannot exhaust the descriptors
// and the memory of the agent.
const (
	mostConnections = 1024
	mostOfOne       = 256
)

// Forwarder serves ports. Its functions may be nil. They may be called
// concurrently, and must not call the Forwarder. It is safe for concurrent use.
type Forwarder struct {
	// Said is called with the error if a port cannot be opened at an address,
	// which is retried, and with nil once it is open or no longer wanted.
	Said func(p Port, at string, err error)
	// Listening is called when a listener is opened (1) or closed (-1), and Failed
	// after each failed attempt to open one.
	Listening func(f ir.Family, change int)
	Failed    func(f ir.Family) // f is the family of the address

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

// Set replaces the set of served ports. A port that stays keeps its listener and
// its connections, even if its endpoints change; a removed port loses both.
func (f *Forwarder) Set(ports []Port) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.replace(ports)
	}
}

// Close ends all listeners and connections. The Forwarder cannot be used afterwards.
func (f *Forwarder) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.replace(nil)
	f.closed = true
}

// replace is Set with the lock held.
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

// accept accepts the next connection. It does not give up the listener because of
// a temporary shortage, for example of descriptors.
func accept(l net.Listener) (*net.TCPConn, error) {
	wait := firstWait
	for {
		c, err := l.Accept()
		if err == nil {
			return c.(*net.TCPConn), nil // l is a TCP listener
		}
		if !passing(err) {
			return nil, err
		}
		time.Sleep(wait)
		wait = min(2*wait, lastWait)
	}
}

// The pause before accepting again during a shortage.
const (
	firstWait = 5 * time.Millisecond
	lastWait  = 500 * time.Millisecond
)
