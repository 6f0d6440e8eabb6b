package proof

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/ir/eval"
)

// Bindings is what binds clients to endpoints in the rules: no two Service ports may share
// a binding, and all frontends of one share theirs (sessionAffinity ClientIP).
type Bindings struct {
	services map[string]string
	bindings map[boundEndpoint]string
}

// boundEndpoint is an endpoint of a Service port, in a family.
type boundEndpoint struct {
	service  string
	endpoint netip.AddrPort
}

// differ notes the bindings of a result, and returns what is wrong with them, or "".
func (b *Bindings) differ(want, got *eval.Result, ipv6 bool) string {
	if want.Affinity == 0 || got.Affinity == 0 || want.Frontend == nil {
		return ""
	}
	if b.services == nil {
		b.services, b.bindings = make(map[string]string), make(map[boundEndpoint]string)
	}
	service := want.Frontend.Service.String() + " " + familyName(ipv6)
	for _, c := range got.Endpoints {
		if c.Binding == "" {
			continue // the kernel's own table, by virtual service
		}
		binding, at := c.Binding+" "+familyName(ipv6), boundEndpoint{service, c.Address}
		if other, known := b.services[binding]; known && other != service {
			return fmt.Sprintf("clients of %s share their bindings with those of %s", service, other)
		}
		if other, known := b.bindings[at]; known && other != binding {
			return fmt.Sprintf("a client of %s is bound to %v in two ways, by the address that it connects to", service, c.Address)
		}
		b.services[binding], b.bindings[at] = service, binding
	}
	return ""
}
