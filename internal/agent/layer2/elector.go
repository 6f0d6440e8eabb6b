package layer2

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Record is a Lease object, as far as this package uses it.
type Record struct {
	Holder  string // the name of a node; "" is none
	Version string // the resource version; "" means that the object is not there
}

// ErrConflict says that a record was not in the version that was to be replaced.
var ErrConflict = errors.New("the Lease has changed")

// Store keeps records.
type Store interface {
	// Get asks the API server for a record; one that is not there has no version.
	Get(ctx context.Context, name string) (Record, error)
	// Put replaces a record of a version, or creates one without a version.
	Put(ctx context.Context, name string, r Record) (Record, error)
	// Claim is what a watch has last seen of a claim.
	Claim(name string) Record
	// Claims are all claims of a node that the watch has last seen, by name.
	Claims(node string) map[string]Record
}

// Want is an address for which this node is a candidate.
type Want struct {
	Address netip.Addr
	// Candidates are the nodes that may answer, this one among them, best first.
	Candidates []string
}

// DefaultDuration is how long a node counts as alive: with the time until others have noticed,
// a client's connections wait for less than three seconds. ShortestDuration leaves time for
// requests to the API server.
const (
	DefaultDuration  = 2 * time.Second
	ShortestDuration = time.Second
)

// Elector decides for which addresses this node may answer. See the package for the rules.
// Step and Stop must not be called at once.
type Elector struct {
	Node     string
	Store    Store
	Duration time.Duration // how long a node counts as alive after it renewed its Lease
	Now      func() time.Time

	own    Record // the node's Lease
	claims map[netip.Addr]*claim
	others map[string]*watched

	mu sync.Mutex
	// renewed is when the request began that renewed the own Lease last.
	renewed time.Time
	held    map[netip.Addr]bool
}

// claim is what this node knows of a claim that it wants, or has.
type claim struct {
	record Record
	// mine says that this node wrote it last, since its own Lease lapsed last; before is the
	// version that it replaced.
	mine   bool
	before string
	// free is since when it was seen without a holder; zero is not.
	free time.Time
}

// watched is the Lease of another node.
type watched struct {
	version string
	since   time.Time // when the first answer with this version had come
	asked   time.Time
}

// alive is for how long after a renewal this node answers.
func (e *Elector) alive() time.Duration { return e.Duration * 3 / 4 }

// Holds reports whether this node may answer for an address now.
func (e *Elector) Holds(a netip.Addr) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.held[a] && e.Now().Sub(e.renewed) < e.alive()
}

// Step does what is due: it renews the own Lease, and takes or gives back claims. It
// returns the addresses that this node holds, sorted, and the errors of requests; the next
// step tries again.
func (e *Elector) Step(ctx context.Context, wants []Want) ([]netip.Addr, error) {
	if e.claims == nil {
		e.claims, e.others = make(map[netip.Addr]*claim), make(map[string]*watched)
	}
	var errs []error
	wanted := make(map[netip.Addr]bool, len(wants))
	for _, w := range wants {
		wanted[w.Address] = true
	}
	// What is not wanted ends first, so that the node which wants it need not wait.
	for a, c := range e.claims {
		if !wanted[a] {
			errs = append(errs, e.giveBack(ctx, a, c))
		}
	}
	errs = append(errs, e.forget(ctx, wanted))
	if len(e.claims) > 0 {
		errs = append(errs, e.renew(ctx))
	}
	for _, w := range wants {
		errs = append(errs, e.step(ctx, w))
	}
	e.publish()
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []netip.Addr
	for a := range e.held {
		out = append(out, a)
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out, errors.Join(errs...)
}

// Stop stops answering and gives all claims back.
func (e *Elector) Stop(ctx context.Context) error {
	e.mu.Lock()
	e.held = nil
	e.mu.Unlock()
	var errs []error
	for a, c := range e.claims {
		errs = append(errs, e.giveBack(ctx, a, c))
	}
	return errors.Join(errs...)
}

// publish makes known what is held.
func (e *Elector) publish() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held = make(map[netip.Addr]bool)
	for a, c := range e.claims {
		if c.mine {
			e.held[a] = true
		}
	}
}

// renew renews the own Lease, when a quarter of the duration is over. After a lapse all
// claims must be written again: others may have taken them.
func (e *Elector) renew(ctx context.Context) error {
	start := e.Now()
	if !e.renewed.IsZero() && start.Sub(e.renewed) < e.Duration/4 {
		return nil
	}
	if e.own.Version == "" {
		r, err := e.Store.Get(ctx, nodeLease(e.Node))
		if err != nil {
			return fmt.Errorf("the node's Lease: %w", err)
		}
		e.own = r
	}
	r, err := e.Store.Put(ctx, nodeLease(e.Node), Record{Holder: e.Node, Version: e.own.Version})
	if err != nil {
		e.own = Record{}
		return fmt.Errorf("renewing the node's Lease: %w", err)
	}
	e.own = r
	e.mu.Lock()
	lapsed := e.Now().Sub(e.renewed) >= e.alive()
	if lapsed {
		e.held = nil
	}
	e.renewed = start
	e.mu.Unlock()
	if lapsed {
		for _, c := range e.claims {
			c.mine = false
		}
	}
	return nil
}

