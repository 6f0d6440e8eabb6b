package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/backends/nftables"
	nftlive "github.com/planec/planec/backends/nftables/live"
)

// translatedFor is how long the pods count as translated that had such connections before
// they were covered: as long as connection tracking keeps one that is established.
const translatedFor = 5 * 24 * time.Hour

// interfacesState is what the kernel has at the interfaces of pods.
type interfacesState struct {
	// at is whether the maps say that programs belong there, and missing the steps that
	// bring programs and covered pods in line, if they do.
	at      bool
	missing []string
	// left are the steps that remove everything.
	left []string
}

// interfacesPlan is what is to be done at the interfaces of pods.
type interfacesPlan struct {
	// attach is set if programs belong there and are to be brought in line, remove if all
	// of them are to go.
	attach, remove bool
	reach          reach
	steps          []string
}

// reach is which pods an image has programs for.
type reach struct {
	// pods are networks of the node's pods, direct those between whose pods packets are handed
	// past the stack.
	pods, direct []netip.Prefix
}

func reachOf(img *ebpf.Image) reach {
	return reach{pods: img.LocalSources(), direct: img.DirectSources()}
}

// at are the programs at interfaces for an image; they are kept, since they know what they
// have compared.
func (k *ebpfKernel) at(r reach) *live.Interfaces {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.interfaces == nil || !slices.Equal(k.interfaces.Pods, r.pods) || !slices.Equal(k.interfaces.Direct, r.direct) {
		k.interfaces = &live.Interfaces{Dir: k.pins.Dir, Pods: r.pods, Direct: r.direct, PacketRules: true}
	}
	return k.interfaces
}

// anywhere are those that were last kept, or with no networks of pods: what is attached
// already needs none.
func (k *ebpfKernel) anywhere() *live.Interfaces {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.interfaces == nil {
		k.interfaces = &live.Interfaces{Dir: k.pins.Dir, PacketRules: true}
	}
	return k.interfaces
}

// lookAtInterfaces reads what is there. Without an image that asks for programs it is only
// what is left of them.
func (k *ebpfKernel) lookAtInterfaces(img *ebpf.Image) (s interfacesState, err error) {
	i := k.anywhere()
	if s.at = img != nil && img.AtInterfaces(); s.at {
		i = k.at(reachOf(img))
	}
	if s.left, err = leftAtInterfaces(i); err != nil || !s.at {
		return s, err
	}
	if s.missing, err = i.Missing(); err != nil {
		return s, err
	}
	c, err := readCover(i)
	if err != nil {
		return s, err
	}
	s.missing = append(s.missing, c.steps()...)
	return s, nil
}

// leftAtInterfaces are the steps that remove covered pods and programs.
func leftAtInterfaces(i *live.Interfaces) ([]string, error) {
	steps, err := i.Left()
	if err != nil || len(steps) == 0 {
		return nil, err
	}
	covered, err := nftlive.Addresses(nftables.CoveredPods)
	if err != nil {
		return nil, err
	}
	return append((&cover{gone: covered.Addrs}).steps(), steps...), nil
}

// planInterfaces is the difference to an image. What is attached to other maps, or covered
// in a table that is made again, is brought in line when the other parts are in.
func planInterfaces(have interfacesState, want *ebpf.Image) interfacesPlan {
	p := interfacesPlan{attach: want.AtInterfaces(), reach: reachOf(want)}
	switch {
	case p.attach && have.at:
		p.steps = have.missing
	case p.attach:
		p.steps = []string{"attach programs to the interfaces of pods"}
	default:
		p.steps, p.remove = have.left, len(have.left) > 0
	}
	return p
}

// attachInterfaces brings programs and covered pods in line.
func (k *ebpfKernel) attachInterfaces(ctx context.Context, r reach) (steps []string, err error) {
	i := k.at(r)
	k.covering.Lock()
	defer k.covering.Unlock()
	steps, err = i.Attach(ctx)
	covered, coverErr := updateCover(ctx, i)
	return append(steps, covered...), errors.Join(err, coverErr)
}

// uncover leaves all connections to connection tracking and the rules. Those that go on
// are tracked before the rules meet them, and again when all of them do: some may have
// begun in between.
func (k *ebpfKernel) uncover(ctx context.Context) (steps []string, err error) {
	k.covering.Lock()
	defer k.covering.Unlock()
	have, err := nftlive.Addresses(nftables.CoveredPods)
	if err != nil {
		return nil, err
	}
	i := k.anywhere()
	// The stack has all packets again, so that connection tracking sees them.
	if err := i.Place(nil); err != nil {
		return nil, err
	}
	// Other rules may have come already, which know of no covered pods, and with them
	// policies that log.
	pods, err := i.Reached()
	if err != nil {
		return nil, err
	}
	c := &cover{have: append(pods, have.Addrs...), gone: have.Addrs}
	if len(c.gone) == 0 {
		_, err := i.Track(c.have)
		return nil, err
	}
	return c.steps(), c.apply(ctx, i)
}

// detachInterfaces removes the programs; no pod is covered.
func (k *ebpfKernel) detachInterfaces() ([]string, error) {
	k.covering.Lock()
	defer k.covering.Unlock()
	return k.anywhere().Detach()
}

