package live

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/base/nlattr"
	"github.com/planec/planec/internal/text/nft"
)

// conn is a netlink socket in the network namespace of the thread that made it.
type conn struct {
	fd  int
	seq uint32
	buf []byte
	// interrupted reports that the ruleset changed during a dump.
	interrupted bool
}

// receiveSize exceeds every message of the kernel (NLMSG_GOODSIZE, or 32 KiB for
// dumps).
const receiveSize = 1 << 16

func dial() (*conn, error) {
	return dialWith(func(fd int) error { return unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) })
}

// dialOwn opens a socket for transactions that this process recognises as its own.
func dialOwn() (*conn, error) { return dialWith(bindOwn) }

func dialWith(bind func(fd int) error) (*conn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil, fmt.Errorf("the kernel has no nf_tables (CONFIG_NETFILTER_NETLINK, CONFIG_NF_TABLES): %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	c := &conn{fd: fd, buf: make([]byte, receiveSize)}
	if err := bind(fd); err != nil {
		c.close()
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	// Ask for errors without the original message but with the kernel's text.
	// Old kernels support neither.
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1)
	return c, nil
}

func (c *conn) close() { _ = unix.Close(c.fd) }

// send sends one buffer of any size, because a transaction cannot be split.
func (c *conn) send(b []byte) error {
	const room = 1 << 16
	if n := len(b) + room; n > 1<<17 {
		if unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, n) != nil {
			_ = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, n)
		}
	}
	for {
		err := unix.Sendto(c.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func (c *conn) receive(flags int) ([]byte, error) {
	for {
		n, _, err := unix.Recvfrom(c.fd, c.buf, flags|unix.MSG_TRUNC)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, err
		case n > len(c.buf):
			return nil, fmt.Errorf("a netlink message of %d bytes", n)
		}
		return c.buf[:n], nil
	}
}

// problem returns the content of an NLMSG_ERROR; nil means success.
func (r reply) problem() (said string, err error) {
	if len(r.body) < 4 {
		return "", unix.EBADMSG
	}
	errno := -int32(binary.NativeEndian.Uint32(r.body))
	if errno == 0 {
		return "", nil
	}
	if r.flags&flagAckTLVs != 0 && r.flags&flagCapped != 0 && len(r.body) > 4+headerLen {
		said = nlattr.String(nlattr.Get(r.body[4+headerLen:], nlmsgerrMsg))
	}
	return said, unix.Errno(errno)
}

// errInterrupted says that planec's tables may have changed during the reading.
var errInterrupted = errors.New("the ruleset changed while it was read")

// dump requests all objects of a kind and calls yield with the attributes of each.
// A get of one object is a dump without the flag.
func (c *conn) dump(kind, flags uint16, f nft.Family, ask func(*writer), yield func([]byte) error) error {
	var w writer
	at := w.nft(kind, flags, f)
	if ask != nil {
		ask(&w)
	}
	w.end(at)
	c.seq++
	binary.NativeEndian.PutUint32(w.b[at+8:], c.seq)
	if err := c.send(w.b); err != nil {
		return err
	}
	for done := false; !done; {
		b, err := c.receive(0)
		if err != nil {
			return err
		}
		err = replies(b, func(r reply) error {
			if r.sequence != c.seq {
				return nil
			}
			c.interrupted = c.interrupted || r.flags&dumpIntr != 0
			switch r.kind {
			case nlmsgDone:
				done = true
				return nil
			case nlmsgError:
				done = true
				_, err := r.problem()
				return err
			}
			done = flags&flagDump == 0
			if len(r.body) < 4 {
				return unix.EBADMSG
			}
			return yield(r.body[4:])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// generation returns the number of the ruleset.
func (c *conn) generation() (g uint32, err error) {
	err = c.dump(msgGetGen, 0, 0, nil, func(body []byte) error {
		g = nlattr.Uint32(nlattr.Get(body, genID))
		return nil
	})
	if errors.Is(err, unix.EINVAL) {
		err = fmt.Errorf("%w (the kernel has no nf_tables: CONFIG_NF_TABLES)", err)
	}
	return g, err
}

// Generation returns the number of the ruleset in the network namespace of the calling
// thread: each transaction adds 1 to it, in 32 bits and without 0.
func Generation() (uint32, error) {
	c, err := dial()
	if err != nil {
		return 0, fmt.Errorf("the generation of nftables: %w", err)
	}
	defer c.close()
	g, err := c.generation()
	if err == nil && g == 0 {
		err = errors.New("nftables does not say its generation")
	}
	return g, err
}

// settle waits for the end of a commit of another process. The kernel raises the
// generation before all changes are visible (ranges of concatenations come last,
// in nf_tables_commit), and readers do not wait for them. A batch without messages
// does wait, and changes nothing.
func (c *conn) settle() error {
	var w writer
	w.end(w.message(msgBatchBegin, 0, 0, subsysNFTables))
	w.end(w.message(msgBatchEnd, 0, 0, subsysNFTables))
	if err := c.send(w.b); err != nil {
		return err
	}
	lost, err := c.drain(func(r reply) error {
		if r.kind != nlmsgError {
			return nil
		}
		_, err := r.problem()
		return err
	})
	if err == nil && lost {
		err = unix.ENOBUFS
	}
	return err
}

// drain reads the messages that have arrived, and reports whether some were lost
// because the buffer was full.
func (c *conn) drain(yield func(reply) error) (lost bool, err error) {
	for {
		b, err := c.receive(unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return lost, nil
		case errors.Is(err, unix.ENOBUFS):
			lost = true
			continue
		case err == nil:
			err = replies(b, yield)
		}
		if err != nil {
			return lost, err
		}
	}
}
