package firewall

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	nft "github.com/planec/planec/backends/nftables/live"
	xtables "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/text/iptables"
)

// ourTable is planec's in nftables, whose chains accept what they do not refuse.
const ourTable = "planec"

// Look lists the chains of other programs that drop by policy, in the network
// namespace of the calling thread. It changes nothing, and brings no table of
// iptables into being.
func Look(ctx context.Context) ([]Dropping, error) {
	chains, err := nft.BaseChains(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking at the node's firewall: %w", err)
	}
	var out []Dropping
	for _, c := range chains {
		if c.Type != "filter" || !c.Drops || c.Table == ourTable || c.Hook != nft.HookForward && c.Hook != nft.HookInput {
			continue
		}
		d := Dropping{Family: c.Family, Table: c.Table, Chain: c.Name, Forward: c.Hook == nft.HookForward}
		if c.Table == "filter" && c.Family != "inet" && slices.Contains([]string{"FORWARD", "INPUT"}, c.Name) {
			d.Variant = NFT
		}
		out = append(out, d)
	}
	legacy, err := lookLegacy()
	if err != nil {
		return nil, fmt.Errorf("looking at the node's firewall: %w", err)
	}
	out = append(out, legacy...)
	for i := range out {
		if d := &out[i]; d.Variant != NFTables {
			d.Rules = saved(ctx, d)
		}
	}
	return out, nil
}

// saved are the rules of the chain's table. Without the program they are not known,
// and what they accept cannot be seen.
func saved(ctx context.Context, d *Dropping) map[string][][]string {
	t := &xtables.Tools{Variant: string(d.Variant), LockWait: xtables.DefaultLockWait}
	text, err := t.Save(ctx, d.tool())
	if err != nil {
		return nil
	}
	rules := make(map[string][][]string)
	for l, err := range iptables.Lines(text) {
		if err != nil || l.Table != d.Table || l.Verb == "" {
			continue
		}
		if words, err := l.Words(); err == nil {
			rules[l.Chain] = append(rules[l.Chain], words)
		}
	}
	return rules
}

// lookLegacy asks the kernel for the policies of iptables' legacy tables, which need
// no program to be read.
func lookLegacy() ([]Dropping, error) {
	var out []Dropping
	for _, f := range []struct {
		family, names string
		domain, level int
		entry         int // sizeof(struct ipt_entry), ip6t_entry
	}{{"ip", "/proc/thread-self/net/ip_tables_names", unix.AF_INET, unix.SOL_IP, 112}, {"ip6", "/proc/thread-self/net/ip6_tables_names", unix.AF_INET6, unix.SOL_IPV6, 168}} {
		// Asking for a table that is not there would make it.
		names, err := os.ReadFile(f.names)
		if err != nil || !slices.Contains(strings.Fields(string(names)), "filter") {
			continue
		}
		policies, err := legacyPolicies(f.domain, f.level, f.entry)
		if err != nil {
			return nil, fmt.Errorf("policies of the legacy table filter (%s): %w", f.family, err)
		}
		for i, chain := range []string{hookInput: "INPUT", hookForward: "FORWARD"} {
			if chain != "" && policies[i] {
				out = append(out, Dropping{Variant: Legacy, Family: f.family, Table: "filter", Chain: chain, Forward: i == hookForward})
			}
		}
	}
	return out, nil
}

// Hooks by number (enum nf_inet_hooks).
const (
	hookInput   = 1
	hookForward = 2
)

// getinfo is struct ipt_getinfo, and ip6t_getinfo
// (include/uapi/linux/netfilter_ipv4/ip_tables.h).
type getinfo struct {
	name       [32]byte
	validHooks uint32
	hookEntry  [5]uint32
	underflow  [5]uint32
	numEntries uint32
	size       uint32
}

// IPT_SO_GET_INFO and IPT_SO_GET_ENTRIES; IPv6 has the same numbers.
const (
	soGetInfo    = 64
	soGetEntries = 65
)

// legacyPolicies says of each hook of the table filter whether it drops. The policy
// is the verdict of the entry at the hook's underflow: a standard target after
// struct ipt_entry, whose verdict is -NF_DROP-1 or -NF_ACCEPT-1.
func legacyPolicies(domain, level, entry int) (drops [5]bool, err error) {
	fd, err := unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return drops, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	for range 10 {
		var info getinfo
		copy(info.name[:], "filter")
		if err := getsockopt(fd, level, soGetInfo, unsafe.Pointer(&info), uint32(unsafe.Sizeof(info))); err != nil {
			return drops, err
		}
		// struct ipt_get_entries: name, size, and the entries, aligned to 8 bytes.
		const head = 40
		b := make([]byte, head+int(info.size))
		copy(b, "filter")
		binary.NativeEndian.PutUint32(b[32:], info.size)
		err := getsockopt(fd, level, soGetEntries, unsafe.Pointer(&b[0]), uint32(len(b)))
		if errors.Is(err, unix.EAGAIN) {
			continue // another process changed it meanwhile
		}
		if err != nil {
			return drops, err
		}
		for hook := range drops {
			// struct xt_standard_target has its verdict after 32 bytes.
			at := head + int(info.underflow[hook]) + entry + 32
			if info.validHooks>>hook&1 == 1 && at+4 <= len(b) {
				drops[hook] = int32(binary.NativeEndian.Uint32(b[at:])) == -1 && bytes.Equal(b[at-30:at-1], make([]byte, 29))
			}
		}
		return drops, nil
	}
	return drops, unix.EAGAIN
}

func getsockopt(fd, level, option int, value unsafe.Pointer, length uint32) error {
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option),
		uintptr(value), uintptr(unsafe.Pointer(&length)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
