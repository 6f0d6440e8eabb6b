package dataplane

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	nftlive "github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/internal/apply/applier"
)

// ebpfPlane serves by three parts: the rules of nftables for what arrives as packets, the
// maps, and the programs that decide in a cgroup where sockets connect to.
//
// What sockets decide never meets the rules, and whatever sockets leave alone does. So
// the rules are always the first to come and the last to go:
//
//	apply:  rules ─▶ maps ─▶ programs (those that turn answers back, then those that connect)
//	clean:  programs ─▶ maps         (─▶ rules, by the nftables dataplane)
//
// Where policies are judged at the interfaces of pods too, programs come to them after the
// maps, and then pods are covered: the rules leave what they send each other to these
// programs. Pods are uncovered before anything else goes.
//
// A socket that is not sent to an endpoint yet, or no more, is a packet for the rules: no
// step of the way serves less than the one before. That holds for a change too. When it
// adds, the maps name endpoints and leave frontends to packets only after the rules know
// them, and policies judge a pod before sockets are sent to it. When it removes, sockets
// may still get an endpoint for as long as the maps take, which the order the other way
// round would grant to packets instead: neither takes anything from what remains.
// An apply that dies in between is completed by the next one, which reads all three.
type ebpfPlane struct {
	*plane[*mixedState, *mixedModel, *mixedPlan]
	kernel *ebpfKernel
	watch  *live.Watch
}

var (
	_ applier.PolicyChanger = ebpfPlane{}
	_ applier.Recorder      = ebpfPlane{}
)

// ChangePolicy implements [applier.PolicyChanger].
func (d ebpfPlane) ChangePolicy(before, after backends.Artifact) (applier.Plan, error) {
	return d.next(d.held.(*mixedHeld).ChangePolicy(before, after))
}

// With implements [applier.Composed].
func (ebpfPlane) With() string { return nftablesName }

// Recorded implements [applier.Recorder].
func (ebpfPlane) Recorded(a backends.Artifact) backends.Artifact { return ebpf.Recorded(a) }

// Fingerprint implements [applier.Fingerprinter]. The rules for packets have notices.
func (d ebpfPlane) Fingerprint(context.Context) (string, error) {
	cgroup, err := d.kernel.place()
	if err != nil {
		return "", err
	}
	return d.watch.Fingerprint(cgroup)
}

