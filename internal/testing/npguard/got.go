package main

import (
	"context"
	"net/netip"
	"strings"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/synth"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// answers is everything that can connect, in a form that both tools' lists have.
type answers struct {
	pods    map[[2]string]clusterwide.Ports // from one pod to another
	in, out map[string]map[string]addresses // from and to outside: by pod, then by ports
	entries map[string]clusterwide.Ports    // from a controller, by pod
	byName  map[string][]string             // the pods of a workload or of a pod's name
	groups  map[string]string               // what a list calls the workload of a pod
}

// addresses are prefixes.
type addresses []netip.Prefix

func newAnswers() *answers {
	return &answers{pods: make(map[[2]string]clusterwide.Ports), in: make(map[string]map[string]addresses), out: make(map[string]map[string]addresses), entries: make(map[string]clusterwide.Ports), groups: make(map[string]string)}
}

func (a *answers) outside(way map[string]map[string]addresses, pod string, ports clusterwide.Ports, networks []netip.Prefix) {
	if ports.Empty() || len(networks) == 0 {
		return
	}
	if way[pod] == nil {
		way[pod] = make(map[string]addresses)
	}
	key := strings.Join(ports.List(), " ")
	way[pod][key] = append(way[pod][key], networks...)
}

// podRange is where pods are made: no test names a network in it.
var podRange = netip.MustParsePrefix("100.127.0.0/16")

// load reads input as `planec matrix --synth` does.
func load(o manifest.Options) (objects.Set, diag.List, error) {
	o.Workloads, o.Entries, o.KeepGoing = true, true, true
	set, diags, err := manifest.Load(context.Background(), o)
	if err != nil {
		return set, nil, err
	}
	set.Deduplicate(&diags)
	r := synth.Complete(&set, synth.Options{PodCIDRs: []netip.Prefix{podRange}})
	return r.Set, append(diags, r.Diagnostics...), nil
}

// ask turns planec's map of some input into answers.
func ask(o manifest.Options, owners map[string]string) (*answers, diag.List, error) {
	set, diags, err := load(o)
	if err != nil {
		return nil, nil, err
	}
	cluster := compiler.Prepare(&set, objects.Config{ClusterCIDRs: []netip.Prefix{podRange}})
	m := connectivity.Of(&set, cluster, nil)
	out := newAnswers()
	pods := func(g connectivity.Group) (out []string) {
		for _, e := range g.Ends {
			for _, p := range e.Pods {
				out = append(out, e.Namespace+"/"+p)
			}
		}
		return out
	}
	for _, e := range m.Edges {
		ports := normal(*e.Ports)
		from, to := pods(e.From), pods(e.To)
		for _, a := range from {
			for _, b := range to {
				if a != b && !ports.Empty() {
					out.pods[[2]string{a, b}] = ports
				}
			}
			out.outside(out.out, a, ports, v4(e.To.Networks))
		}
		for _, b := range to {
			out.outside(out.in, b, ports, v4(e.From.Networks))
		}
	}
	for _, e := range m.Entries {
		for _, p := range pods(connectivity.Group{Ends: []*connectivity.End{e.To}}) {
			if ports := normal(out.entries[p].Union(e.Ports)); !ports.Empty() {
				out.entries[p] = ports
			}
		}
	}
	out.byName = podsByName(m, owners)
	return out, append(diags, cluster.Diagnostics()...), nil
}

// podsByName maps what a list calls a workload to its pods: the name of a pod's owner, the
// workload's, or the pod's.
func podsByName(m *connectivity.Map, owners map[string]string) map[string][]string {
	out := make(map[string][]string)
	for _, e := range m.Ends {
		for _, p := range e.Pods {
			pod := e.Namespace + "/" + p
			if owner, has := owners[pod]; has {
				out[owner] = append(out[owner], pod)
				continue
			}
			out[e.String()] = append(out[e.String()], pod)
			if p != e.Name {
				out[pod] = append(out[pod], pod)
			}
		}
	}
	return out
}

func v4(networks []netip.Prefix) []netip.Prefix { return ir.PrefixesOf(ir.IPv4, networks) }
