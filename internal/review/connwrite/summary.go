package connwrite

import (
	"fmt"
	"strings"

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
	case len(m.Ends) < 2:
		return fmt.Sprintf("%s (%s)", several(len(m.Ends), "workload"), several(pods, "pod"))
	case m.Filtered:
		return fmt.Sprintf("%s (%s): of %d pairs of workloads %d are asked for and can connect", several(len(m.Ends), "workload"), several(pods, "pod"), all, connected)
	}
	return fmt.Sprintf("%s (%s): %d of %d pairs of workloads can connect", several(len(m.Ends), "workload"), several(pods, "pod"), connected, all)
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
		out = append(out, "pairs that are not listed cannot connect")
	}
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
	return append(append(out, o.Notes...), m.Bounds...)
}
