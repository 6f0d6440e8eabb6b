package cilium

import (
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
)

// Bounds of [Names], beyond which names are as if no policy had them: what Cilium accepts as a
// name has 255 characters.
const (
	longestName = 255
	mostNames   = 100_000
)

// Names are the DNS names that rules of policies are about.
type Names struct {
	exact    map[string]bool // without a dot at the end, in lower case
	patterns []domain
}

// NamesOf returns those of the policies of a set.
func NamesOf(set *objects.Set) *Names {
	n, seen := &Names{exact: make(map[string]bool)}, make(map[string]bool)
	for _, p := range set.CiliumNetworkPolicies {
		n.add(seen, p.Object.Spec, p.Object.Specs)
	}
	for _, p := range set.CiliumClusterwideNetworkPolicies {
		n.add(seen, p.Object.Spec, p.Object.Specs)
	}
	return n
}

func (n *Names) add(seen map[string]bool, spec *ciliumv2.Rule, specs []*ciliumv2.Rule) {
	for _, r := range append([]*ciliumv2.Rule{spec}, specs...) {
		if r == nil {
			continue
		}
		for i := range r.Egress {
			for j := range r.Egress[i].ToFQDNs {
				n.addOne(seen, &r.Egress[i].ToFQDNs[j])
			}
		}
	}
}

func (n *Names) addOne(seen map[string]bool, f *ciliumv2.FQDN) {
	text := f.MatchName + f.MatchPattern
	if text == "" || len(text) > longestName || len(seen) >= mostNames || seen[text] {
		return
	}
	seen[text] = true
	if strings.Contains(text, "*") {
		n.patterns = append(n.patterns, newDomain(f))
	} else {
		n.exact[strings.ToLower(strings.TrimSuffix(text, "."))] = true
	}
}

// Has reports whether a rule is about a name, which is in lower case and has no dot at its end.
func (n *Names) Has(name string) bool {
	if n.exact[name] {
		return true
	}
	for i := range n.patterns {
		if n.patterns[i].name.MatchString(name + ".") {
			return true
		}
	}
	return false
}
