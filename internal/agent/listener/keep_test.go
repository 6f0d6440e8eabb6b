package listener_test

import (
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planec/planec/internal/agent/listener"
)

// place can be occupied by another process, on a clock that advances only while
// waiting.
type place struct {
	mu    sync.Mutex
	taken error
	tries []time.Duration
	open  *fakeListener
	said  []string
	start time.Time
}

type fakeListener struct {
	net.Listener
	closed chan error
	once   sync.Once
}

func (l *fakeListener) Close() error {
	l.fail(net.ErrClosed)
	return nil
}

func (l *fakeListener) fail(err error) { l.once.Do(func() { l.closed <- err }) }

func (p *place) Listen() (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries = append(p.tries, time.Since(p.start))
	if p.taken != nil {
		return nil, p.taken
	}
	p.open = &fakeListener{closed: make(chan error, 1)}
	return p.open, nil
}

func (p *place) Serve(l net.Listener) error { return <-l.(*fakeListener).closed }

func (p *place) Said(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.said = append(p.said, "served")
		return
	}
	p.said = append(p.said, err.Error())
}

func (p *place) keep() (*listener.Kept, error) {
	p.start = time.Now()
	return listener.Keep(listener.Server{Listen: p.Listen, Serve: p.Serve, Said: p.Said})
}

// TestKeep has a place occupied for a while, twice, and wants increasing delays,
// each reason reported once, and the place free at the end.
func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inUse := errors.New("in use")
		p := &place{taken: inUse}
		k, err := p.keep()
		if !errors.Is(err, inUse) {
			t.Errorf("the first try: %v", err)
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		p.mu.Lock()
		want := []time.Duration{0, 250, 750, 1750, 3750, 7750, 12750, 17750}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(p.tries, want) {
			t.Errorf("tried at %v, want %v", p.tries, want)
		}
		p.taken = nil
		p.mu.Unlock()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		p.mu.Lock()
		if !slices.Equal(p.said, []string{"in use", "served"}) {
			t.Errorf("said %q", p.said)
		}
		// The listener fails while it is served: another one follows.
		p.said, p.tries, p.start = nil, nil, time.Now()
		p.open.fail(errors.New("too many open files"))
		p.mu.Unlock()
		time.Sleep(time.Second)
		synctest.Wait()
		p.mu.Lock()
		if !slices.Equal(p.said, []string{"too many open files", "served"}) || !slices.Equal(p.tries, []time.Duration{250 * time.Millisecond}) {
			t.Errorf("said %q, tried at %v", p.said, p.tries)
		}
		last := p.open
		p.mu.Unlock()
		k.Stop()
		last.fail(errors.New("it was open")) // no effect on one that is closed
		if n := len(last.closed); n != 0 {
			t.Error("the last listener is open after Stop")
		}
		if p.said = p.said[2:]; len(p.said) > 0 {
			t.Errorf("said at the end: %q", p.said)
		}
	})
}

// TestNotWanted stops the retries of a place that was never served.
func TestNotWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{taken: errors.New("in use")}
		k, _ := p.keep()
		time.Sleep(time.Second)
		k.Stop()
		n := len(p.tries)
		time.Sleep(time.Minute)
		if len(p.tries) != n {
			t.Errorf("tried %d times after Stop", len(p.tries)-n)
		}
	})
}
