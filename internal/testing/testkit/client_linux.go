package testkit

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/planec/planec/ir"
	"golang.org/x/sys/unix"
)

// try makes the flow's connection from the namespace and waits for its outcome.
func (n *namespace) try(f Flow, deadline time.Time) Outcome {
	if f.Protocol == ir.SCTP {
		return n.trySCTP(f, deadline)
	}
	var file *os.File
	err := n.do(func() (err error) {
		file, err = dial(f)
		return err
	})
	if err != nil {
		return failure(err)
	}
	defer file.Close()
	if err := file.SetDeadline(deadline); err != nil {
		return failure(err)
	}
	if f.Protocol != ir.UDP {
		if err := awaitConnection(file); err != nil {
			return failure(err)
		}
	}
	line, err := readAnswer(file, f.Protocol)
	if err != nil {
		return failure(err)
	}
	o, err := parseGreeting(line)
	if err == nil && f.Protocol == ir.TCP {
		o.Resent, err = resent(file)
	}
	if err != nil {
		return failure(err)
	}
	return o
}

// resent returns the number of segments that a socket has retransmitted, including its SYN.
func resent(file *os.File) (uint32, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return 0, err
	}
	var info *unix.TCPInfo
	var sockErr error
	err = raw.Control(func(fd uintptr) {
		info, sockErr = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	if err = errors.Join(err, os.NewSyscallError("getsockopt", sockErr)); err != nil {
		return 0, err
	}
	return info.Total_retrans, nil
}

// dial starts a connection in the calling thread's namespace without waiting for
// it. A datagram has been sent when dial returns.
func dial(f Flow) (*os.File, error) {
	family := unix.AF_INET6
	if f.Dst.Is4() {
		family = unix.AF_INET
	}
	fd, err := openSocket(family, f.Protocol)
	if err != nil {
		return nil, err
	}
	err = connect(fd, f)
	if err == nil && f.Protocol == ir.UDP {
		err = sendFirst(fd, []byte("planec?\n"))
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.String()), nil
}

func connect(fd int, f Flow) error {
	if f.Protocol == ir.TCP && f.SourcePort == 0 {
		// Select the port when the destination is known, so that one address can
		// have more connections than there are ports.
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if f.SourcePort != 0 && f.Protocol != ir.SCTP {
		if err := sharePort(fd); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.Bind(fd, sockaddr(netip.AddrPortFrom(f.Src, f.SourcePort))); err != nil {
		return fmt.Errorf("bind %v: %w", f.Src, err)
	}
	err := unix.Connect(fd, sockaddr(f.Destination()))
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return os.NewSyscallError("connect", err)
	}
	return nil
}

// sendFirst sends a datagram. If a rule drops a packet of the node itself, the sender
// gets EPERM. It also gets EPERM if a rule rejects, and the ICMP answer shows only
// when the socket is read. So sendFirst ignores EPERM, and the read decides.
func sendFirst(fd int, datagram []byte) error {
	_, err := unix.Write(fd, datagram)
	if err != nil && !errors.Is(err, unix.EPERM) {
		return os.NewSyscallError("write", err)
	}
	return nil
}

// awaitConnection waits until a stream socket is connected or has an error.
func awaitConnection(file *os.File) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = raw.Write(func(fd uintptr) bool {
		code, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = syscall.Errno(code)
		}
		if err != nil {
			result = err
			return true
		}
		_, err = unix.Getpeername(int(fd))
		return err == nil // otherwise the wake-up preceded the connection
	})
	return errors.Join(err, result)
}

// readAnswer reads one datagram, or a stream to its end.
func readAnswer(file *os.File, p ir.Protocol) (string, error) {
	if p != ir.UDP {
		b, err := io.ReadAll(io.LimitReader(file, 512))
		return string(b), err
	}
	buf := make([]byte, 512)
	count, err := file.Read(buf)
	return string(buf[:count]), err
}

// failure returns the outcome for an error of the client's socket.
func failure(err error) Outcome {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, unix.ETIMEDOUT):
		return Outcome{Fate: TimedOut}
	case errors.Is(err, unix.ECONNREFUSED):
		return Outcome{Fate: Refused}
	}
	return Outcome{Fate: Failed, Err: err}
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}
