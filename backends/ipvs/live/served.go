package live

import (
	"fmt"
	"slices"
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
				At: k.at(), Name: named[k], Via: service.settings.String(), Endpoints: slices.Clone(endpoints),
			})
		}
	}
	for _, does := range []string{backends.ServedReject, backends.ServedDrop} {
		var list []backends.ServedFrontend
		for _, f := range families {
			for _, from := range []string{"-inside", "-outside"} {
				for _, m := range s.rules.Members("plc-" + f.name + "-" + does + from) {
					list = append(list, refusedAt(m))
				}
			}
		}
		out.Refused(does, list...)
	}
	out.Normalize()
	return out
}

// marked are the places that lead to each mark.
func (s *State) marked() map[Key][]Key {
	out := make(map[Key][]Key)
	for _, f := range families {
		for _, set := range routeSets {
			for element, mark := range routesOf(s.rules, "plc-"+f.name+set) {
				k := Key{Mark: mark, IPv6: f.ipv6}
				if at, err := parseElement(element); err == nil {
					out[k] = append(out[k], at)
				}
			}
		}
	}
	return out
}

// at is the place of a frontend, as every backend calls it.
func (k Key) at() string { return fmt.Sprintf("%v/%v", k.Address, k.Protocol) }

// refusedAt reads an element of a set.
func refusedAt(member string) backends.ServedFrontend {
	k, err := parseElement(member)
	if err != nil {
		return backends.ServedFrontend{At: member}
	}
	_, name, _ := strings.Cut(member, ` comment "`)
	return backends.ServedFrontend{At: k.at(), Name: strings.TrimSuffix(name, `"`)}
}
