package connectivity

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/ir"
)

// Label names an end: "shop/web (3 pods)", or "shop/web (1 of 3 pods: web-0)" if policies
// treat the workload's pods in different ways.
func (e *End) Label() string {
	const most = 3
	switch {
	case len(e.Pods) < e.Of && len(e.Pods) <= most:
		return fmt.Sprintf("%v (%d of %d pods: %s)", e, len(e.Pods), e.Of, strings.Join(e.Pods, ", "))
	case len(e.Pods) < e.Of:
		return fmt.Sprintf("%v (%d of %d pods: %s, ...)", e, len(e.Pods), e.Of, strings.Join(e.Pods[:most], ", "))
	case e.Of > 1:
		return fmt.Sprintf("%v (%d pods)", e, e.Of)
	}
	return e.String()
}

// ID names an end among all ends: the workload, or with other pods of the workload in
// other ends the workload and its first pod.
func (e *End) ID() string {
	if len(e.Pods) < e.Of {
		return e.String() + "[" + e.Pods[0] + "]"
	}
	return e.String()
}

// Outside stands for all addresses outside.
const Outside = "outside"

// NetworkWords names networks: "outside" for all, "outside but 10.0.0.0/8" if that is
// shorter than a list. Where the cluster has both families, each has its own words, unless
// the networks are all of both.
func (m *Map) NetworkWords(networks []netip.Prefix) string { return m.networkWords(networks, true) }

// AllNetworkWords names networks without leaving out any of a long list.
func (m *Map) AllNetworkWords(networks []netip.Prefix) string { return m.networkWords(networks, false) }

func (m *Map) networkWords(networks []netip.Prefix, short bool) string {
	all := m.everywhere()
	if slices.Equal(networks, all) {
		return Outside
	}
	var parts []string
	for _, f := range []ir.Family{ir.IPv4, ir.IPv6} {
		whole, own := ir.PrefixesOf(f, all), ir.PrefixesOf(f, networks)
		if len(own) == 0 {
			continue
		}
		name := Outside
		if len(whole) < len(all) {
			name = fmt.Sprintf("%s over %s", Outside, FamilyWord(f))
		}
		parts = append(parts, familyWords(name, whole, own, short))
	}
	return strings.Join(parts, " and ")
}

// familyWords names networks of one family, all of which are whole and have a name.
func familyWords(name string, whole, networks []netip.Prefix, short bool) string {
	const most = 4
	if slices.Equal(networks, whole) {
		return name
	}
	rest := without(whole, networks)
	if len(rest) < len(networks) && len(rest) <= most {
		return name + " but " + clusterwide.Join(texts(rest), "and")
	}
	if short && len(networks) > most && len(rest) > most {
		return fmt.Sprintf("%s and %d more networks", strings.Join(texts(networks[:most-1]), ", "), len(networks)-most+1)
	}
	return clusterwide.Join(texts(networks), "and")
}

// everywhere returns all networks outside.
func (m *Map) everywhere() []netip.Prefix {
	var all []netip.Prefix
	for _, n := range m.outside {
		all = append(all, n.pieces...)
	}
	return clusterwide.Fold(all)
}

func texts(networks []netip.Prefix) []string {
	out := make([]string, len(networks))
	for i, p := range networks {
		if out[i] = p.String(); p.IsSingleIP() {
			out[i] = p.Addr().String()
		}
	}
	return out
}

// without returns the networks of all that are not in some.
func without(all, some []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, c := range clusterwide.Cuts(append(slices.Clone(all), some...)...) {
		if slices.ContainsFunc(some, func(p netip.Prefix) bool { return p.Bits() <= c.Prefix.Bits() && p.Contains(c.Prefix.Addr()) }) {
			continue
		}
		out = append(out, c.Pieces...)
	}
	return clusterwide.Fold(out)
}

// Names names the ends of a list in as few words as are true: "every workload", "every
// workload of shop", or the names. An edge leads from a list to others, which are left out
// of "every" if they are single pods.
func (m *Map) Names(list, others []*End) []string {
	in := make(map[*End]bool, len(list))
	for _, e := range list {
		in[e] = true
	}
	self := make(map[*End]bool)
	if len(others) == 1 && len(others[0].Pods) == 1 {
		self[others[0]] = true // it is not a peer of its own
	}
	var out []string
	whole := true
	for i := 0; i < len(m.Ends); {
		j, complete, some := i, true, 0
		for ; j < len(m.Ends) && m.Ends[j].Namespace == m.Ends[i].Namespace; j++ {
			if e := m.Ends[j]; in[e] && !self[e] {
				some++
			} else if !self[e] {
				complete = false
			}
		}
		whole = whole && complete
		switch {
		case complete && some > 1:
			out = append(out, "every workload of "+m.Ends[i].Namespace)
		case some > 0:
			for _, e := range m.Ends[i:j] {
				if in[e] && !self[e] {
					out = append(out, e.Label())
				}
			}
		}
		i = j
	}
	if whole && len(list) > 1 {
		return []string{EveryWorkload}
	}
	return out
}

// EveryWorkload stands for all ends.
const EveryWorkload = "every workload"
