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

// Errors for the usual causes of a failure.
var (
	ErrPrivileges = errors.New("CAP_NET_ADMIN is needed")
	ErrKernel     = errors.New("the kernel has no netlink interface to connection tracking (CONFIG_NF_CT_NETLINK)")
)

// Table is the connection tracking table of one network namespace. It is not safe
// for concurrent use.
type Table struct {
	conntrack *nl.SocketHandle
	route     *netlink.Handle
}

// Open opens the table of the calling thread's network namespace.
func Open() (*Table, error) {
	socket, err := nl.Subscribe(unix.NETLINK_NETFILTER) // subscribes to no group: a plain socket
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

// Delete removes the flows that a filter matches and returns their number. It
// reads the table once for each family and protocol in the filters, regardless of
// the number of filters.
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

// DeleteFunc removes the flows of all protocols for which matches returns true,
// and returns their number.
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
		case !errors.Is(failed, unix.ENOENT): // the flow timed out in the meantime
			return n, errors.Join(err, fmt.Errorf("removing a tracked connection: %w", explain(failed)))
		}
	}
	return n, err
}

// each reads the flows of a family and a protocol; protocol 0 means all. While the
// table grows, a flow can appear twice or not at all. A dump that reports this is
// repeated, and do is called again.
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

// dumpTries is the maximum number of attempts to list a changing table.
const dumpTries = 10

func (t *Table) request(f ir.Family, operation, flags int) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(netlink.ConntrackTable<<8|operation, flags)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_NETFILTER: t.conntrack}
	req.AddData(header(f))
	return req
}

// ownAddresses returns the node's addresses according to its kernel.
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
