package live

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
)

// readProc parses /proc/net/ip_vs, which lists all destinations, while netlink needs one
// request per service. The line of a mark does not contain its family: the destinations
// show it, and a service without destinations is returned for both families.
func readProc(r io.Reader) (map[Key]map[netip.AddrPort]destination, error) {
	out := make(map[Key]map[netip.AddrPort]destination)
	var key Key
	lines := bufio.NewScanner(r)
	for n := 0; lines.Scan(); n++ {
		w := strings.Fields(lines.Text())
		if n < 3 || len(w) < 2 {
			continue // the header
		}
		var err error
		if w[0] == "->" {
			err = procDestination(out, key, w)
		} else if key, err = procKey(w); err == nil {
			procService(out, key)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", lines.Text(), err)
		}
	}
	return out, lines.Err()
}

func procService(out map[Key]map[netip.AddrPort]destination, k Key) {
	for _, ipv6 := range []bool{false, true} {
		if k.Mark != 0 {
			k.IPv6 = ipv6
		}
		if out[k] == nil {
			out[k] = make(map[netip.AddrPort]destination)
		}
	}
}

// procKey parses the words of a service's line.
func procKey(w []string) (k Key, err error) {
	if w[0] == "FWM" {
		mark, err := strconv.ParseUint(w[1], 16, 32)
		k.Mark = uint32(mark)
		return k, err
	}
	if k.Protocol, err = ir.ParseProtocol(w[0]); err != nil {
		return k, err
	}
	k.Address, err = procAddr(w[1])
	k.IPv6 = k.Address.Addr().Is6()
	return k, err
}

// procDestination parses "-> 0A000001:0050 Masq 1 0 0".
func procDestination(out map[Key]map[netip.AddrPort]destination, k Key, w []string) error {
	if len(w) != 6 {
		return fmt.Errorf("not six words")
	}
	addr, err := procAddr(w[1])
	if err != nil {
		return err
	}
	if k.Mark != 0 {
		k.IPv6 = addr.Addr().Is6()
	}
	if out[k] == nil {
		return fmt.Errorf("a destination of no service")
	}
	var n [3]int
	for i := range n {
		if n[i], err = strconv.Atoi(w[3+i]); err != nil {
			return err
		}
	}
	out[k][addr] = destination{weight: uint32(n[0]), forward: procForward(w[2]), active: n[1], inactive: n[2]}
	return nil
}

// procForward returns the number of a forwarding method (IP_VS_CONN_F_FWD_MASK).
func procForward(name string) uint32 {
	return map[string]uint32{"Masq": 0, "Local": 1, "Tunnel": 2, "Route": 3}[name]
}

// procAddr parses "0A000001:0050" or "[fd00:0000:...:0001]:0050".
func procAddr(s string) (netip.AddrPort, error) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return netip.AddrPort{}, fmt.Errorf("%q: no port", s)
	}
	port, err := strconv.ParseUint(s[at+1:], 16, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if strings.HasPrefix(s, "[") {
		a, err := netip.ParseAddr(strings.Trim(s[:at], "[]"))
		return netip.AddrPortFrom(a, uint16(port)), err
	}
	b, err := hex.DecodeString(s[:at])
	if err != nil || len(b) != 4 {
		return netip.AddrPort{}, fmt.Errorf("%q: no address", s)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), uint16(port)), nil
}
