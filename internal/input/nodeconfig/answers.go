package nodeconfig

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// mostAliases bounds how many names may stand for one another, as in resolvers.
const mostAliases = 16

// aliases are the names that stand for others, by CNAME records.
type aliases map[string]string

// answer reads a record of DNS as dig and zone files write it, "NAME TTL IN TYPE DATA", and
// reports whether the words are one: a name has a dot at its end there.
func (a aliases) answer(to map[string][]netip.Addr, words []string) (is bool, err error) {
	if len(words) < 5 || !strings.HasSuffix(words[0], ".") || !strings.EqualFold(words[2], "IN") {
		return false, nil
	}
	if _, err := strconv.ParseUint(words[1], 10, 32); err != nil {
		return true, fmt.Errorf("%.80q is no number of seconds", words[1])
	}
	switch kind := strings.ToUpper(words[3]); {
	case kind != "A" && kind != "AAAA" && kind != "CNAME":
		return true, nil // it has no addresses
	case len(words) > 5:
		return true, fmt.Errorf("%.80q after the record", words[5])
	case kind != "CNAME":
		return true, addAddress(to, words[4], words[:1])
	}
	from, err := domainName(words[0])
	if err != nil {
		return true, err
	}
	target, err := domainName(words[4])
	if err != nil {
		return true, err
	}
	if have, there := a[from]; there && have != target {
		return true, fmt.Errorf("%s stands for %s and for %s", from, have, target)
	}
	a[from] = target
	return true, nil
}

// follow gives names the addresses of those that they stand for.
func (a aliases) follow(to map[string][]netip.Addr) error {
	for from := range a {
		name, steps := from, 0
		for next, there := a[name]; there; next, there = a[name] {
			if name = next; steps == mostAliases {
				return fmt.Errorf("%s stands for more than %d names, one after the other", from, mostAliases)
			}
			steps++
		}
		for _, x := range to[name] {
			if !slices.Contains(to[from], x) {
				to[from] = append(to[from], x)
			}
		}
		slices.SortFunc(to[from], netip.Addr.Compare)
	}
	return nil
}
