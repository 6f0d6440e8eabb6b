package live

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// linkKey is one side of an interface.
type linkKey struct {
	index int // of the interface
	side  int // of sides
}

const linkFormat = namePrefix + "veth_%d_%s"

func (k linkKey) pin() string { return fmt.Sprintf(linkFormat, k.index, sides[k.side].pin) }

// keyOfPin reads the name of a pin; false is another object's.
func keyOfPin(name string) (linkKey, bool) {
	var k linkKey
	var side string
	if _, err := fmt.Sscanf(name, linkFormat, &k.index, &side); err != nil {
		return k, false
	}
	for s := range sides {
		if k.side = s; sides[s].pin == side && k.pin() == name {
			return k, true
		}
	}
	return k, false
}

// attachment is how a program is at an interface: a link that is pinned, or a [filter].
type attachment interface {
	// Update puts another program in its place at once.
	Update(*ebpf.Program) error
	// Unpin takes the program off the interface.
	Unpin() error
	Close() error
}

var _, _ attachment = link.Link(nil), filter{}

// interfaceLink is a program at an interface.
type interfaceLink struct {
	attachment
	program ebpf.ProgramID
	gone    bool // the interface is gone, or the link was taken off it
}

type interfaceLinks map[linkKey]*interfaceLink

// links opens all links that are pinned, and finds all filters where the kernel has no links.
func (i *Interfaces) links() (interfaceLinks, error) {
	all, err := openInterfaceLinks(i.Dir)
	if err != nil || !i.usesFilters() {
		return all, err
	}
	if err := all.addFilters(); err != nil {
		return nil, errors.Join(err, all.close())
	}
	return all, nil
}

// openInterfaceLinks opens all links that are pinned.
func openInterfaceLinks(dir string) (interfaceLinks, error) {
	all := make(interfaceLinks)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	} else if err != nil {
		return nil, err
	}
	for _, e := range entries {
		k, ours := keyOfPin(e.Name())
		if !ours {
			continue
		}
		l, err := openInterfaceLink(filepath.Join(dir, e.Name()), k)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, errors.Join(fmt.Errorf("the link %s: %w", e.Name(), explain(err)), all.close())
		}
		all[k] = l
	}
	return all, nil
}

func openInterfaceLink(path string, k linkKey) (*interfaceLink, error) {
	l, err := pinnedLink(path)
	if err != nil {
		return nil, err
	}
	info, err := l.Info()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	at := info.TCX()
	if at == nil || ebpf.AttachType(at.AttachType) != sides[k.side].attach {
		return nil, errors.Join(fmt.Errorf("%w: it is no link of %s", ErrForeign, sides[k.side].program), l.Close())
	}
	return &interfaceLink{attachment: l, program: info.Program, gone: int(at.Ifindex) != k.index}, nil
}

// keys returns the keys in the order of interfaces.
func (l interfaceLinks) keys() []linkKey {
	return slices.SortedFunc(maps.Keys(l), func(a, b linkKey) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.side, b.side))
	})
}

// removeGone removes the pins of interfaces that are gone, and says so.
func (l interfaceLinks) removeGone() (steps []string, err error) {
	var errs []error
	for _, k := range l.keys() {
		if !l[k].gone {
			continue
		}
		if err := errors.Join(l[k].Unpin(), l[k].Close()); err != nil {
			errs = append(errs, fmt.Errorf("removing the link %s: %w", k.pin(), err))
		}
		delete(l, k)
		steps = append(steps, fmt.Sprintf("remove program %s of interface %d, which is gone", sides[k.side].program, k.index))
	}
	return steps, errors.Join(errs...)
}

func (l interfaceLinks) close() error {
	var errs []error
	for _, x := range l {
		errs = append(errs, x.Close())
	}
	return errors.Join(errs...)
}

// AtInterface is a program that is attached to an interface.
type AtInterface struct {
	Program   string
	ID        ebpf.ProgramID
	Interface string // its name
	Index     uint32 // its number
}

// Attached returns the programs that are attached, in the order of interfaces.
func (i *Interfaces) Attached() (out []AtInterface, err error) {
	links, err := i.links()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, links.close()) }()
	if len(links) == 0 {
		return nil, nil
	}
	devices, err := listDevices()
	if err != nil {
		return nil, fmt.Errorf("listing interfaces: %w", err)
	}
	for _, k := range links.keys() {
		at := slices.IndexFunc(devices, func(d device) bool { return d.index == k.index })
		if l := links[k]; !l.gone && at >= 0 {
			out = append(out, AtInterface{Program: sides[k.side].program, ID: l.program, Interface: devices[at].name, Index: uint32(k.index)})
		}
	}
	return out, nil
}
