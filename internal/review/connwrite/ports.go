package connwrite

import (
	"fmt"
	"strings"

	"github.com/planec/planec/internal/review/clusterwide"
)

// Ports lists a set for programs: "80/tcp", "8000-8999/udp", "tcp" for every port of a
// protocol, "other" for protocols without ports; "all" alone is every packet. Of those,
// "type-8/icmp", "icmp" and "protocol-47" are in the set without "other", and with "!"
// before them they are not, though "other" is.
func Ports(s *clusterwide.Ports) []string {
	if s.Other && s.String() == clusterwide.WordEveryPort {
		return []string{"all"}
	}
	out := []string{}
	protocols := clusterwide.Protocols()
	for i, spans := range s.Spans {
		for _, x := range spans {
			switch {
			case x.First == 0 && x.Last == clusterwide.LastPort:
				out = append(out, protocols[i].String())
			case x.First == x.Last:
				out = append(out, fmt.Sprintf("%d/%v", x.First, protocols[i]))
			default:
				out = append(out, fmt.Sprintf("%d-%d/%v", x.First, x.Last, protocols[i]))
			}
		}
	}
	but := ""
	if s.Other {
		out, but = append(out, "other"), "!"
	}
	for _, x := range s.Apart {
		out = append(out, but+strings.ReplaceAll(x.String(), " ", "-"))
	}
	return out
}
