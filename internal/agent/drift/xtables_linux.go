package drift

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// XTables tells when the size of iptables' legacy tables is not what it was after
// our last change; Settled says when that was. A change of the same size is not
// seen, and tables of the nft variant have no size to ask for.
type XTables struct {
	mu sync.Mutex
	// sockets are there while Run watches.
	sockets *sizes
	// known is what was right; nil is nothing to compare with.
	known []size
	log   *slog.Logger
}

// NewXTables makes a watch; nothing is looked at before Run.
func NewXTables() *XTables { return &XTables{} }

// Settled says that what the tables have now is right. It looks before it returns,
// so that what another program changes next is seen.
func (w *XTables) Settled() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sockets != nil {
		w.known = w.sockets.read(w.log)
	}
}

// Run watches until ctx ends, in the network namespace of the calling thread.
func (w *XTables) Run(ctx context.Context, log *slog.Logger) (<-chan struct{}, error) {
	sockets, err := newSizes()
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.sockets, w.log = sockets, log
	w.mu.Unlock()
	notices := make(chan struct{}, 1)
	go func() {
		defer w.stop()
		poll(ctx, notices, w.differs)
	}()
	return notices, nil
}

// differs looks at the tables. A difference is told once, until our next change is
// in.
func (w *XTables) differs() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known == nil || slices.Equal(w.sockets.read(w.log), w.known) {
		return false
	}
	w.known = nil
	return true
}

func (w *XTables) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sockets.close()
	w.sockets, w.known = nil, nil
}

// size is what struct ipt_getinfo says of one table
// (include/uapi/linux/netfilter_ipv4/ip_tables.h; ip6t_getinfo is the same).
type size struct {
	name       [32]byte
	validHooks uint32
	hookEntry  [5]uint32
	underflow  [5]uint32
	numEntries uint32
	size       uint32
}

// soGetInfo is IPT_SO_GET_INFO and IP6T_SO_GET_INFO (XT_BASE_CTL).
const soGetInfo = 64

// sizes asks both families.
type sizes struct{ fds [2]int }

func newSizes() (*sizes, error) {
	s := &sizes{fds: [2]int{-1, -1}}
	for i, family := range []int{unix.AF_INET, unix.AF_INET6} {
		fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			s.close()
			return nil, fmt.Errorf("watching iptables: %w", err)
		}
		s.fds[i] = fd
	}
	return s, nil
}

func (s *sizes) close() {
	for _, fd := range s.fds {
		if fd >= 0 {
			_ = unix.Close(fd) // nothing was written
		}
	}
}

// tables are those that have our chains. Asking for another would bring it into
// being, and packets would pass through it from then on.
var tables = []string{"filter", "nat"}

func (s *sizes) read(log *slog.Logger) []size {
	var all []size
	for i, level := range []int{unix.SOL_IP, unix.SOL_IPV6} {
		for _, table := range tables {
			var info size
			copy(info.name[:], table)
			if err := getInfo(s.fds[i], level, &info); err != nil {
				// A table that is not there has nothing of ours.
				if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOPROTOOPT) && !errors.Is(err, unix.EINVAL) {
					log.Debug("asking for the size of a table", "table", table, "error", err)
				}
			}
			all = append(all, info)
		}
	}
	return all
}

func getInfo(fd, level int, info *size) error {
	length := uint32(unsafe.Sizeof(*info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), soGetInfo,
		uintptr(unsafe.Pointer(info)), uintptr(unsafe.Pointer(&length)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
