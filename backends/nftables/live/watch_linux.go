package live

import "golang.org/x/sys/unix"

// watch hears of transactions while our tables are read: who reads is interrupted
// by those that concern our tables, and by no others. Where hundreds of foreign
// transactions come in a second, none of ours would ever be read otherwise.
type watch struct{ *conn }

// watchBuffer holds the notices of large foreign transactions.
const watchBuffer = 16 << 20

// listen subscribes to the kernel's notices. It returns nil where that is not
// allowed; then each foreign transaction interrupts.
func listen() *watch {
	c, err := dial()
	if err != nil {
		return nil
	}
	if err := unix.SetsockoptInt(c.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, unix.NFNLGRP_NFTABLES); err != nil {
		c.close()
		return nil
	}
	// Without the privilege notices are lost sooner, and what is lost interrupts.
	_ = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, watchBuffer)
	return &watch{c}
}

func (w *watch) close() {
	if w != nil {
		w.conn.close()
	}
}

// concerned takes the notices that have come and reports whether one may be about
// our tables. The notices of a transaction come before the lock of transactions is
// free (nf_tables_commit), so after [conn.settle] none is missing.
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
