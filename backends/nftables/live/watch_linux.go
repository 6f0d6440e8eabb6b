package live

import "golang.org/x/sys/unix"

// watch receives notifications of transactions while planec's tables are read.
// Only transactions that concern these tables interrupt the reading. Otherwise
// hundreds of foreign transactions per second would keep it from ever ending.
type watch struct{ *conn }

// watchBuffer has room for the notifications of large foreign transactions, in bytes.
const watchBuffer = 16 << 20

// listen subscribes to the kernel's notifications. Without permission it
// returns nil; then every foreign transaction interrupts.
func listen() *watch {
	c, err := dial()
	if err != nil {
		return nil
	}
	if err := unix.SetsockoptInt(c.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, unix.NFNLGRP_NFTABLES); err != nil {
		c.close()
		return nil
	}
	// Without the privilege, notifications are lost sooner, and a loss interrupts.
	_ = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, watchBuffer)
	return &watch{c}
}

func (w *watch) close() {
	if w != nil {
		w.conn.close()
	}
}

// concerned reads the pending notifications and reports whether one may concern
// planec's tables. The kernel sends them before it releases the lock of
// transactions (nf_tables_commit), so after [conn.settle] all have arrived.
func (w *watch) concerned() bool {
	found := false
	lost, err := w.drain(func(r reply) error {
		if r.kind>>8 == subsysNFTables && r.kind&0xff != msgNewGen && len(r.body) >= 4 && isOurs(r.body[4:]) {
			found = true
		}
		return nil
	})
	return found || lost || err != nil
}
