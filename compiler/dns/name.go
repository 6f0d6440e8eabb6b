package dns

import (
	"cmp"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// Longest labels and names (RFC 1035, section 2.3.4); the dot at the end does not count.
const (
	longestLabel = 63
	longestName  = 253
)

// isLabel reports whether s can stand between two dots: letters in lower case, digits,
// and dashes inside (RFC 1123). So nothing of an object can break out of a zone file.
func isLabel(s string) bool {
	if s == "" || len(s) > longestLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// IsName reports whether s is a name of valid labels, with or without a dot at its end.
func IsName(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if len(s) > longestName {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

// compareNames orders names by their labels from the right.
func compareNames(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		a, x = cutLast(a)
		b, y = cutLast(b)
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// cutLast cuts the last label of a name off.
func cutLast(name string) (rest, label string) {
	name = strings.TrimSuffix(name, ".")
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name
	}
	return name[:i], name[i+1:]
}

// Zones of the names of addresses (RFC 1035, section 3.5; RFC 3596, section 2.5).
const (
	reverse4 = "in-addr.arpa."
	reverse6 = "ip6.arpa."
)

// reverseName is the name of an address.
func reverseName(a netip.Addr) string {
	var b strings.Builder
	if a.Is4() {
		octets := a.As4()
		for i := len(octets) - 1; i >= 0; i-- {
			b.WriteString(strconv.Itoa(int(octets[i])) + ".")
		}
		return b.String() + reverse4
	}
	bytes := a.As16()
	digits := hex.EncodeToString(bytes[:])
	for i := len(digits) - 1; i >= 0; i-- {
		b.WriteByte(digits[i])
		b.WriteByte('.')
	}
	return b.String() + reverse6
}

// addressName is the name of an endpoint without a hostname, as CoreDNS makes it: the
// address with dashes. A label must not end with one, so "::" at the end gets a 0.
func addressName(a netip.Addr) string {
	name := strings.NewReplacer(".", "-", ":", "-").Replace(a.String())
	if strings.HasSuffix(name, "-") {
		name += "0"
	}
	return name
}
