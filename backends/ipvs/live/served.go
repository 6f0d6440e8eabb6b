package live

import (
	"fmt"
	"strings"

	"github.com/planec/planec/backends"
)

// Served reads our virtual services and their destinations. Names are those that
// sets have beside the same address and port.
func (s *State) Served() backends.Served {
	out := s.rules.Served()
	out.Frontends = nil
	named := make(map[Key]string)
	for _, f := range families {
		for _, m := range s.rules.Members("plc-" + f.name + "-services") {
			k, err := parseElement(m)
			_, name, found := strings.Cut(m, ` comment "`)
			if err == nil && found {
				named[k] = strings.TrimSuffix(name, `"`)
			}
		}
	}
	for k := range owned(s.rules) {
		service := s.services[k]
		if service == nil {
			continue
		}
		f := backends.ServedFrontend{At: k.String(), Name: named[k], Does: service.settings.String()}
		if k.Mark == 0 {
			f.At = fmt.Sprintf("%v/%v", k.Address, k.Protocol)
		}
		for to, d := range service.destinations {
			if d.weight > 0 {
				f.Endpoints = append(f.Endpoints, to.String())
			}
		}
		out.Frontends = append(out.Frontends, f)
	}
	out.Normalize()
	return out
}
