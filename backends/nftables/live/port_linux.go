package live

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"

	"golang.org/x/sys/unix"
)

// portsEach is the number of netlink ports of a process for its transactions,
// because several threads may send at the same time.
const portsEach = 256

// firstPort is the first of this process's ports. The kernel's notifications carry the
// sender's port. They also carry the name and number of the process, but another
// planec has the same name, and a container cannot see numbers of other PID
// namespaces. The port is a 22-bit hash of the process's number, its namespace and its
// start time, so collisions are rare. Ports are above the numbers of processes, which
// other sockets use as ports.
func firstPort() (uint32, error) {
	var namespace unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &namespace); err != nil {
		return 0, fmt.Errorf("the namespace of this process: %w", err)
	}
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, fmt.Errorf("the start of this process: %w", err)
	}
	// The 20th field after the name, which may contain any character (proc_pid_stat(5)).
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const start = 19
	if len(fields) <= start {
		return 0, errors.New("the start of this process is not in /proc/self/stat")
	}
	h := fnv.New64a()
	h.Write(binary.NativeEndian.AppendUint64(nil, namespace.Ino))
	h.Write(binary.NativeEndian.AppendUint64(nil, uint64(os.Getpid())))
	h.Write(fields[start])
	sum := h.Sum64()
	return 1<<30 | uint32(sum^sum>>32)&(1<<22-1)*portsEach, nil
}

// OwnPort returns a function that reports whether a netlink port belongs to this
// process's transactions.
func OwnPort() (func(port uint32) bool, error) {
	first, err := firstPort()
	if err != nil {
		return nil, err
	}
	return func(port uint32) bool { return port-first < portsEach }, nil
}

// bindOwn binds a socket to one of this process's ports. If none is free, any port
// is used: the transaction then counts as foreign, and drift detection compares.
func bindOwn(fd int) error {
	if first, err := firstPort(); err == nil {
		for i := range uint32(portsEach) {
			err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: first + i})
			if err == nil {
				return nil
			}
			if !errors.Is(err, unix.EADDRINUSE) {
				break
			}
		}
	}
	return unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}
