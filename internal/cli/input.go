package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/internal/input/kustomize"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/internal/input/nodeflags"
	"github.com/planec/planec/internal/input/synth"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/podnet"
)

// input holds the flags of every command that reads manifests.
type input struct {
	reporting
	exceptions
	cluster
	// care says which input the command accepts.
	care care
	// base is the directory with copied Git files; file names omit it.
	base string
	// part reports that the input is one of two states, so that it may lack the node.
	part     bool
	settings nodeflags.Flags
	paths    []string
	// kustomizations are directories to build.
	kustomizations []string
	// entries also reads Ingresses and routes.
	entries bool
	// exclude are patterns of entries in directories that are not read.
	exclude   []string
	recursive bool
	nodeName  string
	synth     bool
	nodes     int
	// clusters are other clusters of the set, each NAME=PATH.
	clusters []string
	// zone is the domain of the cluster; "" is the usual one.
	zone string
	// balancing are the settings of pools of addresses.
	balancing ipam.Settings
}

func (in *input) register(flags *pflag.FlagSet) {
	flags.StringSliceVarP(&in.paths, "filename", "f", nil, "files, directories or - for stdin; may be repeated")
	flags.BoolVarP(&in.recursive, "recursive", "R", false, "search directories below the given ones too: without hidden ones, vendor and node_modules, charts' templates, and what kustomizations change")
	flags.StringArrayVarP(&in.kustomizations, "kustomize", "k", nil, "directory of a kustomization to build, as kubectl -k does; may be repeated")
	flags.StringArrayVar(&in.exclude, "exclude", nil, "files and directories to leave out of directories: a name with * and ?, or a path with ** below the given directory; may be repeated")
	flags.StringVar(&in.nodeName, "node", "", "name of the node")
	flags.BoolVar(&in.synth, "synth", false, "make the Pods, Nodes, slices and addresses that a repository does not hold; see planec synth")
	flags.IntVar(&in.nodes, "synth-nodes", 3, "with --synth: how many Nodes, where the input has none; at most 16")
	flags.StringSliceVar(&in.balancing.Classes, "lb-class", ipam.DefaultClasses(), "loadBalancerClasses whose Services get addresses of pools; - stands for Services without a class")
	in.cluster.register(flags)
	in.settings.Register(flags)
	in.reporting.register(flags)
	in.exceptions.register(flags)
}

// loaded is the input of a command.
type loaded struct {
	*input
	objects objects.Set
	cluster *compiler.Cluster
	// set are all clusters as they were read, the own one first; nil without --cluster.
	set []clusterObjects
	// podRoutes and given are the settings that pod routes need, as they were given.
	podRoutes podnet.Settings
	given     objects.Config
	// options are the settings that backends use.
	options backends.Options
	// config are the settings of the node.
	config nodeconfig.NodeConfig
	// nodeName is --node, or the node of the settings.
	nodeName string
	read     diag.List
	streams  *Streams
	// named are notes about names that were resolved.
	named []string
	// network traces connections; only commands that do so set it.
	network *netpath.Network
	// made holds what --synth made; objects contains it too.
	made objects.Set
	// addresses are what pools give to Services; nil without --synth, or without pools.
	addresses *ipam.Result
	// compared says that the input is a side of a comparison, which others read: it shows no
	// passwords.
	compared bool
	// beside is what is written beside the rules of each node.
	beside []companion
	// services are the input's Services as written.
	services []objects.Sourced[*corev1.Service]
	// workloads are the input's workloads.
	workloads []objects.Sourced[*objects.Workload]
}

func (in *input) load(s *Streams) (*loaded, error) {
	files := len(in.paths) + len(in.kustomizations)
	in.current = in.current || s.Plugin && files == 0
	switch {
	case files == 0 && !in.isGiven():
		return nil, inputError(errors.New("-f is missing: give files, directories or -, -k with a kustomization, or --context with a cluster"))
	case files > 0 && in.isGiven():
		return nil, inputError(errTwoSources)
	}
	if _, err := in.printer(s.Err, s.ErrColor); err != nil {
		return nil, err
	}
	if in.quiet {
		s.progress.mute()
	}
	defer s.progress.end()
	settings, diags, err := in.settings.Read()
	if err != nil {
		return nil, inputError(err)
	}
	set, loadDiags, err := in.read(s)
	if known := (*exitError)(nil); errors.As(err, &known) {
		return nil, err
	}
	if err != nil {
		return nil, inputError(err)
	}
	s.progress.step("compiling what all nodes have in common")
	set.Deduplicate(&loadDiags) // as in the agent; the compiler deduplicates only some kinds
	services, workloads, made := set.Services, set.Workloads, objects.Set{}
	var addresses *ipam.Result
	given := settings.Config // what is derived of podCIDRs says nothing about these
	if in.synth {
		r := in.complete(&set, &settings.Config)
		set, made, addresses, loadDiags = r.Set, r.Made, r.Addresses, append(loadDiags, r.Diagnostics...)
	}
	var all []clusterObjects
	if len(in.clusters) > 0 {
		joined, clusters, said, err := in.joined(s, set, settings.Config.ClusterName)
		if err != nil {
			return nil, inputError(err)
		}
		set, all, loadDiags = joined, clusters, append(loadDiags, said...)
	}
	if in.care == strictly {
		namePodRange(&set, &settings.Config, &loadDiags)
	} else {
		derivePodRange(&set, &settings.Config, &loadDiags)
	}
	l := &loaded{
		input: in, objects: set, set: all, made: made, addresses: addresses, services: services, workloads: workloads, streams: s,
		cluster: compiler.Prepare(&set, settings.Config),
		options: settings.Options(),
		config:  settings,
		given:   given, podRoutes: settings.PodRoutes,
		nodeName: in.nodeName,
		read:     append(diags, in.withoutUsedSettings(loadDiags)...),
	}
	if l.nodeName == "" {
		l.nodeName = settings.Node
	}
	l.routes()
	l.announces()
	if err := in.refused(in.care, l.read); err != nil {
		s.progress.end()
		return nil, errors.Join(l.reportUnread(), err)
	}
	if in.part {
		return l, nil
	}
	return l, l.hasNode(in.nodeName)
}

