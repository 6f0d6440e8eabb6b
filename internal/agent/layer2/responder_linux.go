package layer2

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// responder answers on one interface.
type responder struct {
	link net.Interface
	// holds reports whether this node may answer for an address now.
	holds func(netip.Addr) bool
	// answered counts answers.
	answered func(link string)
	sockets  []*os.File
	groups   int // a socket that has joined the multicast groups
	joined   map[netip.Addr]bool
	own      map[netip.Addr]bool // the addresses that are announced on the interface
	running  sync.WaitGroup
	mu       sync.Mutex // guards own
}

// mostAnswers is how many requests of an interface are answered in a second: more are a flood.
const mostAnswers = 2000

// newResponder opens the sockets of an interface of the calling thread's network namespace.
func newResponder(link net.Interface, holds func(netip.Addr) bool, answered func(string)) (_ *responder, err error) {
	r := &responder{link: link, holds: holds, answered: answered, groups: -1, joined: make(map[netip.Addr]bool)}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.groups, err = unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("interface %s: %w", link.Name, err)
	}
	for _, f := range []struct {
		kind   uint16
		filter []unix.SockFilter
	}{{typeARP, arpRequests()}, {typeIPv6, solicitations()}} {
		s, err := packetSocket(link.Index, f.kind, f.filter)
		if err != nil {
			return nil, fmt.Errorf("interface %s: %w", link.Name, err)
		}
		r.sockets = append(r.sockets, s)
		r.running.Go(func() { r.serve(s) })
	}
	return r, nil
}

// packetSocket returns a socket for the frames of a type that pass a filter. It gets nothing
// before the filter is there.
func packetSocket(index int, kind uint16, filter []unix.SockFilter) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("filter: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: kind<<8 | kind>>8, Ifindex: index}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("bind: %w", err)
	}
	return os.NewFile(uintptr(fd), "packet"), nil
}

// Instructions of the filters (classic BPF).
const (
	loadByte = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
	loadHalf = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
	equal    = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	give     = unix.BPF_RET | unix.BPF_K
	all      = 0xffff
)

func arpRequests() []unix.SockFilter {
	return []unix.SockFilter{
		{Code: loadHalf, K: ethernetLength + 6},
		{Code: equal, K: arpRequest, Jf: 1},
		{Code: give, K: all},
		{Code: give},
	}
}

func solicitations() []unix.SockFilter {
	return []unix.SockFilter{
		{Code: loadByte, K: ethernetLength + 6},
		{Code: equal, K: protocolICMPv6, Jf: 3},
		{Code: loadByte, K: ethernetLength + ipv6Length},
		{Code: equal, K: solicit, Jf: 1},
		{Code: give, K: all},
		{Code: give},
	}
}

// serve answers until the socket is closed.
func (r *responder) serve(s *os.File) {
	conn, err := s.SyscallConn()
	if err != nil {
		return
	}
	buffer := make([]byte, 1<<11)
	var second time.Time
	answers := 0
	for {
		var n int
		var from unix.Sockaddr
		var failed error
		err := conn.Read(func(fd uintptr) bool {
			n, from, failed = unix.Recvfrom(int(fd), buffer, 0)
			return !errors.Is(failed, unix.EAGAIN)
		})
		if err != nil {
			return
		}
		// Frames for others, those with the tag of a VLAN that has no interface, and the own
		// ones are none of this node's.
		link, is := from.(*unix.SockaddrLinklayer)
		if failed != nil || !is || link.Pkttype == unix.PACKET_OTHERHOST || link.Pkttype == unix.PACKET_OUTGOING {
			if failed != nil && !r.again() {
				return
			}
			continue
		}
		q, ok := parse(buffer[:n])
		if !ok || !r.answers(q.target) || !r.holds(q.target) {
			continue
		}
		if now := time.Now(); now.Sub(second) >= time.Second {
			second, answers = now, 0
		}
		if answers++; answers > mostAnswers {
			continue
		}
		if r.send(s, q.answer(r.mac())) == nil {
			r.answered(r.link.Name)
		}
	}
}

// again waits after an error of a socket, as while an interface is down, and reports whether
// the interface is there.
func (r *responder) again() bool {
	time.Sleep(100 * time.Millisecond)
	_, err := net.InterfaceByIndex(r.link.Index)
	return err == nil
}

func (r *responder) mac() (m MAC) {
	copy(m[:], r.link.HardwareAddr)
	return m
}

func (r *responder) send(s *os.File, frame []byte) error {
	_, err := s.Write(frame)
	return err
}

// announce tells the neighbours that this node answers for an address.
func (r *responder) announce(a netip.Addr) error {
	var errs []error
	for _, frame := range announcements(r.mac(), a) {
		errs = append(errs, r.send(r.sockets[0], frame))
	}
	return errors.Join(errs...)
}

// answers reports whether an address is announced on the interface.
func (r *responder) answers(a netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.own[a]
}

// listen makes the interface answer for addresses and no others: it joins and leaves
// their multicast groups too.
func (r *responder) listen(addresses []netip.Addr) error {
	own := make(map[netip.Addr]bool, len(addresses))
	for _, a := range addresses {
		own[a] = true
	}
	r.mu.Lock()
	r.own = own
	r.mu.Unlock()
	wanted := make(map[netip.Addr]bool)
	for _, a := range addresses {
		if a.Is6() {
			wanted[solicitedNode(a)] = true
		}
	}
	var errs []error
	for g := range r.joined {
		if !wanted[g] {
			errs = append(errs, r.membership(unix.IPV6_LEAVE_GROUP, g))
			delete(r.joined, g)
		}
	}
	for g := range wanted {
		if !r.joined[g] {
			if err := r.membership(unix.IPV6_JOIN_GROUP, g); err != nil {
				errs = append(errs, err)
				continue
			}
			r.joined[g] = true
		}
	}
	return errors.Join(errs...)
}

func (r *responder) membership(option int, group netip.Addr) error {
	err := unix.SetsockoptIPv6Mreq(r.groups, unix.IPPROTO_IPV6, option, &unix.IPv6Mreq{Multiaddr: group.As16(), Interface: uint32(r.link.Index)})
	if err != nil {
		return fmt.Errorf("interface %s: group %v: %w", r.link.Name, group, err)
	}
	return nil
}

// close stops answering.
func (r *responder) close() {
	for _, s := range r.sockets {
		s.Close() // nothing is buffered
	}
	r.running.Wait()
	if r.groups >= 0 {
		unix.Close(r.groups)
	}
}
