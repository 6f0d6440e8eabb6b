//go:build !js

package cli

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/clusterset"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/gittree"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/internal/input/synth"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// clusterObjects are the objects of one cluster of a set.
type clusterObjects = clusterset.Cluster

// registerClusters adds the flag for other clusters to a command that is not about a kernel: what
// a mesh writes is made up, and a kernel has what an API server has.
func (in *input) registerClusters(flags *pflag.FlagSet, forms string) {
	flags.StringArrayVar(&in.clusters, "cluster", nil, "another cluster of the set, as NAME="+forms+": its endpoints join global Services of Cilium and ServiceImports, as a mesh would make them, and policies of Cilium see its pods; may be repeated")
}

// joined adds what a mesh would add of the clusters of --cluster.
func (in *input) joined(s *Streams, set objects.Set, own string) (objects.Set, []clusterObjects, diag.List, error) {
	if len(in.clusters) > clusterset.Most {
		return set, nil, nil, fmt.Errorf("--cluster: %d other clusters, at most %d are allowed", len(in.clusters), clusterset.Most)
	}
	var others []clusterObjects
	var diags diag.List
	names := map[string]bool{own: true}
	for _, given := range in.clusters {
		name, path, ok := strings.Cut(given, "=")
		if !ok || path == "" {
			return set, nil, nil, fmt.Errorf("--cluster %q: want NAME=PATH", given)
		}
		if _, err := nodeconfig.ParseClusterName(name); err != nil {
			return set, nil, nil, fmt.Errorf("--cluster: %w", err)
		}
		if names[name] {
			return set, nil, nil, fmt.Errorf("--cluster: a second cluster named %s", name)
		}
		names[name] = true
		other, said, err := in.readCluster(s, path)
		if err != nil {
			return set, nil, nil, fmt.Errorf("--cluster %s: %w", name, err)
		}
		diags = append(diags, said...)
		others = append(others, clusterObjects{Name: name, Objects: &other})
	}
	if in.synth {
		said, err := in.completeAll(others)
		if err != nil {
			return set, nil, nil, err
		}
		diags = append(diags, said...)
	}
	before := set
	set, said := clusterset.Join(clusterObjects{Name: own, Objects: &set}, others)
	return set, append([]clusterObjects{{Name: own, Objects: &before}}, others...), append(diags, said...), nil
}

// readCluster reads the manifests of another cluster, of files or of a revision of Git.
func (in *input) readCluster(s *Streams, path string) (objects.Set, diag.List, error) {
	o := manifest.Options{Exclude: in.exclude, Recursive: in.recursive, Workloads: in.synth, KeepGoing: in.keepGoing, Progress: s.reading}
	source, isGit, err := gittree.Parse(path)
	if err != nil {
		return objects.Set{}, nil, err
	}
	if isGit {
		dir, err := os.MkdirTemp("", "planec-git-")
		if err != nil {
			return objects.Set{}, nil, err
		}
		defer os.RemoveAll(dir) // it is in the system's directory for temporary files
		root, err := gittree.Copy(context.Background(), source, dir, func(string) bool { return true })
		if err != nil {
			return objects.Set{}, nil, err
		}
		path, o.Base, o.Recursive = filepath.Join(dir, filepath.FromSlash(root)), dir, true
	}
	o.Paths = []string{path}
	set, diags, err := manifest.Load(context.Background(), o)
	set.Deduplicate(&diags)
	return set, diags, err
}

// completeAll is [input.complete] for other clusters: each has networks of pods of its own.
func (in *input) completeAll(clusters []clusterObjects) (diag.List, error) {
	const most = 64
	if len(clusters) > most {
		return nil, fmt.Errorf("--synth has networks of pods for %d other clusters, %d are given", most, len(clusters))
	}
	slices.SortFunc(clusters, func(a, b clusterObjects) int { return strings.Compare(a.Name, b.Name) })
	var diags diag.List
	for i := range clusters {
		r := synth.Complete(clusters[i].Objects, synth.Options{Nodes: in.nodes, PodCIDRs: []netip.Prefix{
			netip.PrefixFrom(netip.AddrFrom4([4]byte{100, byte(64 + i), 0, 0}), 16), // of RFC 6598
			netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, 0, 0, 0x10, 0x10, byte(i)}), 48),
		}})
		clusters[i].Objects, diags = &r.Set, append(diags, r.Diagnostics...)
	}
	return diags, nil
}

// clustersOf are the clusters of --cluster of one side of a comparison: NAME=PATH is on both,
// NAME=OLD,NEW is what it says. A comma is in no form of a path that diff knows; two dots, as Git
// has them, begin paths.
func clustersOf(given []string, side int) ([]string, error) {
	out := make([]string, 0, len(given))
	for _, g := range given {
		name, path, ok := strings.Cut(g, "=")
		before, after, two := strings.Cut(path, ",")
		switch {
		case !ok || path == "" || two && (before == "" || after == ""):
			return nil, fmt.Errorf("--cluster %q: want NAME=PATH, or NAME=OLD,NEW", g)
		case two && side == 0:
			path = before
		case two:
			path = after
		}
		out = append(out, name+"="+path)
	}
	return out, nil
}

// networks returns the network of each cluster, by name, and the pods of all: the own one as it was
// loaded, each other one with what a mesh would write into it.
func (l *loaded) networks(judge func(*ir.Program) (netpath.Judge, error)) (map[string]*netpath.Network, []netpath.Pod) {
	own := l.set[0].Name
	networks := map[string]*netpath.Network{own: netpath.New(&l.objects, l.cluster, judge)}
	pods := netpath.InCluster(netpath.Pods(&l.objects), own)
	for i, c := range l.set {
		if i == 0 {
			continue
		}
		joined, _ := clusterset.Join(c, slices.Delete(slices.Clone(l.set), i, i+1))
		config := l.given
		config.ClusterName, config.ClusterCIDRs = c.Name, nil
		var said diag.List
		derivePodRange(&joined, &config, &said)
		networks[c.Name] = netpath.New(&joined, compiler.Prepare(&joined, config), judge)
		pods = append(pods, netpath.InCluster(netpath.Pods(&joined), c.Name)...)
	}
	return networks, pods
}

// unasked names an endpoint of another cluster, whose policies trace does not ask, or "".
func (l *loaded) unasked(o netpath.Outcome) string {
	for _, c := range o.Endpoints {
		for i := 1; i < len(l.set); i++ {
			for _, p := range netpath.Pods(l.set[i].Objects) {
				if c.Address.Addr() == p.Addresses[ir.FamilyOf(c.Address.Addr())] {
					return fmt.Sprintf("%s is a pod of cluster %s, whose policies trace does not ask: matrix --port does", c.Address.Addr(), l.set[i].Name)
				}
			}
		}
	}
	return ""
}