// Programs implements [applier.Programmed].
func (d ebpfPlane) Programs(context.Context) ([]backends.ServedProgram, error) {
	attached, err := d.kernel.sockets("").Attached()
	if err != nil {
		return nil, err
	}
	out := make([]backends.ServedProgram, 0, len(attached))
	for _, a := range attached {
		out = append(out, backends.ServedProgram{Name: a.Program, ID: uint32(a.ID), At: pathOf(a.Cgroup)})
	}
	at, err := d.kernel.anywhere().Attached()
	if err != nil {
		return nil, err
	}
	placed, _, err := d.kernel.anywhere().Placed()
	if err != nil {
		return nil, err
	}
	for _, a := range at {
		p := backends.ServedProgram{Name: a.Program, ID: uint32(a.ID), At: a.Interface}
		for _, at := range placed {
			if a.Program == live.ToPod && at.Index == a.Index {
				p.Direct = append(p.Direct, at.Pod.String())
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// Snapshot implements [applier.Dataplane]. What there was is put back where it was, also
// after an apply to another cgroup.
func (d ebpfPlane) Snapshot(ctx context.Context) (func(context.Context) error, error) {
	restore, err := d.plane.Snapshot(ctx)
	if restore == nil || err != nil {
		return nil, err
	}
	was := d.kernel.snapshotted
	return func(ctx context.Context) error {
		asked := d.kernel.cgroup
		d.kernel.cgroup = cmp.Or(was, asked)
		defer func() { d.kernel.cgroup = asked }()
		return restore(ctx)
	}, nil
}

// EndSockets implements [applier.Connected].
func (d ebpfPlane) EndSockets(stale func(service, endpoint netip.AddrPort) bool) (int, error) {
	sockets := d.kernel.sockets("")
	list, err := sockets.Connections()
	if err == nil {
		list = slices.DeleteFunc(list, func(c live.Connection) bool { return !stale(c.Service, c.Endpoint) })
		var n int
		if n, err = sockets.Close(list); err == nil {
			return n, nil
		}
	}
	if errors.Is(err, live.ErrKernel) {
		return 0, nil // docs/limits.md
	}
	return 0, err
}

// Served implements [applier.Dataplane]. Unlike a plan it needs no cgroup.
func (d ebpfPlane) Served(ctx context.Context) (backends.Served, error) {
	maps, err := d.kernel.pins.Observe(ctx)
	if err != nil {
		return backends.Served{}, err
	}
	packets, err := nftlive.Observe(ctx)
	if err != nil {
		return backends.Served{}, err
	}
	s := (&mixedState{packets: packets, maps: maps}).Served()
	s.Programs, err = d.Programs(ctx)
	return s, err
}

// ebpfKernel manages map images and links below a directory of a BPF file system.
type ebpfKernel struct {
	pins   *live.Pins
	parsed live.Parsed
	// cgroup is where the programs are to be attached; "" is where they are, or else the
	// root of cgroup2.
	cgroup string
	// snapshotted is where they were when the kernel was last read to be restored.
	snapshotted string

	mu         sync.Mutex
	interfaces *live.Interfaces
	// covering is held while programs at interfaces or covered pods change.
	covering sync.Mutex
}

// sockets are the programs for a cgroup.
func (k *ebpfKernel) sockets(cgroup string) *live.Sockets {
	return &live.Sockets{Dir: k.pins.Dir, Cgroup: cgroup, Parsed: &k.parsed}
}

func (*ebpfKernel) parse(a backends.Artifact) (*mixedModel, error) {
	for _, name := range []string{ebpf.ImageFile, ebpf.PacketsFile} {
		if a.File(name) == nil {
			return nil, fmt.Errorf("the artifact has no %s", name)
		}
	}
	img, err := ebpf.ImageOf(a)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ebpf.ImageFile, err)
	}
	packets, err := nftlive.ReadFile(a.Named(ebpf.PacketsFile))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ebpf.PacketsFile, err)
	}
	return &mixedModel{image: img, packets: packets, attached: true}, nil
}

func (k *ebpfKernel) observe(ctx context.Context) (*mixedState, error) {
	return k.observeFor(ctx, &mixedModel{}, nil)
}

func (k *ebpfKernel) observeFor(ctx context.Context, want *mixedModel, rules *nftlive.State) (*mixedState, error) {
	s := &mixedState{packets: rules}
	var err error
	if s.maps, err = k.pins.ObserveFor(ctx, want.image); err != nil {
		return nil, err
	}
	if s.packets == nil {
		if s.packets, err = nftlive.Observe(ctx); err != nil {
			return nil, err
		}
	}
	if s.cgroup, err = k.place(); err != nil {
		return nil, err
	}
	if s.programs, err = k.sockets(s.cgroup).Missing(); err != nil {
		return nil, fmt.Errorf("looking at the programs on %s: %w", s.cgroup, err)
	}
	if s.interfaces, err = k.lookAtInterfaces(s.maps.Image); err != nil {
		return nil, err
	}
	return s, nil
}

func (*ebpfKernel) madeBy(p *mixedPlan) *nftlive.Made {
	if p.packets == nil {
		return nil
	}
	return p.packets.Made()
}

func (*ebpfKernel) rulesOf(have *mixedState) *nftlive.State { return have.packets }

func (*ebpfKernel) rulesFor(want *mixedModel) *nftlive.Wanted { return want.packets }

func (*ebpfKernel) rulesIn(a backends.Artifact) backends.File { return a.Named(ebpf.PacketsFile) }

func (*ebpfKernel) diff(have *mixedState, want *mixedModel) (*mixedPlan, error) {
	p := &mixedPlan{cgroup: have.cgroup, maps: live.NewPlan(have.maps, want.image)}
	if want.packets != nil {
		var err error
		if p.packets, err = have.packets.Plan(want.packets); err != nil {
			return nil, fmt.Errorf("%s: %w", ebpf.PacketsFile, err)
		}
	}
	if want.attached {
		p.programs, p.attached = have.programs, true
	}
	p.interfaces = planInterfaces(have.interfaces, want.image)
	return p, nil
}

