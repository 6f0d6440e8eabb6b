package calico

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/policy/calico/selector"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// distinct sorts ranges and removes equal ones.
func distinct(in []ir.PortRange) []ir.PortRange {
	slices.SortFunc(in, func(a, b ir.PortRange) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
	})
	return slices.Compact(in)
}

func rangesText(ranges []ir.PortRange) string {
	words := make([]string, len(ranges))
	for i, r := range ranges {
		words[i] = r.String()
	}
	return strings.Join(words, ",")
}

// portGroup is pods on which the same names mean the same numbers.
type portGroup struct {
	numbers []ir.PortRange // at least one
	pods    []*clause.Pod  // in the order of the cluster
	text    string         // "http,dns=8080/tcp"
}

// groupKey is a question about named ports.
type groupKey struct {
	selector, names string
	protocol        ir.Protocol
}

// portGroups divides the pods that a selector selects, nil being all, by what the names
// mean on them. Pods that have none of the names are in no group. A pod's numbers are
// those of all the names.
func (w *world) portGroups(s *selector.Selector, names []string, of ir.Protocol) []portGroup {
	key := groupKey{names: strings.Join(names, ","), protocol: of}
	if s != nil {
		key.selector = s.String()
	}
	if have, known := w.groups.Load(key); known {
		return have.([]portGroup)
	}
	byNumbers := make(map[string]*portGroup)
	among := w.withPorts(names)
	if s != nil {
		if fewer := w.candidates(s); len(fewer) < len(among) {
			among = fewer
		}
	}
	for _, p := range among {
		if s != nil && !w.matches(s, p) {
			continue
		}
		mean := numbersOf(p, names, of)
		if len(mean) == 0 {
			continue
		}
		text := rangesText(mean)
		if byNumbers[text] == nil {
			byNumbers[text] = &portGroup{numbers: mean, text: key.names + "=" + text}
		}
		byNumbers[text].pods = append(byNumbers[text].pods, p)
	}
	out := make([]portGroup, 0, len(byNumbers))
	for _, text := range slices.Sorted(maps.Keys(byNumbers)) {
		out = append(out, *byNumbers[text])
	}
	have, _ := w.groups.LoadOrStore(key, out)
	return have.([]portGroup)
}

// numbersOf returns what several names mean on a pod.
func numbersOf(p *clause.Pod, names []string, of ir.Protocol) []ir.PortRange {
	var out []ir.PortRange
	for _, name := range names {
		out = append(out, numbers(p, name, of)...)
	}
	return distinct(out)
}

// withPorts returns the pods that have a port of one of the names, in the order of the
// cluster.
func (w *world) withPorts(names []string) []*clause.Pod {
	w.portsOnce.Do(func() {
		w.withPort = make(map[string][]*clause.Pod)
		for _, p := range w.cluster.Pods {
			for _, port := range namedPorts(p) {
				if have := w.withPort[port.Name]; len(have) == 0 || have[len(have)-1] != p {
					w.withPort[port.Name] = append(have, p)
				}
			}
		}
	})
	var out []*clause.Pod
	for _, name := range names {
		out = append(out, w.withPort[name]...)
	}
	if len(names) > 1 {
		slices.SortFunc(out, func(a, b *clause.Pod) int {
			return cmp.Or(cmp.Compare(a.Namespace.Name, b.Namespace.Name), cmp.Compare(a.Name, b.Name))
		})
		out = slices.Compact(out)
	}
	return out
}
