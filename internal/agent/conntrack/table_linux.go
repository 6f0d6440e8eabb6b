package conntrack

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/ir"
)

// Errors that say what is in the way.
var (
	ErrPrivileges = errors.New("CAP_NET_ADMIN is needed")
	ErrKernel     = errors.New("the kernel has no netlink interface to connection tracking (CONFIG_NF_CT_NETLINK)")
)

// Table is the connection tracking of one network namespace. It is for one
// goroutine.
type Table struct {
	conntrack *nl.SocketHandle
	route     *netlink.Handle
}

// Open opens the table of the calling thread's network namespace.
func Open() (*Table, error) {
	socket, err := nl.Subscribe(unix.NETLINK_NETFILTER) // to nothing: a plain socket
	if err != nil {
		return nil, fmt.Errorf("opening connection tracking: %w", explain(err))
	}
	route, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		socket.Close()
		return nil, fmt.Errorf("opening connection tracking: %w", err)
	}
	return &Table{conntrack: &nl.SocketHandle{Socket: socket}, route: route}, nil
}

// Close closes the sockets.
func (t *Table) Close() {
	t.conntrack.Close()
	t.route.Close()
}

// Delete removes the flows that a filter matches and returns how many there
// were. The table is read once for each family and protocol that the filters
// have, however many they are.
func (t *Table) Delete(filters Filters) (int, error) {
	x := newIndex(filters)
	n := 0
	var errs []error
	for _, f := range ir.Families() {
		for _, p := range []ir.Protocol{ir.UDP, ir.SCTP} {
			if !x.about(f, p) {
				continue
			}
			removed, err := t.delete(f, p, x.stale)
			n += removed
			errs = append(errs, err)
		}
	}
	return n, errors.Join(errs...)
}

// DeleteFunc removes the flows, of any protocol, of which the function is true,
// and returns how many there were.
func (t *Table) DeleteFunc(matches func(*Flow) bool) (int, error) {
	n := 0
	var errs []error
	for _, f := range ir.Families() {
		removed, err := t.delete(f, 0, matches)
		n += removed
		errs = append(errs, err)
	}
	return n, errors.Join(errs...)
}

func (t *Table) delete(f ir.Family, p ir.Protocol, matches func(*Flow) bool) (int, error) {
	var handles [][]byte
	n := 0
	err := t.each(f, p, func(flow *Flow, message []byte) {
		if matches(flow) {
			handles = append(handles, handle(message))
		}
	})
	if err != nil {
		err = fmt.Errorf("reading the tracked connections: %w", err)
	}
	for _, h := range handles {
		req := t.request(f, nl.IPCTNL_MSG_CT_DELETE, unix.NLM_F_ACK)
		req.AddRawData(h)
		_, failed := req.Execute(unix.NETLINK_NETFILTER, 0)
		switch {
		case failed == nil:
			n++
		case !errors.Is(failed, unix.ENOENT): // it timed out by itself
			return n, errors.Join(err, fmt.Errorf("removing a tracked connection: %w", explain(failed)))
		}
	}
	return n, err
}

// each reads the flows of a family and a protocol, or of all with protocol 0.
// One that is moved while the table grows can come twice or not at all, so a dump
// that says so is repeated, and what it had comes again.
func (t *Table) each(f ir.Family, p ir.Protocol, do func(*Flow, []byte)) error {
	own, err := t.ownAddresses()
	if err != nil {
		return err
	}
	for range dumpTries {
		req := t.request(f, nl.IPCTNL_MSG_CT_GET, unix.NLM_F_DUMP)
		if p != 0 {
			for _, a := range onlyProtocol(p) {
				req.AddData(a)
			}
		}
		err = req.ExecuteIter(unix.NETLINK_NETFILTER, 0, func(message []byte) bool {
			flow, ok := decode(message)
			if ok && (p == 0 || flow.Protocol == p) {
				flow.SrcOwn, flow.DstOwn = own[flow.Src.Addr()], own[flow.Dst.Addr()]
				do(&flow, message)
			}
			return true
		})
		if !errors.Is(err, nl.ErrDumpInterrupted) {
			break
		}
	}
	return explain(err)
}

// dumpTries bounds how often a list is read again because it changed meanwhile.
const dumpTries = 10

func (t *Table) request(f ir.Family, operation, flags int) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(netlink.ConntrackTable<<8|operation, flags)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_NETFILTER: t.conntrack}
	req.AddData(header(f))
	return req
}

// ownAddresses are the node's, as its kernel has them.
func (t *Table) ownAddresses() (map[netip.Addr]bool, error) {
	var list []netlink.Addr
	var err error
	for range dumpTries {
		if list, err = t.route.AddrList(nil, netlink.FAMILY_ALL); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listing the node's addresses: %w", err)
	}
	own := make(map[netip.Addr]bool, len(list))
	for _, a := range list {
		if addr, ok := netip.AddrFromSlice(a.IP); ok {
			own[addr.Unmap()] = true
		}
	}
	return own, nil
}

func explain(err error) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: %w", ErrPrivileges, err)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EPROTONOSUPPORT):
		return fmt.Errorf("%w: %w", ErrKernel, err)
	}
	return err
}