func (k *ebpfKernel) apply(ctx context.Context, p *mixedPlan) error {
	err := k.applyParts(ctx, p)
	if err != nil {
		k.pins.Doubt()
	}
	return err
}

func (k *ebpfKernel) applyParts(ctx context.Context, p *mixedPlan) error {
	if p.interfaces.remove {
		if _, err := k.uncover(ctx); err != nil {
			return err
		}
	}
	changed, err := k.applyMaps(ctx, p)
	if err != nil {
		return err
	}
	if i := &p.interfaces; i.attach && (changed || len(i.steps) > 0) {
		if _, err := k.attachInterfaces(ctx, i.reach); err != nil {
			return p.half(err)
		}
	}
	if len(p.programs) > 0 || !p.maps.Empty() && p.attached {
		if _, err := k.sockets(p.cgroup).Attach(ctx); err != nil {
			return p.half(err)
		}
	}
	if p.interfaces.remove {
		_, err := k.detachInterfaces()
		return p.half(err)
	}
	return nil
}

// applyMaps puts in the rules for packets and the maps, and reports whether there was
// anything to do.
func (k *ebpfKernel) applyMaps(ctx context.Context, p *mixedPlan) (changed bool, err error) {
	if p.packets != nil && len(p.packets.Steps()) > 0 {
		if err := nftlive.Apply(ctx, p.packets); err != nil {
			return false, err
		}
		p.begun, changed = true, true
	}
	if !p.maps.Empty() {
		if err := k.pins.Apply(ctx, p.maps); err != nil {
			return changed, p.half(err)
		}
		p.begun, changed = true, true
	}
	return changed, nil
}

func (*ebpfKernel) hold(a backends.Artifact, read func(backends.Artifact) (*mixedModel, error)) (held[*mixedPlan], error) {
	m, err := read(a)
	if err != nil {
		return nil, err
	}
	return &mixedHeld{maps: live.NewHeld(m.image), packets: nftlive.Hold(m.packets)}, nil
}

// refused calls it drift when a change was made in part: what is held is neither what the
// kernel had nor what it should have, so the kernel must be read.
func (*ebpfKernel) refused(err error) error {
	if isOne(err, nftlive.ErrDrift, live.ErrDrift) {
		return applier.ErrDrift
	}
	if errors.As(err, new(*halfError)) {
		return fmt.Errorf("%w: %w", applier.ErrDrift, err)
	}
	return err
}

// snapshot reads the maps, and whether programs use them. The rules for packets are
// nftables' to restore.
func (k *ebpfKernel) snapshot(ctx context.Context) (*mixedModel, error) {
	have, err := k.pins.Observe(ctx)
	if errors.Is(err, live.ErrNoBPFFS) {
		return nil, nil
	}
	if err != nil || have.Image == nil {
		return nil, err
	}
	attached, err := k.sockets("").Attached()
	if err != nil {
		return nil, err
	}
	for _, a := range attached {
		if path := pathOf(a.Cgroup); filepath.IsAbs(path) {
			k.snapshotted = path
		}
	}
	return &mixedModel{image: have.Image, attached: len(attached) > 0}, nil
}

// Clean implements [applier.Dataplane].
func (k *ebpfKernel) Clean(ctx context.Context) ([]string, error) {
	removed, err := k.cleanInterfaces(ctx)
	if err != nil {
		return removed, err
	}
	sockets, err := k.sockets("").Detach()
	if removed = append(removed, sockets...); err != nil {
		return removed, err
	}
	maps, err := k.pins.Clean(ctx)
	return append(removed, maps...), err
}

// Left implements [applier.Dataplane].
func (k *ebpfKernel) Left(context.Context) ([]string, error) {
	programs, err := leftAtInterfaces(k.anywhere())
	if err != nil {
		return nil, err
	}
	sockets, err := k.sockets("").Left()
	if err != nil {
		return nil, err
	}
	programs = append(programs, sockets...)
	maps, err := k.pins.Left()
	if err != nil {
		return nil, err
	}
	return append(programs, maps...), nil
}
