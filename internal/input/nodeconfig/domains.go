package nodeconfig

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// maxDomains bounds the addresses of names in one file.
const maxDomains = 100_000

// LoadDomains reads the addresses of DNS names from a file in the format of hosts(5).
func LoadDomains(path string) (map[string][]netip.Addr, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	out, n := make(map[string][]netip.Addr), 0
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := addDomain(out, line); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, number, err)
		}
		if n++; n > maxDomains {
			return nil, fmt.Errorf("%s: more than %d lines", path, maxDomains)
		}
	}
	return out, nil
}

// addDomain reads a line "ADDRESS NAME ...".
func addDomain(to map[string][]netip.Addr, line string) error {
	words := strings.Fields(line)
	if len(words) < 2 {
		return fmt.Errorf("%.80q: want an address and names", line)
	}
	a, err := netip.ParseAddr(words[0])
	if err != nil || a.Zone() != "" {
		return fmt.Errorf("%.80q is no address", words[0])
	}
	for _, name := range words[1:] {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if name == "" || len(name) > 253 || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || c == '*' }) {
			return fmt.Errorf("%.80q is no DNS name", name)
		}
		if a := a.Unmap(); !slices.Contains(to[name], a) {
			to[name] = append(to[name], a)
			slices.SortFunc(to[name], netip.Addr.Compare)
		}
	}
	return nil
}

// domainLines are the lines that give the addresses, sorted.
func domainLines(domains map[string][]netip.Addr) any {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(domains)) {
		for _, a := range domains[name] {
			out = append(out, a.String()+" "+name)
		}
	}
	if out == nil {
		return nil
	}
	return out
}

// domains reads a list of such lines.
func (v value) domains() map[string][]netip.Addr {
	var out map[string][]netip.Addr
	for _, item := range v.strings(true) {
		if out == nil {
			out = make(map[string][]netip.Addr)
		}
		if err := addDomain(out, item.node.Value); err != nil {
			item.fail("%v", err)
		}
	}
	return out
}
