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

// LoadDomains reads the addresses of DNS names from a file with lines of hosts(5), or with
// answers of DNS as `dig +noall +answer` prints them, in any mixture.
func LoadDomains(path string) (map[string][]netip.Addr, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	out, others, n := make(map[string][]netip.Addr), make(aliases), 0
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line, _, _ = strings.Cut(line, "#")
		line, _, _ = strings.Cut(line, ";")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		is, err := others.answer(out, words)
		if !is {
			err = addDomain(out, line)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, number, err)
		}
		if n++; n > maxDomains {
			return nil, fmt.Errorf("%s: more than %d lines", path, maxDomains)
		}
	}
	if err := others.follow(out); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// addDomain reads a line "ADDRESS NAME ...".
func addDomain(to map[string][]netip.Addr, line string) error {
	words := strings.Fields(line)
	if len(words) < 2 {
		return fmt.Errorf("%.80q: want an address and names", line)
	}
	return addAddress(to, words[0], words[1:])
}

// addAddress adds an address of names.
func addAddress(to map[string][]netip.Addr, address string, names []string) error {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Zone() != "" {
		return fmt.Errorf("%.80q is no address", address)
	}
	for _, name := range names {
		if name, err = domainName(name); err != nil {
			return err
		}
		if a := a.Unmap(); !slices.Contains(to[name], a) {
			to[name] = append(to[name], a)
			slices.SortFunc(to[name], netip.Addr.Compare)
		}
	}
	return nil
}

// domainName returns a name in lower case, without a dot at its end.
func domainName(text string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	if name == "" || len(name) > 253 || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || c == '*' }) {
		return "", fmt.Errorf("%.80q is no DNS name", name)
	}
	return name, nil
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
