package live

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Legacy reads the tables of iptables-legacy of one family without running a
// program. Reading a missing table makes the kernel create it, and packets pass
// through it from then on.
type Legacy struct {
	fd, level int
	// entry is sizeof(struct ipt_entry), or ip6t_entry.
	entry int
}

// Hooks by number (enum nf_inet_hooks), the index into [LegacyInfo].
const (
	LegacyInput   = 1
	LegacyForward = 2
)

// IPT_SO_GET_INFO and IPT_SO_GET_ENTRIES (XT_BASE_CTL); IPv6 has the same numbers.
const (
	soGetInfo    = 64
	soGetEntries = 65
)

// LegacyInfo is struct ipt_getinfo and ip6t_getinfo
// (include/uapi/linux/netfilter_ipv4/ip_tables.h): the properties of one table.
// Equal values mean tables of the same size.
type LegacyInfo struct {
	name       [32]byte
	validHooks uint32
	hookEntry  [5]uint32
	underflow  [5]uint32
	numEntries uint32
	size       uint32
}

// OpenLegacy opens a socket in the network namespace of the calling thread.
func OpenLegacy(ipv6 bool) (*Legacy, error) {
	domain, l := unix.AF_INET, &Legacy{level: unix.SOL_IP, entry: 112}
	if ipv6 {
		domain, l = unix.AF_INET6, &Legacy{level: unix.SOL_IPV6, entry: 168}
	}
	var err error
	l.fd, err = unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	return l, os.NewSyscallError("socket", err)
}

// Close closes the socket; the Legacy cannot be used afterwards.
func (l *Legacy) Close() {
	_ = unix.Close(l.fd) // the socket was only read from
	l.fd = -1
}

// Info reads the properties of a table.
func (l *Legacy) Info(table string) (info LegacyInfo, err error) {
	copy(info.name[:], table)
	return info, l.get(soGetInfo, unsafe.Pointer(&info), uint32(unsafe.Sizeof(info)))
}

// Drops reports for each hook of a table whether its policy drops. The policy is
// the verdict of the entry at the hook's underflow: a standard target after struct
// ipt_entry, with the verdict -NF_DROP-1 or -NF_ACCEPT-1.
func (l *Legacy) Drops(table string) (drops [5]bool, err error) {
	for range 10 {
		info, err := l.Info(table)
		if err != nil {
			return drops, err
		}
		// struct ipt_get_entries: name, size, and the entries, aligned to 8 bytes.
		const head = 40
		b := make([]byte, head+int(info.size))
		copy(b, table)
		binary.NativeEndian.PutUint32(b[32:], info.size)
		err = l.get(soGetEntries, unsafe.Pointer(&b[0]), uint32(len(b)))
		if errors.Is(err, unix.EAGAIN) {
			continue // another process changed the table in between
		}
		if err != nil {
			return drops, err
		}
		for hook := range drops {
			// struct xt_standard_target has its verdict after 32 bytes.
			at := head + int(info.underflow[hook]) + l.entry + 32
			if info.validHooks>>hook&1 == 1 && at+4 <= len(b) {
				drops[hook] = int32(binary.NativeEndian.Uint32(b[at:])) == -1 && bytes.Equal(b[at-30:at-1], make([]byte, 29))
			}
		}
		return drops, nil
	}
	return drops, unix.EAGAIN
}

func (l *Legacy) get(option int, value unsafe.Pointer, length uint32) error {
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(l.fd), uintptr(l.level), uintptr(option),
		uintptr(value), uintptr(unsafe.Pointer(&length)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
