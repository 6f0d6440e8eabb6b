package live

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Below Linux 6.6 there is no tcx. There, programs are filters of the packet scheduler (cls_bpf
// with direct action, at the qdisc clsact): they see the same packets, and what they return means
// the same. A filter has no pin. It is known by its name, and goes with its interface.

// Where planec's filters are: before all others, whose priorities are rarely lower, and with a
// handle that no other program uses.
const (
	filterPriority = 1
	filterHandle   = 0x706c63 // plc
)

// loopback is the number of the loopback interface, which each network namespace has.
const loopback = 1

// usesFilters reports whether the kernel has no tcx.
func (i *Interfaces) usesFilters() bool {
	if i.ByFilters {
		return true
	}
	_, err := link.QueryPrograms(link.QueryOptions{Target: loopback, Attach: ebpf.AttachTCXIngress})
	return errors.Is(err, ebpf.ErrNotSupported) || errors.Is(err, unix.EINVAL)
}

// parents are where the filters of each side hang.
var parents = [len(sides)]uint32{netlink.HANDLE_MIN_EGRESS, netlink.HANDLE_MIN_INGRESS}

// filter is a program at one side of an interface.
type filter struct{ linkKey }

// definition is what the kernel is told.
func (f filter) definition(p *ebpf.Program) *netlink.BpfFilter {
	out := &netlink.BpfFilter{
		FilterAttrs:  netlink.FilterAttrs{LinkIndex: f.index, Parent: parents[f.side], Handle: filterHandle, Protocol: unix.ETH_P_ALL, Priority: filterPriority},
		Name:         programPin(sides[f.side].program),
		DirectAction: true,
	}
	if p != nil {
		out.Fd = p.FD()
	}
	return out
}

// attach adds the filter, and the qdisc where there is none. It puts a filter of the same handle
// away.
func (f filter) attach(p *ebpf.Program) error {
	qdisc := &netlink.GenericQdisc{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: f.index, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT}, QdiscType: "clsact"}
	err := netlink.QdiscAdd(qdisc)
	if errors.Is(err, unix.EEXIST) {
		err = f.hasClsact()
	}
	if err != nil {
		return fmt.Errorf("the qdisc clsact: %w", err)
	}
	return f.Update(p)
}

// errIngress says that an interface has the qdisc ingress, such as of the CNI plugin bandwidth. It
// excludes clsact, and what is put at its side egress comes to its side ingress (ingress_tcf_block
// in net/sched/sch_ingress.c of Linux): there, one program would take the other's place.
var errIngress = errors.New("another program's qdisc ingress is in its place, which has no side for what a pod is sent")

// hasClsact returns an error if the interface has another qdisc than clsact in its place.
func (f filter) hasClsact() error {
	list, err := netlink.QdiscList(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: f.index}})
	if err != nil {
		return err
	}
	for _, q := range list {
		if q.Attrs().Parent == netlink.HANDLE_INGRESS && q.Type() != "clsact" { // clsact has the same parent
			return errIngress
		}
	}
	return nil
}

// Update puts a program in the place of the one that is there. No packet passes between.
func (f filter) Update(p *ebpf.Program) error { return netlink.FilterReplace(f.definition(p)) }

// Unpin removes the filter. The qdisc stays: others may use it, and without filters it does
// nothing.
func (f filter) Unpin() error {
	err := netlink.FilterDel(f.definition(nil))
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EINVAL) && !exists(f.index) {
		return nil
	}
	return err
}

// Close has nothing to close.
func (filter) Close() error { return nil }

// addFilters adds the filters of planec at all interfaces.
func (l interfaceLinks) addFilters() error {
	devices, err := listDevices()
	if err != nil {
		return fmt.Errorf("listing interfaces: %w", err)
	}
	for _, d := range devices {
		at := &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: d.index}}
		for side, parent := range parents {
			list, err := netlink.FilterList(at, parent)
			if err != nil && exists(d.index) {
				return fmt.Errorf("listing the filters of %s: %w", d.name, err)
			}
			for _, x := range list {
				k := linkKey{d.index, side}
				if b, is := x.(*netlink.BpfFilter); is && b.Handle == filterHandle && b.Priority == filterPriority && b.Name == programPin(sides[side].program) {
					l[k] = &interfaceLink{attachment: filter{k}, program: ebpf.ProgramID(b.Id)}
				}
			}
		}
	}
	return nil
}