// cleanInterfaces uncovers all pods and removes the programs, if there are any.
func (k *ebpfKernel) cleanInterfaces(ctx context.Context) ([]string, error) {
	left, err := k.anywhere().Left()
	if err != nil || len(left) == 0 {
		return nil, err
	}
	removed, err := k.uncover(ctx)
	if err != nil {
		return nil, err
	}
	detached, err := k.detachInterfaces()
	if removed = append(removed, detached...); err != nil {
		return removed, err
	}
	_, err = k.uncover(ctx) // another process may have covered pods in between
	return removed, err
}

// cover is the difference of the covered pods.
type cover struct {
	// have are those in the rules, gone and added those that differ.
	have, gone, added []netip.Addr
	// guarded are the interfaces to be in the rules, and differ whether others are.
	guarded []uint32
	differ  bool
	// placed are the pods that the programs know as covered, places those to be; moved is
	// whether they differ.
	placed, places []live.Place
	moved          bool
}

// readCover compares the rules with the pods whose interfaces have both programs.
func readCover(i *live.Interfaces) (*cover, error) {
	want, err := i.Covered()
	if err != nil {
		return nil, err
	}
	have, err := nftlive.Addresses(nftables.CoveredPods)
	if err != nil {
		return nil, err
	}
	c := &cover{have: have.Addrs}
	for _, a := range want {
		if have.Takes(a) && !slices.Contains(have.Addrs, a) {
			c.added = append(c.added, a)
		}
	}
	for _, a := range have.Addrs {
		if _, found := slices.BinarySearchFunc(want, a, netip.Addr.Compare); !found {
			c.gone = append(c.gone, a)
		}
	}
	slices.SortFunc(c.gone, netip.Addr.Compare)
	if c.guarded, err = i.Guarded(); err != nil {
		return nil, err
	}
	now, same, err := nftlive.Numbers(nftables.GuardedInterfaces)
	c.differ = len(have.Addrs)+len(c.added) > 0 && (!same || !slices.Equal(now, c.guarded))
	if err != nil {
		return nil, err
	}
	return c, c.readPlaces(i)
}

// readPlaces compares the pods that the programs know as covered with those that the rules
// know: only where both do, packets are handed over.
func (c *cover) readPlaces(i *live.Interfaces) error {
	want, err := i.Places()
	if err != nil {
		return err
	}
	for _, p := range want {
		if slices.Contains(c.have, p.Pod) && !slices.Contains(c.gone, p.Pod) || slices.Contains(c.added, p.Pod) {
			c.places = append(c.places, p)
		}
	}
	var known bool
	c.placed, known, err = i.Placed()
	c.moved = known && !slices.Equal(c.placed, c.places)
	return err
}

// keptPlaces are those of places that the programs have already.
func (c *cover) keptPlaces() []live.Place {
	return slices.DeleteFunc(slices.Clone(c.placed), func(p live.Place) bool { return !slices.Contains(c.places, p) })
}

func updateCover(ctx context.Context, i *live.Interfaces) ([]string, error) {
	c, err := readCover(i)
	if err != nil {
		return nil, err
	}
	return c.steps(), c.apply(ctx, i)
}

// apply changes the sets. A pod is watched before the connections that are translated are
// looked for, and covered after that: none is missed. What is not covered any more goes
// on as a tracked connection. Packets are handed past the rules only between pods that are
// covered.
func (c *cover) apply(ctx context.Context, i *live.Interfaces) error {
	if c.moved {
		if err := i.Place(c.keptPlaces()); err != nil {
			return err
		}
	}
	if err := c.applySets(ctx, i); err != nil || !c.moved {
		return err
	}
	return i.Place(c.places)
}

func (c *cover) applySets(ctx context.Context, i *live.Interfaces) error {
	if len(c.gone) > 0 {
		if _, err := i.Track(c.have); err != nil {
			return err
		}
		if err := nftlive.ChangeAddresses(ctx, nftables.CoveredPods, nil, c.gone, 0); err != nil {
			return err
		}
		if _, err := i.Track(c.have); err != nil {
			return err
		}
		if err := nftlive.ChangeAddresses(ctx, nftables.WatchedPods, nil, c.gone, 0); err != nil {
			return err
		}
	}
	if err := nftlive.SetNumbers(ctx, nftables.GuardedInterfaces, c.guarded); err != nil {
		return err
	}
	if len(c.added) == 0 {
		return nil
	}
	if err := nftlive.ChangeAddresses(ctx, nftables.WatchedPods, c.added, nil, 0); err != nil {
		return err
	}
	watched, err := nftlive.Addresses(nftables.WatchedPods)
	if err != nil {
		return err
	}
	translated, err := live.Tracked(watched.Addrs)
	if err != nil {
		return err
	}
	if err := nftlive.ChangeAddresses(ctx, nftables.TranslatedPods, translated, nil, translatedFor); err != nil {
		return err
	}
	return nftlive.ChangeAddresses(ctx, nftables.CoveredPods, c.added, nil, 0)
}

func (c *cover) steps() (steps []string) {
	for _, a := range c.gone {
		steps = append(steps, fmt.Sprintf("set covered: remove pod %v", a))
	}
	for _, a := range c.added {
		steps = append(steps, fmt.Sprintf("set covered: add pod %v", a))
	}
	if c.differ {
		steps = append(steps, fmt.Sprintf("set guarded: %d interfaces", len(c.guarded)))
	}
	if c.moved {
		steps = append(steps, fmt.Sprintf("map covered: %d pods", len(c.places)))
	}
	return steps
}
