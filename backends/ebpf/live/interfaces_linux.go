package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/bpf"
)

// DefaultLegs is how many ends of connections are remembered, at 120 bytes each.
const DefaultLegs = 1 << 17

// Interfaces are the programs that enforce policies at the interfaces of pods, on the node's
// side of them: from_pod judges what a pod sends, to_pod what it gets. They are links of tcx, and
// filters below Linux 6.6, which has none. All methods concern the network namespace of the calling thread, and are safe for
// concurrent use.
type Interfaces struct {
	// Dir is the directory of the BPF file system where the maps of images are pinned; links,
	// programs and the programs' own maps are pinned beside them.
	Dir string
	// Pods are networks of the node's pods, such as Node.spec.podCIDRs. The pods that
	// policies select are known from the active image. Others need programs too: a policy
	// that comes later must find their connections remembered.
	Pods []netip.Prefix
	// PacketRules says that rules of packets enforce the same policies (nftables). Then packets
	// to a Service pass from_pod, and those rules judge them when they have an endpoint.
	// Without such rules nothing would, so they are judged by the address of the Service,
	// which policies seldom accept.
	PacketRules bool
	// Direct are networks of pods between which packets are handed from interface to interface,
	// past the node's network stack and all rules of packets: none of them may be masqueraded on
	// the way to another one. Without any the stack has all packets.
	Direct []netip.Prefix
	// CountAll counts each packet, and not only what is denied.
	CountAll bool
	// ByFilters attaches programs as filters even where the kernel has tcx: for tests.
	ByFilters bool
	// Legs is the number of ends of connections to remember; 0 is DefaultLegs. It is fixed
	// until Detach.
	Legs uint32

	attaching  sync.Mutex
	remembered bool // whether connections that are tracked are legs
	mu         sync.Mutex
	last       checked
}

// ToPod is the program that judges what a pod gets.
const ToPod = "to_pod"

// sides are the programs of an interface with the ends of the names of their links' pins.
// to_pod comes first: a connection of the pod that from_pod has accepted must be known to both.
var sides = [...]struct {
	program, pin string
	attach       ebpf.AttachType
}{
	{ToPod, "out", ebpf.AttachTCXEgress},
	{"from_pod", "in", ebpf.AttachTCXIngress},
}

// What the programs remember, and count.
const (
	legsMap     = namePrefix + "legs"
	verdictsMap = namePrefix + "verdicts"
	loggedMap   = namePrefix + "logged"
	coveredMap  = namePrefix + "covered"
)

var interfaceMaps = [...]string{legsMap, namePrefix + "parts", verdictsMap, loggedMap, coveredMap}

// programPin is the name of the pin of a program.
func programPin(name string) string { return namePrefix + name }

// Attach puts the programs at every interface of a pod, or leaves those that are there and the
// same, and removes what is left of interfaces that are gone. It returns what it did, a line
// each. Programs that are the first ones take the connections that the kernel tracks for accepted.
// So does the first Attach of an Interfaces that attaches any: pods may have come while no
// process kept programs at them. An interface that is gone meanwhile is no error. One that fails leaves the others
// attached; an Attach that follows completes it.
func (i *Interfaces) Attach(ctx context.Context) (steps []string, err error) {
	i.attaching.Lock()
	defer i.attaching.Unlock()
	pods, devices, err := i.devices()
	if err != nil {
		return nil, err
	}
	links, err := i.links()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, links.close()) }()
	programs, steps, err := i.programs(pods)
	if err != nil {
		return nil, fmt.Errorf("loading the programs of interfaces: %w", explain(err))
	}
	defer programs.close()
	removed, err := links.removeGone()
	if steps = append(steps, removed...); err != nil {
		return steps, err
	}
	attached, err := i.attachAll(ctx, devices, links, programs)
	if len(attached) > 0 && !i.remembered {
		err = errors.Join(err, i.rememberAll(pods))
	}
	i.remembered = i.remembered || err == nil
	return append(steps, attached...), err
}

func (i *Interfaces) attachAll(ctx context.Context, devices []device, links interfaceLinks, programs *sharedPrograms) (steps []string, err error) {
	var errs []error
	for _, d := range devices {
		for s := range sides {
			if err := ctx.Err(); err != nil {
				return steps, errors.Join(append(errs, err)...)
			}
			step, err := i.attach(d, s, links[linkKey{d.index, s}], programs[s])
			if err != nil && exists(d.index) {
				errs = append(errs, fmt.Errorf("attaching %s to %s: %w", sides[s].program, d.name, explain(err)))
			}
			if err == nil && step != "" {
				steps = append(steps, step)
			}
		}
	}
	return steps, errors.Join(errs...)
}