// step does what is due for one address.
func (e *Elector) step(ctx context.Context, w Want) error {
	c := e.claims[w.Address]
	now, seen := e.Now(), e.Store.Claim(claimLease(w.Address))
	if c != nil && c.mine {
		// A watch may still show what was replaced. Any other version is later: a person wrote it.
		c.mine = seen.Holder == e.Node || seen.Version == c.before
		if c.mine {
			return nil
		}
	}
	rank := slices.Index(w.Candidates, e.Node)
	switch {
	case seen.Holder == e.Node:
		return e.take(ctx, w.Address, seen)
	case seen.Holder == "":
		if c == nil {
			c = &claim{free: now}
			e.claims[w.Address] = c
		}
		if c.free.IsZero() {
			c.free = now
		}
		if now.Sub(c.free) < time.Duration(rank)*e.Duration/8 {
			return nil // a better candidate comes first
		}
		return e.take(ctx, w.Address, seen)
	}
	if c != nil {
		delete(e.claims, w.Address) // nothing to give back
	}
	dead, err := e.dead(ctx, seen.Holder, e.every(w, seen.Holder))
	if err != nil || !dead {
		return err
	}
	return e.take(ctx, w.Address, seen)
}

// every is how often this node asks for a holder's Lease: the two candidates that come next do
// so often, all others in case that these are dead too.
func (e *Elector) every(w Want, holder string) time.Duration {
	before := 0
	for _, n := range w.Candidates[:max(0, slices.Index(w.Candidates, e.Node))] {
		if n != holder {
			before++
		}
	}
	if before < 2 {
		return e.Duration / 5
	}
	return 4 * e.Duration
}

// dead reports whether the Lease of a node was not renewed for the whole duration.
func (e *Elector) dead(ctx context.Context, node string, every time.Duration) (bool, error) {
	x := e.others[node]
	now := e.Now()
	if x != nil && now.Sub(x.asked) < every && now.Sub(x.since) < e.Duration {
		return false, nil
	}
	r, err := e.Store.Get(ctx, nodeLease(node))
	if err != nil {
		return false, fmt.Errorf("the Lease of node %s: %w", node, err)
	}
	if x == nil || x.version != r.Version {
		e.others[node] = &watched{version: r.Version, since: e.Now(), asked: now}
		return false, nil
	}
	x.asked = now
	return now.Sub(x.since) >= e.Duration, nil
}

// take writes a claim of this node.
func (e *Elector) take(ctx context.Context, a netip.Addr, seen Record) error {
	c := e.claims[a]
	if c == nil {
		c = &claim{}
		e.claims[a] = c
	}
	if err := e.renew(ctx); err != nil {
		return err
	}
	r, err := e.Store.Put(ctx, claimLease(a), Record{Holder: e.Node, Version: seen.Version})
	if errors.Is(err, ErrConflict) {
		c.free = time.Time{}
		return nil // the watch will tell
	}
	if err != nil {
		return fmt.Errorf("the claim of %v: %w", a, err)
	}
	c.record, c.mine, c.before = r, true, seen.Version
	return nil
}

// giveBack ends a claim. Whatever becomes of the request, this node answers no more;
// forget does what is left.
func (e *Elector) giveBack(ctx context.Context, a netip.Addr, c *claim) error {
	e.mu.Lock()
	delete(e.held, a)
	e.mu.Unlock()
	delete(e.claims, a)
	if !c.mine {
		return nil
	}
	_, err := e.Store.Put(ctx, claimLease(a), Record{Version: c.record.Version})
	if err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("giving back the claim of %v: %w", a, err)
	}
	return nil
}

// forget gives back claims that this node does not know of: it wrote them before it started
// again, or without hearing of it.
func (e *Elector) forget(ctx context.Context, wanted map[netip.Addr]bool) error {
	names := make(map[string]bool, len(wanted))
	for a := range wanted {
		names[claimLease(a)] = true
	}
	for a := range e.claims {
		names[claimLease(a)] = true
	}
	var errs []error
	mine := e.Store.Claims(e.Node)
	for _, name := range slices.Sorted(maps.Keys(mine)) {
		if names[name] {
			continue
		}
		if _, err := e.Store.Put(ctx, name, Record{Version: mine[name].Version}); err != nil && !errors.Is(err, ErrConflict) {
			errs = append(errs, fmt.Errorf("giving back %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// Names of Lease objects. A node's name has dots and dashes only, as an address has after
// its colons are gone.
func nodeLease(node string) string { return nodePrefix + node }

const nodePrefix = "planec-l2-node-"

// kindOf is what a Lease of this name is: that of a node, or a claim.
func kindOf(name string) string {
	if strings.HasPrefix(name, nodePrefix) {
		return "node"
	}
	return "claim"
}

func claimLease(a netip.Addr) string {
	name := strings.ReplaceAll(a.String(), ":", "-")
	if strings.HasSuffix(name, "-") {
		name += "0"
	}
	return "planec-l2-" + name
}
