package live

import (
	"fmt"
	"slices"

	"github.com/planec/planec/backends"
)

// Served reads planec's virtual services and their destinations. The names come
// from the set elements with the same address and port.
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

// at returns the place of a frontend in the notation that all backends share.
func (k Key) at() string { return fmt.Sprintf("%v/%v", k.Address, k.Protocol) }
