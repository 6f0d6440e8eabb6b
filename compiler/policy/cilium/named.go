package cilium

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/policy/clause"
)

// numberGroup is the pods among some peers on which a named port has one number.
type numberGroup struct {
	number uint16
	pods   []*clause.Pod // in the order of the cluster, or of the selectors
	id     string        // of the peer
}

// numberGroups divides the pods among peers by the number of a named port, the lowest
// first; those without the port are in no group.
func (w *world) numberGroups(p *peers, n *namedPort) []numberGroup {
	text := w.podsText(p) + " with " + n.String()
	if have, known := w.numbers.Load(text); known {
		return have.([]numberGroup)
	}
	byNumber := make(map[uint16][]*clause.Pod)
	for _, pod := range w.amongPeers(p, n.name) {
		if at, there := number(pod, n.name, n.protocol); there {
			byNumber[at] = append(byNumber[at], pod)
		}
	}
	out := make([]numberGroup, 0, len(byNumber))
	for at, pods := range byNumber {
		out = append(out, numberGroup{at, pods, fmt.Sprintf("%s=%d", text, at)})
	}
	slices.SortFunc(out, func(a, b numberGroup) int { return int(a.number) - int(b.number) })
	have, _ := w.numbers.LoadOrStore(text, out)
	return have.([]numberGroup)
}

// amongPeers returns pods among the peers, at least all with a port of the name.
func (w *world) amongPeers(p *peers, name string) []*clause.Pod {
	all := w.withNamedPort(name)
	if p.any {
		return all
	}
	if !w.options.cidrPods || len(p.networks) == 0 {
		candidates := 0
		for _, s := range p.selectors {
			candidates += len(w.candidates(s))
		}
		if candidates < len(all) {
			var out []*clause.Pod
			for _, s := range p.selectors {
				out = append(out, w.pods(s)...)
			}
			return distinct(out)
		}
	}
	var out []*clause.Pod
	for _, pod := range all {
		if w.selectsPod(p, pod) {
			out = append(out, pod)
		}
	}
	return out
}

// selectsPod reports whether a pod is among the peers; CIDRs match pods only by an option.
func (w *world) selectsPod(p *peers, pod *clause.Pod) bool {
	if slices.ContainsFunc(p.selectors, func(s selector) bool { return s.matches(podLabels{w, pod}) }) {
		return true
	}
	return w.options.cidrPods && slices.ContainsFunc(p.networks, func(n network) bool {
		return slices.ContainsFunc(pod.Addresses, func(a netip.Addr) bool { return n.holds(a, true) })
	})
}

// podsText is canonical for the pods among the peers.
func (w *world) podsText(p *peers) string {
	if p.any {
		return "cilium everybody"
	}
	var texts []string
	for _, s := range p.selectors {
		texts = append(texts, "{"+s.String()+"}")
	}
	if w.options.cidrPods {
		for _, n := range p.networks {
			texts = append(texts, "{members in "+n.text+"}")
		}
	}
	slices.Sort(texts)
	return "cilium " + strings.Join(slices.Compact(texts), " ")
}
