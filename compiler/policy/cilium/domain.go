package cilium

import (
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/policy/clause"
)

// domain is a DNS name or a pattern of names.
type domain struct {
	text string         // as people write it, in small letters
	name *regexp.Regexp // for names with a dot at the end
}

// onlyStars matches the patterns that mean every name.
var onlyStars = regexp.MustCompile(`^\*+\.?$`)

const nameCharacter = "[-a-zA-Z0-9_]"

// newDomain reads a name or a pattern that validation has accepted: * stands for
// characters of one label, ** before a dot for whole labels, one at least
// (pkg/fqdn/matchpattern/matchpattern.go).
func newDomain(from *ciliumv2.FQDN) domain {
	text := strings.ToLower(from.MatchName + from.MatchPattern)
	d := domain{text: text}
	if onlyStars.MatchString(text) {
		d.name = regexp.MustCompile("^(" + nameCharacter + "+[.])+$")
		return d
	}
	var b strings.Builder
	b.WriteByte('^')
	rest := strings.TrimSuffix(text, ".") + "."
	if after := strings.TrimLeft(rest, "*"); len(rest)-len(after) > 1 && strings.HasPrefix(after, ".") {
		b.WriteString("(" + nameCharacter + "+([.]" + nameCharacter + "+)*)[.]")
		rest = after[1:]
	}
	for len(rest) > 0 {
		switch after := strings.TrimLeft(rest, "*"); {
		case len(after) < len(rest):
			b.WriteString(nameCharacter + "*")
			rest = after
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
			rest = rest[1:]
		}
	}
	b.WriteByte('$')
	d.name = regexp.MustCompile(b.String()) // of quoted characters
	return d
}

// addresses returns the addresses of the names that the domains mean, sorted.
func addresses(domains []domain, known map[string][]netip.Addr) []netip.Addr {
	var out []netip.Addr
	for _, name := range slices.Sorted(maps.Keys(known)) {
		full := strings.ToLower(strings.TrimSuffix(name, ".")) + "."
		if slices.ContainsFunc(domains, func(d domain) bool { return d.name.MatchString(full) }) {
			out = append(out, known[name]...)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// domainPeer is the addresses of domains.
func domainPeer(domains []domain, known map[string][]netip.Addr) *clause.Peer {
	words := make([]string, len(domains))
	for i, d := range domains {
		words[i] = d.text
	}
	slices.Sort(words)
	words = slices.Compact(words)
	return &clause.Peer{ID: "cilium dns " + strings.Join(words, ","), Resolve: func(string) clause.Set {
		return clause.Set{Addresses: addresses(domains, known), Domains: words}
	}}
}
