package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// reason is why a directory differs.
type reason string

const (
	equal reason = "equal"
	// cidrs: a network in a policy holds the pods whose addresses are in it, as kernels
	// see it; the other tool takes networks for addresses outside of the cluster only.
	cidrs reason = "equal, once networks in policies are taken for addresses outside only"
	// selectors: the API server wants both a namespaceSelector and a podSelector in "pods"
	// of an AdminNetworkPolicy; planec leaves a policy out that lacks one.
	selectors reason = "equal, once AdminNetworkPolicies that lack a required selector get an empty one"
	// names: the API server refuses names with an underscore.
	names reason = "equal, once names that the API server refuses are made valid"
	// hosts: policies do not apply to pods on the host's network.
	hosts reason = "equal, once pods on the host's network are pods like others"
	// finished: pods that have finished have no connections.
	finished reason = "equal, once pods that have finished count"
	// several of the above.
	several reason = "equal, once several of these are changed"
	// kinds: the list has workloads or networks of kinds that are nothing for planec.
	kinds reason = "different: workloads or networks of kinds that planec does not read"
	// refused: planec refuses a policy that the API server refuses too.
	refused reason = "different: the API server refuses an object of the input, and planec leaves it out or closes it"
	unknown reason = "different"
)

func reasons() []reason {
	return []reason{equal, cidrs, selectors, names, hosts, finished, several, kinds, refused, unknown}
}

// compare compares a directory with what is expected of it.
func compare(dir string, e expected) (reason, []string) {
	docs, err := readDocuments(dir)
	if err != nil {
		return unknown, []string{err.Error()}
	}
	owners := docs.owners()
	differences, diags, err := e.differences(manifest.Options{Paths: []string{dir}, Recursive: true}, owners)
	switch {
	case err != nil:
		return unknown, []string{err.Error()}
	case len(differences) == 0:
		return equal, nil
	}
	for _, try := range tries() {
		built, err := docs.changed(try.repairs)
		if err != nil {
			return unknown, []string{err.Error()}
		}
		if again, _, err := e.differences(manifest.Options{Built: built}, owners); err == nil && len(again) == 0 {
			return try.why, differences
		}
	}
	i := slices.IndexFunc(diags, func(d diag.Diagnostic) bool { return d.Severity() == diag.Error })
	switch {
	case e.networks || strings.HasPrefix(differences[0], noPods):
		return kinds, differences
	case i >= 0:
		return refused, append(differences, fmt.Sprint(diags[i]))
	}
	return unknown, differences
}

// try is some repairs at once.
type try struct {
	why     reason
	repairs []repair
}

// tries are the single repairs, and all of them.
func tries() []try {
	var out []try
	for _, r := range repairs() {
		out = append(out, try{r.why, []repair{r}})
	}
	return append(out, try{several, repairs()})
}

// differences reads the input and compares.
func (e *expected) differences(o manifest.Options, owners map[string]string) ([]string, diag.List, error) {
	got, diags, err := ask(o, owners)
	if err != nil {
		return nil, nil, err
	}
	want, missing := e.answers(got.byName)
	return append(missing, got.minus(want)...), diags, nil
}

// noPods begins the difference that a workload of the list has no pods.
const noPods = "no pods of "

// answers turns a list into answers, and says which workloads planec has not.
func (e *expected) answers(byName map[string][]string) (*answers, []string) {
	out := newAnswers()
	var missing []string
	pods := func(p peer) []string {
		list := byName[p.namespace+"/"+p.name]
		for _, pod := range list {
			out.groups[pod] = p.namespace + "/" + p.name
		}
		if text := fmt.Sprintf(noPods+"%s/%s[%s]", p.namespace, p.name, p.kind); len(list) == 0 && !slices.Contains(missing, text) {
			missing = append(missing, text)
		}
		return list
	}
	for _, l := range e.lines {
		switch {
		case l.from.controller:
			for _, p := range pods(l.to) {
				out.entries[p] = out.entries[p].Union(l.ports)
			}
		case l.from.first.IsValid():
			for _, p := range pods(l.to) {
				out.outside(out.in, p, l.ports, between(l.from.first, l.from.last))
			}
		case l.to.first.IsValid():
			for _, p := range pods(l.from) {
				out.outside(out.out, p, l.ports, between(l.to.first, l.to.last))
			}
		default:
			for _, a := range pods(l.from) {
				for _, b := range pods(l.to) {
					if a != b {
						out.pods[[2]string{a, b}] = l.ports
					}
				}
			}
		}
	}
	return out, missing
}

// between returns the networks of a range of addresses.
func between(first, last netip.Addr) []netip.Prefix {
	var out []netip.Prefix
	for a := first; ; {
		p := netip.PrefixFrom(a, a.BitLen())
		for p.Bits() > 0 {
			wider := netip.PrefixFrom(a, p.Bits()-1)
			if wider.Masked() != wider || ir.LastAddr(wider).Compare(last) > 0 {
				break
			}
			p = wider
		}
		out = append(out, p)
		if a = ir.LastAddr(p).Next(); !a.IsValid() || a.Compare(last) > 0 {
			return out
		}
	}
}

// minus lists where two answers differ. Pods of one workload are not compared with each
// other, because lists do not name them.
func (a *answers) minus(want *answers) []string {
	var out []string
	say := func(what string, got, want string) {
		if got != want {
			out = append(out, fmt.Sprintf("%s: planec %q, expected %q", what, got, want))
		}
	}
	for _, pair := range keys(a.pods, want.pods) {
		if x, y := want.groups[pair[0]], want.groups[pair[1]]; x == "" || x != y {
			say(pair[0]+" to "+pair[1], a.pods[pair].String(), want.pods[pair].String())
		}
	}
	for _, pod := range keys(a.in, want.in) {
		say("outside to "+pod, words(a.in[pod]), words(want.in[pod]))
	}
	for _, pod := range keys(a.out, want.out) {
		say(pod+" to outside", words(a.out[pod]), words(want.out[pod]))
	}
	for _, pod := range keys(a.entries, want.entries) {
		say("controller to "+pod, a.entries[pod].String(), want.entries[pod].String())
	}
	slices.Sort(out)
	return out
}

func keys[K comparable, V any](a, b map[K]V) []K {
	var out []K
	for k := range a {
		out = append(out, k)
	}
	for k := range b {
		if _, have := a[k]; !have {
			out = append(out, k)
		}
	}
	return out
}

func words(byPorts map[string]addresses) string {
	var out []string
	for ports, list := range byPorts {
		out = append(out, fmt.Sprintf("%v on %s", clusterwide.Fold(withoutPods(list)), ports))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// withoutPods returns networks without the range of pods, which is not outside.
func withoutPods(list []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, c := range clusterwide.Cuts(append(slices.Clone(list), podRange)...) {
		if c.Prefix != podRange && !podRange.Contains(c.Prefix.Addr()) {
			out = append(out, c.Pieces...)
		}
	}
	return out
}
