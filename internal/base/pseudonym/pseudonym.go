// Package pseudonym replaces names and addresses in texts by others that say nothing: the same
// one by the same everywhere, so that texts still belong together.
package pseudonym

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Names replaces names and addresses. The zero value knows none.
type Names struct {
	names     map[string]string
	addresses map[netip.Addr]netip.Addr
	count     [2]uint32         // addresses of each family
	words     *strings.Replacer // nil until it is needed
}

// shortest is the length from which a name is replaced wherever it stands as a word of its own.
// A shorter one would take words of the rules with it.
const shortest = 3

// common are words of rules, logs and metrics that are not replaced, whatever their use as names.
var common = []string{"default", "kube-system", "kube-public", "kube-node-lease", "kubernetes", "tcp", "udp", "sctp", "icmp", "http", "https", "planec", "accept", "drop", "reject", "node", "pod", "service"}

// Add makes names known: "shop", "web-0". Parts of "shop/web-0:http" are names of their own.
func (n *Names) Add(list ...string) {
	if n.names == nil {
		n.names = make(map[string]string)
	}
	for _, whole := range list {
		for _, name := range strings.FieldsFunc(whole, func(r rune) bool { return r == '/' || r == ':' || r == ' ' }) {
			if len(name) >= shortest && !slices.Contains(common, name) && n.names[name] == "" {
				n.names[name] = fmt.Sprintf("name-%d", len(n.names)+1)
			}
		}
	}
	n.words = nil
}

// pair finds "NAMESPACE/NAME" in texts that nothing else is known of.
var pair = regexp.MustCompile(`\b([a-z0-9][-a-z0-9]{0,62})/([a-z0-9][-a-z0-9.]{0,252})\b`)

// AddPairs makes the parts of every "NAMESPACE/NAME" of a text known, but for what is a number
// or a protocol.
func (n *Names) AddPairs(text []byte) {
	for _, m := range pair.FindAllSubmatch(text, -1) {
		if strings.ContainsAny(string(m[1]), "abcdefghijklmnopqrstuvwxyz") && strings.ContainsAny(string(m[2]), "abcdefghijklmnopqrstuvwxyz") {
			n.Add(string(m[1]), string(m[2]))
		}
	}
}

// address finds what may be an address; netip decides. An address may end in a dot or a colon
// of the text around it.
var address = regexp.MustCompile(`[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:\.[0-9]{1,3}){0,3}`)

// Replace returns the text with the names that are known, and all addresses, replaced.
func (n *Names) Replace(text []byte) []byte {
	text = address.ReplaceAllFunc(text, n.address)
	if len(n.names) == 0 {
		return text
	}
	if n.words == nil {
		n.words = n.compile()
	}
	return []byte(n.words.Replace(string(text)))
}

// compile sorts the names, the longest first: a name may begin with another.
func (n *Names) compile() *strings.Replacer {
	list := slices.SortedFunc(maps.Keys(n.names), func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	pairs := make([]string, 0, 2*len(list))
	for _, name := range list {
		pairs = append(pairs, name, n.names[name])
	}
	return strings.NewReplacer(pairs...)
}

// address replaces what is an address. Those that every machine has stay.
func (n *Names) address(found []byte) []byte {
	a, err := netip.ParseAddr(string(found))
	if err != nil || a.IsLoopback() || a.IsUnspecified() {
		return found
	}
	if n.addresses == nil {
		n.addresses = make(map[netip.Addr]netip.Addr)
	}
	other, known := n.addresses[a]
	if !known {
		other = n.next(a.Is4() || a.Is4In6())
		n.addresses[a] = other
	}
	return []byte(other.String())
}

// next returns an unused address for documentation: of 198.18.0.0/15, or 2001:db8::/32.
func (n *Names) next(v4 bool) netip.Addr {
	if v4 {
		n.count[0]++
		c := n.count[0]
		return netip.AddrFrom4([4]byte{198, byte(18 + c>>16&1), byte(c >> 8), byte(c)})
	}
	n.count[1]++
	c := n.count[1]
	return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 12: byte(c >> 24), 13: byte(c >> 16), 14: byte(c >> 8), 15: byte(c)})
}
