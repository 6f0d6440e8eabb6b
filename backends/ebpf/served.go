package ebpf

import (
	"net/netip"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// Served is what the image serves. An image without symbols, as the kernel's, has no
// names.
func (img *Image) Served() backends.Served {
	var s backends.Served
	services, pods := &img.maps[layout.Services], &img.maps[layout.Pods]
	for i := range services.Len() {
		if layout.DecodeServiceKey(services.Key(i)).IsAddress() {
			continue
		}
		v := layout.DecodeService(services.Value(i))
		f := backends.ServedFrontend{At: placeOf(matchOf(services.Key(i)))}
		if name := img.symbols.Service(i).Name; name != "" {
			f.Name = string(appendName(nil, name))
		}
		masquerade, onEmpty := routeWords(v.External)
		f.Does, f.Endpoints = onEmpty, img.endpointsOf(v.External)
		if f.Via = "both=" + masquerade + "," + onEmpty; v.Internal != v.External {
			inside, empty := routeWords(v.Internal)
			f.Via = "internal=" + inside + "," + empty + " external=" + masquerade + "," + onEmpty
			f.Endpoints = append(f.Endpoints, img.endpointsOf(v.Internal)...)
		}
		s.Frontends = append(s.Frontends, f)
	}
	for i := range pods.Len() {
		s.Pods = append(s.Pods, backends.ServedPod{Address: layout.Address(pods.Key(i)).Addr().String(), Ingress: "judged", Egress: "judged"})
	}
	s.Normalize()
	return s
}

func (img *Image) endpointsOf(r layout.Route) (list []string) {
	for i := range r.Count {
		e := layout.DecodeEndpoint(img.maps[layout.Endpoints].Value(int(r.Base + i)))
		list = append(list, netip.AddrPortFrom(e.Address.Addr(), e.Port.Number()).String())
	}
	return list
}

// placeOf spells the place of a frontend as all backends do.
func placeOf(m ir.Match) string {
	at := m.Address
	if !at.IsValid() {
		if at = netip.IPv4Unspecified(); m.Family == ir.IPv6 {
			at = netip.IPv6Unspecified()
		}
	}
	return netip.AddrPortFrom(at, m.Port).String() + "/" + m.Protocol.String()
}

// matchOf is which packets a key of services is for.
func matchOf(key []byte) ir.Match {
	k := layout.DecodeServiceKey(key)
	m := ir.Match{Family: ir.Family(keyFamily(k)), Protocol: ir.Protocol(k.Protocol), Port: k.Port.Number()}
	if k.Scope&layout.ScopeNodePort == 0 {
		m.Address = k.Address.Addr()
	}
	return m
}

// routeWords say which packets of a route are masqueraded, and what becomes of those
// for which it has no endpoint.
func routeWords(r layout.Route) (masquerade, onEmpty string) {
	return [...]string{"never", "unless-local-source", "always"}[r.Masquerade], [...]string{backends.ServedReject, backends.ServedDrop}[r.OnEmpty]
}
