package testkit

import (
	"fmt"
	"net/netip"
	"strings"
)

// greeting returns the line with which a listener answers.
func greeting(side Side, local, remote netip.AddrPort) []byte {
	return fmt.Appendf(nil, "%v %v %v\n", side, unmap(local), unmap(remote))
}

// parseGreeting parses the line of a listener into an outcome.
func parseGreeting(line string) (Outcome, error) {
	words := strings.Fields(line)
	if len(words) != 3 {
		return Outcome{}, fmt.Errorf("answer %q: want side, local and remote address", line)
	}
	side, err := parseSide(words[0])
	if err != nil {
		return Outcome{}, fmt.Errorf("answer %q: %w", line, err)
	}
	local, err := netip.ParseAddrPort(words[1])
	if err != nil {
		return Outcome{}, fmt.Errorf("answer %q: %w", line, err)
	}
	remote, err := netip.ParseAddrPort(words[2])
	if err != nil {
		return Outcome{}, fmt.Errorf("answer %q: %w", line, err)
	}
	return Outcome{Fate: Answered, AnsweredBy: side, Endpoint: local, Source: remote.Addr()}, nil
}

// unmap converts IPv4-mapped addresses of dual-stack sockets to IPv4.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// parseSide parses the output of String.
func parseSide(s string) (Side, error) {
	for _, side := range []Side{NodeSide, WorldSide} {
		if side.String() == s {
			return side, nil
		}
	}
	return 0, fmt.Errorf("side %q: want node or world", s)
}
