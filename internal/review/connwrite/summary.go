package connwrite

import (
	"fmt"
	"strings"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/connectivity"
)

// Summary counts: "5 workloads (9 pods): 7 of 20 pairs can connect".
func Summary(m *connectivity.Map) string {
	pods := 0
	for _, e := range m.Ends {
		pods += len(e.Pods)
	}
	connected, all := m.Counts()
	switch {
	case m.Filtered:
		return fmt.Sprintf("%s (%s); %s", several(len(m.Ends), "workload"), several(pods, "pod"), asked(m, connected, all))
	case len(m.Ends) < 2:
		return fmt.Sprintf("%s (%s)", several(len(m.Ends), "workload"), several(pods, "pod"))
	}
	return fmt.Sprintf("%s (%s): %d of %d pairs of workloads can connect", several(len(m.Ends), "workload"), several(pods, "pod"), connected, all)
}

// asked counts what a filter leaves: "asked for and listed: 1 of 20 pairs of workloads, 2
// pairs of a workload and networks outside and 1 entry point".
func asked(m *connectivity.Map, connected, all int) string {
	var parts []string
	self, outside := 0, 0
	m.Pairs(func(from, to connectivity.Group, _ *connectivity.Edge) bool {
		switch {
		case len(from.Ends) == 0 || len(to.Ends) == 0:
			outside++
		case from.Ends[0] == to.Ends[0]:
			self++
		}
		return true
	})
	if connected > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d pairs of workloads", connected, all))
	}
	if self > 0 {
		parts = append(parts, several(self, "workload")+" in itself")
	}
	if outside > 0 {
		parts = append(parts, several(outside, "pair")+" of a workload and networks outside")
	}
	if len(m.Entries) > 0 {
		parts = append(parts, several(len(m.Entries), "entry point"))
	}
	if len(parts) == 0 && len(m.Families) > 0 {
		return "nothing of what is asked for can connect over the family that the source prefers"
	}
	if len(parts) == 0 {
		return "nothing of what is asked for can connect"
	}
	return "asked for and listed: " + clusterwide.Join(parts, "and")
}

func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Notes are sentences that a reader of the edges should know.
func Notes(m *connectivity.Map, o *Options) []string {
	var out []string
	if len(m.Ends) > 0 && !m.Filtered {
		if len(m.Families) > 0 {
			out = append(out, "pairs that are neither listed nor in the next note cannot connect")
		} else {
			out = append(out, "pairs that are not listed cannot connect")
		}
	}
	out = append(out, Bounds(m)...)
	var split []string
	host := false
	for _, e := range m.Ends {
		if name := e.String(); len(e.Pods) < e.Of && (len(split) == 0 || split[len(split)-1] != name) {
			split = append(split, name)
		}
		host = host || e.Host
	}
	if len(split) > 0 {
		out = append(out, "policies treat pods of one workload in different ways: "+strings.Join(shorten(split, "workloads"), ", "))
	}
	if host {
		out = append(out, "pods on the host's network are their node for policies; a node reaches the pods on it whatever policies say")
	}
	return append(out, o.Notes...)
}

// mostFamilies bounds the pairs of one note.
const mostFamilies = 32

// Bounds are the notes without which the edges could be misread: forms that have no place
// for notes need them beside the output.
func Bounds(m *connectivity.Map) []string {
	var out []string
	if len(m.Families) > 0 {
		var list []string
		for i, x := range m.Families {
			if i == mostFamilies {
				list = append(list, fmt.Sprintf("and %d more sets of pairs, which -o json has", len(m.Families)-i))
				break
			}
			ports := "nothing"
			if !x.Ports.Empty() {
				ports = x.Ports.String()
			}
			from, to := shorten(m.Names(x.From.Ends, x.To.Ends), "workloads"), shorten(m.Names(x.To.Ends, x.From.Ends), "workloads")
			list = append(list, fmt.Sprintf("%s → %s: %s over %s", strings.Join(from, ", "), strings.Join(to, ", "), ports, connectivity.FamilyWord(x.Family)))
		}
		out = append(out, "policies tell the families of these pairs apart, and the list is about the one that the source prefers; over the other one: "+strings.Join(list, "; "))
	}
	return append(out, m.Bounds...)
}
