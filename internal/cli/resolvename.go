package cli

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/planec/planec/compiler/dns"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/base/suggest"
)

// endAtName resolves a DNS name of the cluster, as cart.shop or cart.shop.svc.cluster.local.
func (l *loaded) endAtName(name string) (end, error) {
	zones, _, err := dns.Zones(&l.objects, dns.Options{Zone: l.input.zone})
	if err != nil {
		return end{}, err
	}
	names := dns.NewNames(zones)
	answer, known := names.Find(name)
	switch {
	case !known:
		return end{}, fmt.Errorf("no Service or endpoint has this name%s", suggest.DidYouMean(strings.TrimSuffix(name, "."), shortNames(names, zones[0].Name)))
	case answer.Target != "":
		if other, known := names.Find(answer.Target); known && other.Target == "" && strings.HasSuffix(answer.Target, "."+zones[0].Name) {
			answer = other // a Service of the cluster under another name
			break
		}
		return l.endOutside(answer)
	}
	if s := l.serviceAt(answer); s != nil {
		return end{addrs: answer.Addresses, svc: s.svc}, nil
	}
	e := l.endOfAddr(answer.Addresses[0])
	e.addrs = answer.Addresses
	if n := len(answer.Addresses); n > 1 {
		l.named = append(l.named, fmt.Sprintf("%s has %d addresses, of which a client takes one: this answer is about the first of its family", strings.TrimSuffix(answer.Name, "."), n))
	}
	return e, nil
}

// serviceAt returns the Service whose ClusterIPs the answer is, or nil.
func (l *loaded) serviceAt(a dns.Answer) *end {
	at := a.Records[0].Origin
	if at.Kind != "Service" {
		return nil
	}
	e, err := l.endAtService(objects.Name{Namespace: at.Namespace, Name: at.Name})
	if err != nil {
		return nil
	}
	return &e
}

// endOutside resolves the name that an ExternalName Service stands for, by the addresses that
// --fqdn-file gives.
func (l *loaded) endOutside(a dns.Answer) (end, error) {
	target := strings.TrimSuffix(a.Target, ".")
	addresses := l.config.Config.Domains[target]
	if len(addresses) == 0 {
		return end{}, fmt.Errorf("it stands for %s, whose addresses planec does not know: give them with --fqdn-file, or an address", target)
	}
	e := l.endOfAddr(addresses[0])
	e.addrs = append([]netip.Addr(nil), addresses...)
	return e, nil
}

// shortNames are the names to suggest: whole, and in the forms that people type.
func shortNames(names *dns.Names, zone string) []string {
	all := names.All()
	out := make([]string, 0, 3*len(all))
	for _, n := range all {
		svc := strings.TrimSuffix(n, "."+strings.TrimSuffix(zone, "."))
		out = append(out, n, svc, strings.TrimSuffix(svc, ".svc"))
	}
	return out
}