// attach puts a program to one side of an interface. It runs before other programs: one of them
// may end the chain.
func (i *Interfaces) attach(d device, side int, old *interfaceLink, p *sharedProgram) (string, error) {
	s := sides[side]
	if old != nil && old.program == p.id {
		return "", nil
	}
	if old != nil {
		return fmt.Sprintf("replace program %s of %s", s.program, d.name), old.Update(p.Program)
	}
	if i.usesFilters() {
		return fmt.Sprintf("attach program %s to %s", s.program, d.name), filter{linkKey{d.index, side}}.attach(p.Program)
	}
	l, err := attachFirst(link.TCXOptions{Interface: d.index, Program: p.Program, Attach: s.attach, Anchor: link.Head()})
	if err != nil {
		return "", err
	}
	defer l.Close()
	return fmt.Sprintf("attach program %s to %s", s.program, d.name), l.Pin(filepath.Join(i.Dir, linkKey{d.index, side}.pin()))
}

// attachFirst attaches a program. The kernel ends a link some time after its pin was removed, and
// until then the program is there already.
func attachFirst(o link.TCXOptions) (l link.Link, err error) {
	const tries, pause = 200, 5 * time.Millisecond
	for range tries {
		if l, err = link.AttachTCX(o); !errors.Is(err, unix.EEXIST) {
			break
		}
		time.Sleep(pause)
	}
	return l, err
}

// Missing says which interfaces of pods lack a program or have another one, a line each; none
// where all is as it should be.
func (i *Interfaces) Missing() (steps []string, err error) {
	_, devices, err := i.devices()
	if err != nil {
		return nil, err
	}
	links, err := i.links()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, links.close()) }()
	programs, err := i.pinnedPrograms()
	if err != nil {
		return nil, fmt.Errorf("looking at the programs of interfaces: %w", explain(err))
	}
	defer programs.close()
	for _, d := range devices {
		for s := range sides {
			switch l := links[linkKey{d.index, s}]; {
			case l == nil || l.gone:
				steps = append(steps, fmt.Sprintf("attach program %s to %s", sides[s].program, d.name))
			case programs[s] == nil || programs[s].id != l.program:
				steps = append(steps, fmt.Sprintf("replace program %s of %s", sides[s].program, d.name))
			}
		}
	}
	return steps, nil
}

// Left says what Detach would remove, without a change.
func (i *Interfaces) Left() (steps []string, err error) {
	links, err := i.links()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, links.close()) }()
	for _, k := range links.keys() {
		steps = append(steps, fmt.Sprintf("detach program %s of interface %d", sides[k.side].program, k.index))
	}
	for _, name := range pinsOfPrograms() {
		if _, err := os.Lstat(filepath.Join(i.Dir, name)); err == nil {
			steps = append(steps, "remove "+name)
		}
	}
	return steps, nil
}

// pinsOfPrograms are the pins besides those of links.
func pinsOfPrograms() []string {
	names := slices.Clone(interfaceMaps[:])
	for _, s := range sides {
		names = append(names, programPin(s.program))
	}
	return names
}

// Detach removes the programs from all interfaces and what they remember, and says what.
func (i *Interfaces) Detach() (removed []string, err error) {
	links, err := i.links()
	if err != nil {
		return nil, err
	}
	i.attaching.Lock()
	defer i.attaching.Unlock()
	i.remembered = false
	var errs []error
	for _, k := range links.keys() {
		if err := errors.Join(links[k].Unpin(), links[k].Close()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("detaching %s: %w", sides[k.side].program, err))
			continue
		}
		removed = append(removed, fmt.Sprintf("detach program %s of interface %d", sides[k.side].program, k.index))
	}
	for _, name := range pinsOfPrograms() {
		if err := os.Remove(filepath.Join(i.Dir, name)); err == nil {
			removed = append(removed, "remove "+name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("removing %s: %w", name, err))
		}
	}
	return removed, errors.Join(errs...)
}

// spec is what is to be loaded.
func (i *Interfaces) spec() (*ebpf.CollectionSpec, error) {
	spec, err := bpf.LoadVeth()
	if err != nil {
		return nil, err
	}
	spec.Maps[legsMap].MaxEntries = DefaultLegs
	if i.Legs != 0 {
		spec.Maps[legsMap].MaxEntries = i.Legs
	}
	return spec, errors.Join(spec.Variables["packet_rules"].Set(i.PacketRules), spec.Variables["count_all"].Set(i.CountAll))
}
