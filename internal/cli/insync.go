//go:build !js

package cli

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/failsafe"
)

// inSync describes in one sentence what a kernel with an entry's rules serves. Files
// that were compiled earlier name pods, but not the policies that select them.
func inSync(a *applier.Applier, e applier.Entry, p *ir.Program) string {
	if p != nil {
		services, policies := 0, 0
		for _, o := range failsafe.Of(p) {
			if o.Kind == failsafe.Service {
				services++
			} else {
				policies++
			}
		}
		return sentence(e.Backend, services, count(policies, "policy"), policies)
	}
	s, err := a.Read(e)
	if err != nil {
		return "in sync: " + e.Backend // it was readable before
	}
	nameFrontends(&s, e.Names)
	return sentence(e.Backend, s.Services(), count(len(s.Pods), "pod")+" under policies", len(s.Pods))
}

// sentence omits policies if there are none.
func sentence(backend string, services int, policies string, n int) string {
	if n == 0 {
		return fmt.Sprintf("in sync: %s, %s", count(services, "Service"), backend)
	}
	return fmt.Sprintf("in sync: %s, %s, %s", count(services, "Service"), policies, backend)
}

// nameFrontends adds names to frontends without one.
func nameFrontends(s *backends.Served, names map[string]string) {
	for i := range s.Frontends {
		if f := &s.Frontends[i]; f.Name == "" {
			f.Name = names[f.At]
		}
	}
	s.Normalize()
}

// refusedNames maps the places of frontends without endpoints to names. iptables has
// these frontends in sets, which cannot have names without another type, and the type
// cannot change while rules use them.
func refusedNames(p *ir.Program) map[string]string {
	some := make(map[string]bool)
	for _, pool := range p.Pools {
		some[pool.ID] = len(pool.Endpoints) > 0
	}
	names := make(map[string]string)
	for i := range p.Frontends {
		f := &p.Frontends[i]
		if some[f.Internal.Pool] && some[f.External.Pool] {
			continue
		}
		host := f.Match.Address
		if !host.IsValid() {
			host = netip.IPv4Unspecified()
			if f.Match.Family == ir.IPv6 {
				host = netip.IPv6Unspecified()
			}
		}
		at := fmt.Sprintf("%v/%v", netip.AddrPortFrom(host, f.Match.Port), f.Match.Protocol)
		names[at] = string(backends.AppendName(nil, f.Service))
	}
	return names
}