// read reads files and builds kustomizations, or lists a cluster.
func (in *input) read(s *Streams) (objects.Set, diag.List, error) {
	if in.isGiven() {
		o, unread, err := in.fromCluster(s)
		if err != nil {
			return objects.Set{}, nil, err
		}
		o.Progress = s.reading
		set, diags, err := manifest.Load(context.Background(), o)
		return set, append(unread, diags...), errors.Join(err, in.unreadKinds(unread))
	}
	o := manifest.Options{
		Paths: in.paths, Exclude: in.exclude, Base: in.base, Recursive: in.recursive, Stdin: s.In, Workloads: in.synth, Entries: in.entries, KeepGoing: in.keepGoing,
		Memo: s.Decoded, Progress: s.reading,
	}
	for _, dir := range in.kustomizations {
		s.progress.step("building %s", dir)
		built, err := kustomize.Build(dir)
		if err != nil {
			return objects.Set{}, nil, err
		}
		o.Built = append(o.Built, built...)
	}
	return manifest.Load(context.Background(), o)
}

// reading says how many objects were read.
func (s *Streams) reading(objects int) { s.progress.step("reading %s objects", thousands(objects)) }

// withoutUsedSettings drops what was said of settings among the manifests that --config
// names.
func (in *input) withoutUsedSettings(diags diag.List) diag.List {
	return slices.DeleteFunc(diags, func(d diag.Diagnostic) bool {
		return d.Code == diag.UnusedSettings && slices.ContainsFunc(in.settings.Files(), func(f string) bool { return filepath.Clean(f) == filepath.FromSlash(d.Origin.File) })
	})
}

// complete makes the objects that manifests lack. Pods are recognised by
// their allocated ranges, unless the settings say otherwise.
func (in *input) complete(set *objects.Set, c *objects.Config) synth.Result {
	r := synth.Complete(set, synth.Options{Nodes: in.nodes, PodCIDRs: c.ClusterCIDRs, ServiceCIDRs: c.ServiceCIDRs, Balancing: in.balancing})
	if len(c.ClusterCIDRs) == 0 && (c.DetectLocal.Mode == "" || c.DetectLocal.Mode == objects.DetectByClusterCIDR) {
		c.ClusterCIDRs = r.PodCIDRs
	}
	return r
}

// diagnostics returns those of reading and of the cluster's objects.
func (l *loaded) diagnostics() diag.List {
	return append(slices.Clone(l.read), l.cluster.Diagnostics()...)
}

// node returns the node to compile: the named one, or the only one.
func (l *loaded) node() (string, error) {
	nodes := l.cluster.Nodes()
	switch {
	case l.nodeName == "" && len(nodes) == 1:
		return nodes[0], nil
	case l.nodeName == "":
		return "", inputError(fmt.Errorf("--node is missing%s", among("the input", nodes)))
	}
	return l.nodeName, l.hasNode(l.nodeName)
}

// hasNode rejects the name of a node that is not in the input, if the input has others;
// "" is no name.
func (l *loaded) hasNode(name string) error { return knownNode(name, l.cluster.Nodes()) }

func knownNode(name string, nodes []string) error {
	if name == "" || len(nodes) == 0 || slices.Contains(nodes, name) {
		return nil
	}
	return inputError(fmt.Errorf("the input has no node %q%s%s", name, among("it", nodes), suggest.DidYouMean(name, nodes)))
}

// among lists the nodes that who has, as the end of a sentence, or "".
func among(who string, nodes []string) string {
	const most = 5
	switch {
	case len(nodes) == 0:
		return ""
	case len(nodes) > most:
		return fmt.Sprintf(": %s has %s and %d more", who, strings.Join(nodes[:most], ", "), len(nodes)-most)
	}
	return fmt.Sprintf(": %s has %s", who, strings.Join(nodes, ", "))
}

// report prints diagnostics and applies --strict and --fail-on-warn.
func (l *loaded) report(diags diag.List) error {
	p, err := l.printer(l.streams.Err, l.streams.ErrColor)
	if err != nil {
		return err
	}
	diags = l.refine(diags)
	p.print(diags)
	return l.judge(diags)
}

// reportUnread is report for the diagnostics of reading.
func (l *loaded) reportUnread() error {
	p, err := l.printer(l.streams.Err, l.streams.ErrColor)
	if err == nil {
		p.print(l.refine(l.read))
	}
	return err
}

// refine sorts diagnostics and adds the line of the field if only the line of
// its object is known.
func (l *loaded) refine(diags diag.List) diag.List {
	diags.Sort()
	locator := manifest.Locator{Base: l.base}
	defer locator.Close()
	for i := range diags {
		diags[i].Origin = locator.Locate(diags[i].Origin)
	}
	diags.Sort()
	return diags
}
