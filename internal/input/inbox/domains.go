package inbox

import (
	"net/netip"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
)

// SetDomains takes the addresses of DNS names, all of them.
func (b *Inbox) SetDomains(all map[string][]netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if all == nil {
		all = map[string][]netip.Addr{} // nil would mean "unchanged"
	}
	b.domains = all
	b.changed()
}

// DomainPolicies returns the policies that may have DNS names, with a number that differs from
// since; ok is false if none changed since then, and before the first listing is complete.
func (b *Inbox) DomainPolicies(since uint64) (set *objects.Set, generation uint64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.complete || b.others.generation == since {
		return nil, since, false
	}
	set = &objects.Set{}
	for i, l := range set.Lists() {
		if l.Takes(&ciliumv2.NetworkPolicy{}) || l.Takes(&ciliumv2.ClusterwideNetworkPolicy{}) {
			for _, s := range b.others.tables[i].byName {
				l.Add(s)
			}
		}
	}
	return set, b.others.generation, true
}

func mayHaveDomains(o metav1.Object) bool {
	switch o.(type) {
	case *ciliumv2.NetworkPolicy, *ciliumv2.ClusterwideNetworkPolicy:
		return true
	}
	return false
}
