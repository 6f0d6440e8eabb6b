package drift

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/internal/base/nlattr"
)

// receiveBuffer is large enough for the notices of planec's own large transactions.
const receiveBuffer = 16 << 20

// NFTables is a watch of a table.
type NFTables struct {
	// Notices reports transactions of other processes, including other planec processes, that
	// change the table.
	Notices <-chan struct{}
	*listener
}

// WatchNFTables watches a table until ctx ends, in the calling thread's network namespace.
func WatchNFTables(ctx context.Context, table string, log *slog.Logger) (*NFTables, error) {
	own, err := live.OwnPort()
	if err != nil {
		return nil, fmt.Errorf("watching nftables: %w", err)
	}
	notices := make(chan struct{}, 1)
	w := &nftablesWatch{table: table, own: own}
	l, err := subscribe(ctx, log, func(kind uint16, port uint32, data []byte) {
		if w.take(kind, port, data) {
			tell(notices)
		}
	}, func() { tell(notices) })
	return &NFTables{notices, l}, err
}

// listener is a socket that gets notices until it is closed.
type listener struct {
	mu     sync.Mutex
	socket *nl.NetlinkSocket
	closed bool
	log    *slog.Logger
}

func (l *listener) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		l.socket.Close()
	}
}

// Without calls do while the listener hears nothing, for a large transaction of this process: as
// long as one listens, the kernel makes a notice of each element, which costs as much as to add
// it (nf_tables_setelem_notify in net/netfilter/nf_tables_api.c). The caller must read the rules
// afterwards, as a reading that waits for commits on their way: it sees what others did
// meanwhile, and what they do later is heard.
func (l *listener) Without(do func() error) error {
	if err := l.group(unix.NETLINK_DROP_MEMBERSHIP); err != nil {
		return do() // it hears, then
	}
	defer func() {
		if err := l.group(unix.NETLINK_ADD_MEMBERSHIP); err != nil {
			l.log.Warn("nothing will tell of changes by other processes", "of", "nftables", "error", err)
		}
	}()
	return do()
}

// group joins or leaves the notices. A closed socket's number may be another file's.
func (l *listener) group(option int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	return unix.SetsockoptInt(l.socket.GetFd(), unix.SOL_NETLINK, option, unix.NFNLGRP_NFTABLES)
}

// subscribe calls take with each nftables notification until ctx ends. It calls
// lost if notifications were lost, because they may have concerned planec.
//
// The Monitor of github.com/google/nftables v0.3.0 is not used: its events of elements do
// not say of which table they are (monitor.go:274, set.go:845), it has no event for a
// flowtable, it ends at the first ENOBUFS (monitor.go:210), and after that its Close does
// not close the socket (monitor.go:312-327). It also decodes every notice, of transactions
// of this process too: one of 150,000 elements cost 0.63 s of CPU and 62 MB, here 0.08 s
// and 14 MB.
func subscribe(ctx context.Context, log *slog.Logger, take func(kind uint16, port uint32, data []byte), lost func()) (*listener, error) {
	socket, err := nl.Subscribe(unix.NETLINK_NETFILTER, unix.NFNLGRP_NFTABLES)
	if err != nil {
		return nil, fmt.Errorf("watching nftables: %w", err)
	}
	l := &listener{socket: socket, log: log}
	// Without the privilege the buffer is smaller, and notices are lost sooner.
	if err := unix.SetsockoptInt(socket.GetFd(), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer); err != nil {
		log.Debug("the buffer for nftables' notices stays small", "error", err)
	}
	go func() {
		defer l.close()
		stop := context.AfterFunc(ctx, l.close)
		defer stop()
		for ctx.Err() == nil {
			messages, _, err := socket.Receive()
			switch {
			case errors.Is(err, unix.ENOBUFS):
				lost()
			case err != nil:
				if ctx.Err() != nil {
					return
				}
				log.Warn("watching nftables", "error", err)
				time.Sleep(time.Second)
			}
			for i := range messages {
				take(uint16(messages[i].Header.Type), messages[i].Header.Pid, messages[i].Data)
			}
		}
	}()
	return l, nil
}

func tell(notices chan<- struct{}) {
	select {
	case notices <- struct{}{}:
	default:
	}
}

// nftablesWatch reads one transaction after the other: its changes, then a message
// with the port of the sender (NFT_MSG_NEWGEN, net/netfilter/nf_tables_api.c).
type nftablesWatch struct {
	table string
	own   func(port uint32) bool
	// touched is whether the transaction changes the table.
	touched bool
}

// Attributes. The table name is the first attribute of every message except
// NFT_MSG_NEWGEN (include/uapi/linux/netfilter/nf_tables.h).
const (
	attrTable   = 1
	nfgenmsgLen = 4
)

// take reads one message and reports whether it ends a transaction of another
// process that touched the table.
func (w *nftablesWatch) take(kind uint16, port uint32, data []byte) bool {
	if kind>>8 != unix.NFNL_SUBSYS_NFTABLES || len(data) < nfgenmsgLen {
		return false
	}
	if kind&0xff != unix.NFT_MSG_NEWGEN {
		if !w.touched {
			w.touched = nlattr.String(nlattr.Get(data[nfgenmsgLen:], attrTable)) == w.table
		}
		return false
	}
	foreign := w.touched && !w.own(port)
	w.touched = false
	return foreign
}
