package fqdn

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/planec/planec/compiler/policy/cilium"
	"github.com/planec/planec/internal/input/inbox"
)

// DefaultFloor is how long an address counts at least: a client may use it for some time after
// its TTL, which may be 0.
const DefaultFloor = time.Minute

// Result is what became of a frame.
type Result string

// The results.
const (
	Kept      Result = "kept"      // an address of a name that a policy has
	Other     Result = "other"     // another message, or another name
	Malformed Result = "malformed" // not understood
	Refused   Result = "refused"   // only addresses that no name may have, or no room
)

// Observer sees what a feeder does; calls of Framed and Connected come from several goroutines.
type Observer interface {
	Framed(Result)
	Connected(more int)
	Knows(names, addresses int)
	Full(bool) // whether there was no room for an address, until there is
}

// Feeder gives an inbox the addresses of names.
type Feeder struct {
	Listener net.Listener
	Inbox    *inbox.Inbox
	// Given are addresses that settings have, which are always there.
	Given map[string][]netip.Addr
	// Floor is how long an address counts at least.
	Floor    time.Duration
	StateDir string
	Observer Observer
	Log      *slog.Logger

	answers chan answer
	cache   *cache
	wanted  *cilium.Names
	// generation is that of the policies that wanted was made of.
	generation uint64
	unsaved    bool
}

// Times of a feeder.
const (
	tick = time.Second
	// gather is how long to wait for further answers: a client asks for both families at once.
	gather = 50 * time.Millisecond
	// pause is between two changes at least: each costs as much as all policies.
	pause = 250 * time.Millisecond
)

// Restore gives the inbox what was known before, and is to be called before the inbox is
// complete.
func (f *Feeder) Restore() {
	f.answers, f.cache = make(chan answer, 256), newCache()
	if err := f.cache.load(f.StateDir, time.Now()); err != nil {
		f.Log.Warn("addresses of DNS names are to be learned anew", "error", err)
	}
	f.tell()
}

// Run works until ctx ends, after [Feeder.Restore].
func (f *Feeder) Run(ctx context.Context) error {
	go f.serve(ctx)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var due <-chan time.Time
	told := time.Now()
	for {
		changed := false
		select {
		case <-ctx.Done():
			f.save()
			return nil
		case a := <-f.answers:
			changed = f.take(a)
		case <-ticker.C:
			changed = f.tidy()
			f.save()
		case <-due:
			f.tell()
			due, told = nil, time.Now()
		}
		if changed && due == nil {
			due = time.After(max(gather, pause-time.Since(told)))
		}
		f.unsaved = f.unsaved || changed
	}
}

func (f *Feeder) tell() {
	f.Inbox.SetDomains(f.cache.with(f.Given))
	f.Observer.Knows(len(f.cache.names), f.cache.total)
}

func (f *Feeder) save() {
	if !f.unsaved {
		return
	}
	f.unsaved = false
	if err := f.cache.save(f.StateDir); err != nil {
		f.Log.Warn("after its next start the agent learns the addresses of DNS names anew", "error", err)
	}
}

// tidy reads the policies if they changed, and drops what is over or not wanted.
func (f *Feeder) tidy() bool {
	f.policies()
	if f.wanted == nil {
		return false
	}
	changed := f.cache.keep(time.Now(), f.wanted.Has)
	if f.cache.total < mostAddresses && len(f.cache.names) < mostNames {
		f.Observer.Full(false)
	}
	return changed
}

// policies reads the names of the policies, once they are all known.
func (f *Feeder) policies() {
	if set, generation, ok := f.Inbox.DomainPolicies(f.generation); ok {
		f.wanted, f.generation = cilium.NamesOf(set), generation
	}
}

// take keeps an answer, if a policy has its name.
func (f *Feeder) take(a answer) (changed bool) {
	f.policies()
	if f.wanted == nil || !f.wanted.Has(a.name) {
		f.Observer.Framed(Other)
		return false
	}
	until := time.Now().Add(min(max(a.ttl, f.Floor), longestTTL))
	result := Refused
	for _, x := range a.addresses {
		if !usable(x) {
			continue
		}
		fresh, full := f.cache.add(a.name, x, until)
		if full {
			f.Observer.Full(true)
			continue
		}
		changed, result = changed || fresh, Kept
	}
	f.Observer.Framed(result)
	return changed
}

// understand returns the answer of a frame, or what else it is.
func understand(frame []byte) (answer, Result) {
	message, err := response(frame)
	var a answer
	if err == nil {
		a, err = read(message)
	}
	switch {
	case errors.Is(err, errOther):
		return a, Other
	case err != nil:
		return a, Malformed
	case !right(a.name):
		return a, Other
	}
	return a, ""
}
