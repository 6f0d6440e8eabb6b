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

// portsEach is how many netlink ports a process has for its transactions: several
// threads may send at a time.
const portsEach = 256

// firstPort is the first of this process's ports. The kernel's notices say from which
// port a transaction came; they also have the process's name and number, but another
// planec has the same name, and the number is of a namespace that a container cannot
// see. Two processes have the same ports as rarely as hashes of 22 bits are equal: the
// process is named by its number, the namespace of that, and when it started. They are
// above the numbers of processes, which other sockets have for ports.
func firstPort() (uint32, error) {
	var namespace unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &namespace); err != nil {
		return 0, fmt.Errorf("the namespace of this process: %w", err)
	}
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, fmt.Errorf("the start of this process: %w", err)
	}
	// The 20th field after the name, which may have anything in it (proc_pid_stat(5)).
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

// OwnPort returns a function that reports whether transactions from a netlink port are
// this process's.
func OwnPort() (func(port uint32) bool, error) {
	first, err := firstPort()
	if err != nil {
		return nil, err
	}
	return func(port uint32) bool { return port-first < portsEach }, nil
}

// bindOwn binds a socket to one of this process's ports. Where that is not possible
// any port does: then what is sent is taken for another's, and compared.
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
