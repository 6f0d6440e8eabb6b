// Package nftwatch listens to the kernel's notifications of nftables
// transactions in a namespace: how many there were, and when one with a given
// address was committed.
package nftwatch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/e2e/internal/process"
)

// Mark is the range of the addresses to look for: a /16 without other uses.
var Mark = netip.MustParsePrefix("100.77.0.0/16")

// Marked returns the n-th address of [Mark].
func Marked(n int) netip.Addr {
	a := Mark.Addr().As4()
	binary.BigEndian.PutUint16(a[2:], uint16(n))
	return netip.AddrFrom4(a)
}

// Watch is a listener. It is safe for concurrent use.
type Watch struct {
	fd   int
	done chan struct{}

	mu          sync.Mutex
	generations int
	messages    int
	seen        map[netip.Addr]time.Time
	open        []netip.Addr // of the current transaction
	err         error
}

// The buffer has room for the notifications of the largest transactions.
const receiveBuffer = 64 << 20

// Start listens until the test ends.
func Start(t testing.TB, in *process.Namespace) *Watch {
	t.Helper()
	w := &Watch{done: make(chan struct{}), seen: make(map[netip.Addr]time.Time)}
	if err := in.Do(w.listen); err != nil {
		t.Fatalf("listening to nftables: %v", err)
	}
	go w.run()
	t.Cleanup(func() { close(w.done) })
	return w
}

func (w *Watch) listen() (err error) {
	w.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	return errors.Join(
		unix.SetsockoptInt(w.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer),
		unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 200_000}),
		unix.Bind(w.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
		unix.SetsockoptInt(w.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, unix.NFNLGRP_NFTABLES),
	)
}

func (w *Watch) run() {
	defer unix.Close(w.fd)
	b := make([]byte, 1<<20)
	for {
		select {
		case <-w.done:
			return
		default:
		}
		n, _, err := unix.Recvfrom(w.fd, b, 0)
		now := time.Now()
		w.mu.Lock()
		switch {
		case err == nil:
			w.take(b[:n], now)
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR):
			w.err = fmt.Errorf("listening to nftables: %w", err)
		}
		w.mu.Unlock()
	}
}

// take reads a datagram with one or several messages.
func (w *Watch) take(b []byte, now time.Time) {
	for len(b) >= unix.SizeofNlMsghdr {
		length, kind := int(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint16(b[4:])
		if length < unix.SizeofNlMsghdr || length > len(b) {
			return
		}
		if kind&0xff == unix.NFT_MSG_NEWGEN {
			w.generations++
			for _, a := range w.open {
				if _, before := w.seen[a]; !before {
					w.seen[a] = now
				}
			}
			w.open = w.open[:0]
		} else {
			w.messages++
			w.scan(b[unix.SizeofNlMsghdr:length])
		}
		b = b[min((length+3)&^3, len(b)):]
	}
}

// scan looks for marked addresses anywhere in a message: as keys, data or parts
// of them.
func (w *Watch) scan(b []byte) {
	mark := Mark.Addr().As4()
	for i := 0; i+4 <= len(b); i += 4 {
		if b[i] == mark[0] && b[i+1] == mark[1] {
			w.open = append(w.open, netip.AddrFrom4([4]byte(b[i:i+4])))
		}
	}
}

// Seen returns when the first transaction with an address was committed.
func (w *Watch) Seen(a netip.Addr) (at time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, ok = w.seen[a]
	return at, ok
}

// Count returns the number of transactions and of their objects. An error means
// that listening failed, so some may be missing.
func (w *Watch) Count() (transactions, objects int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.generations, w.messages, w.err
}
