package live

import (
	"fmt"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtables"
)

// Served reads our virtual services and their destinations. Names are those that
// sets have beside the same address and port.
func (s *State) Served() backends.Served {
	out := s.rules.Served()
	out.Frontends = nil
	names := make(map[Key]string)
	named(names, s.rules)
	marked := s.marked()
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

// marked are the places that lead to each mark.
func (s *State) marked() map[Key][]Key {
	out := make(map[Key][]Key)
	for _, set := range s.rules.Sets(xtables.Routes) {
		for at, mark := range routesOf(&set) {
			k := Key{Mark: mark, IPv6: set.IPv6}
			out[k] = append(out[k], at)
		}
	}
	return out
}

// at is the place of a frontend, as every backend calls it.
func (k Key) at() string { return fmt.Sprintf("%v/%v", k.Address, k.Protocol) }
