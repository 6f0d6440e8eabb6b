package live

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// kept is a socket for the transactions of one Live, which stays open between them: to open
// one costs as much as a small transaction, and to close one waits until the kernel has freed
// what earlier transactions removed. The zero value opens it when it is needed.
type kept struct {
	conn *conn
	// namespace is where it was opened: inode and device of /proc/thread-self/ns/net.
	namespace [2]uint64
	cleanup   runtime.Cleanup
}

// use calls do with a socket of the network namespace of the calling thread. After an error
// the socket is closed: answers that were not read would be taken for those of the next
// transaction. Where the namespace cannot be told, no socket is kept.
func (k *kept) use(do func(*conn) error) error {
	here, ok := namespace()
	if !ok {
		return once(do)
	}
	if k.conn != nil && k.namespace != here {
		k.close()
	}
	if k.conn == nil {
		c, err := dialOwn()
		if err != nil {
			return err
		}
		k.conn, k.namespace = c, here
		// A Live has no end that it would be told of.
		k.cleanup = runtime.AddCleanup(k, (*conn).close, c)
	}
	if err := do(k.conn); err != nil {
		k.close()
		return err
	}
	return nil
}

// close closes the socket, if there is one.
func (k *kept) close() {
	if k.conn == nil {
		return
	}
	k.cleanup.Stop()
	k.conn.close()
	k.conn = nil
}

// namespace identifies the network namespace of the calling thread.
func namespace() (id [2]uint64, ok bool) {
	var st unix.Stat_t
	err := unix.Stat("/proc/thread-self/ns/net", &st)
	return [2]uint64{st.Ino, st.Dev}, err == nil
}

// once calls do with a socket that is closed then.
func once(do func(*conn) error) error {
	c, err := dialOwn()
	if err != nil {
		return err
	}
	defer c.close()
	return do(c)
}
