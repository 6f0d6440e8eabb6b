package live

import (
	"fmt"
	"slices"

	"github.com/planec/planec/backends"
)

// Served reads our virtual services and their destinations. Names are those that
// sets have beside the same address and port.
func (s *State) Served() backends.Served {
	out := s.rules.Served()
	out.Frontends = nil
	names := make(map[Key]string)
	named(names, s.rules)
	marked := make(map[Key][]Key)
	for at, mark := range leads(s.rules) {
		marked[mark] = append(marked[mark], at)
	}
	for k := range owned(s.rules) {
		service := s.services[k]
		if service == nil {
			continue
		}
		var endpoints []string
		for to, d := range service.destinations {
			if d.weight > 0 {
				endpoints = append(endpoints, to.String())
			}
		}
		at := []Key{k}
		if k.Mark != 0 {
			at = marked[k]
		}
		for _, k := range at {
			out.Frontends = append(out.Frontends, backends.ServedFrontend{
				At: k.at(), Name: names[k], Via: service.settings.String(), Endpoints: slices.Clone(endpoints),
			})
		}
	}
	s.rules.Refused(&out)
	out.Normalize()
	return out
}

// at is the place of a frontend, as every backend calls it.
func (k Key) at() string { return fmt.Sprintf("%v/%v", k.Address, k.Protocol) }
