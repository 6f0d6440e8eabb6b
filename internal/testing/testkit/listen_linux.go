package testkit

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/planec/planec/ir"
	"golang.org/x/sys/unix"
)

// listen opens the ports on the node and in the world, for both families and every
// address. SCTP is answered on all ports anyway.
func (r *Rig) listen(ports []Port) error {
	for _, p := range ports {
		if r.listeners[p] || p.Protocol == ir.SCTP {
			continue
		}
		r.listeners[p] = true
		for _, ns := range r.sides() {
			if err := r.listenIn(ns, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Rig) listenIn(ns *namespace, p Port) error {
	if !p.Protocol.HasPorts() {
		return r.listenRawIn(ns, p.Protocol)
	}
	stop, err := ns.listen(p)
	if err != nil {
		return fmt.Errorf("listen on %v %d/%v: %w", ns.side, p.Number, p.Protocol, err)
	}
	r.closers = append(r.closers, stop)
	return nil
}

// serve makes a namespace that is added later listen and join what others have. Before
// [Rig.build] has opened anything, that is nothing.
func (r *Rig) serve(ns *namespace) error {
	if !r.listening {
		return nil
	}
	for p := range r.listeners {
		if err := r.listenIn(ns, p); err != nil {
			return err
		}
	}
	if r.members != nil {
		if err := r.addMember(ns); err != nil {
			return err
		}
	}
	return r.listenSCTP(ns)
}

func (r *Rig) listenSCTP(namespaces ...*namespace) error {
	for _, ns := range namespaces {
		for _, f := range ir.Families() {
			stop, err := ns.listenSCTP(f)
			if err != nil {
				return err
			}
			r.closers = append(r.closers, stop)
		}
	}
	return nil
}

func (n *namespace) listen(p Port) (stop func() error, err error) {
	var file *os.File
	err = n.do(func() (err error) {
		file, err = openListener(p)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer file.Close() // the net package uses a duplicate
	if p.Protocol == ir.UDP {
		c, err := net.FilePacketConn(file)
		if err != nil {
			return nil, err
		}
		go echoDatagrams(n.side, p.Number, c.(*net.UDPConn))
		return c.Close, nil
	}
	l, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	go greetConnections(n.side, l)
	return l.Close, nil
}

// openListener opens a dual-stack socket in the calling thread's namespace.
func openListener(p Port) (*os.File, error) {
	fd, err := openSocket(unix.AF_INET6, p.Protocol)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1),
		sharePort(fd),
	)
	if err == nil && p.Protocol != ir.UDP { // for UDP it would share the port
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil {
		err = os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrInet6{Port: int(p.Number)}))
	}
	if err == nil && p.Protocol != ir.UDP {
		err = os.NewSyscallError("listen", unix.Listen(fd, 4096))
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), fmt.Sprintf("%v:%d", p.Protocol, p.Number)), nil
}

// sharePort lets clients use the port of a listener as their source port, which also
// have to ask for it.
func sharePort(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }

// openSocket opens a non-blocking socket.
func openSocket(family int, p ir.Protocol) (int, error) {
	kind := unix.SOCK_STREAM
	switch p {
	case ir.UDP:
		kind = unix.SOCK_DGRAM
	case ir.TCP:
	default:
		kind = unix.SOCK_RAW
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(p))
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	return fd, nil
}

// greetConnections answers until the listener is closed. Connections are answered
// one after the other, because writing one line cannot block.
func greetConnections(side Side, l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // the client closed the connection before it was accepted
		}
		local, remote := addrPort(c.LocalAddr()), addrPort(c.RemoteAddr())
		_, _ = c.Write(greeting(side, local, remote))
		c.Close()
	}
}

// addrPort returns the address of a TCP socket.
func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	return tcp.AddrPort()
}
