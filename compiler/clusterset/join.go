package clusterset

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/ir/diag"
)

// Most is how many other clusters there may be: Cilium knows 511 in all.
const Most = 510

// Cluster is a cluster with its objects, each once ([objects.Set.Deduplicate]).
type Cluster struct {
	Name    string       // a DNS label, which no other cluster has
	Objects *objects.Set // it is not changed
}

// Join returns the objects of a cluster with what a mesh would add of the others, whose order
// does not count. The own cluster's name may be "". Where the objects have slices of a cluster
// already, as in a dump, nothing of that cluster is added to the Service.
func Join(own Cluster, others []Cluster) (objects.Set, diag.List) {
	others = slices.Clone(others)
	slices.SortFunc(others, func(a, b Cluster) int { return cmp.Compare(a.Name, b.Name) })
	j := joiner{own: newIndex(own), names: make(map[objects.Name]bool), has: make(map[from]bool), out: *own.Objects}
	for _, s := range own.Objects.EndpointSlices {
		j.names[objects.NameOf(s.Object)] = true
		if cluster := s.Object.Labels[objects.SourceClusterLabel]; cluster != "" {
			j.has[from{objects.OwnerOf(s.Object), cluster}] = true
		}
	}
	for _, o := range others {
		j.others = append(j.others, newIndex(o))
		j.out.Others = append(j.out.Others, objects.OtherCluster{Name: o.Name, Pods: o.Objects.Pods, Namespaces: o.Objects.Namespaces})
	}
	j.out.EndpointSlices = slices.Clone(own.Objects.EndpointSlices)
	j.global()
	j.imported()
	j.unimported()
	j.diags = append(j.diags, overlaps(append([]Cluster{own}, others...))...)
	j.diags.Sort()
	return j.out, j.diags
}

// from is a cluster's part of a Service.
type from struct {
	service objects.Name
	cluster string
}

// joiner collects what is added.
type joiner struct {
	own    *index
	others []*index
	// names are those of slices that are taken; has are the parts that the own objects have.
	names map[objects.Name]bool
	has   map[from]bool
	out   objects.Set
	diags diag.List
}

// index finds a cluster's objects by the names of Services.
type index struct {
	Cluster
	services map[objects.Name]objects.Sourced[*corev1.Service]
	exports  map[objects.Name]objects.Sourced[*mcs.ServiceExport]
	// slices are those with endpoints of the cluster itself.
	slices map[objects.Name][]objects.Sourced[*discoveryv1.EndpointSlice]
}

func newIndex(c Cluster) *index {
	x := &index{
		Cluster: c, services: make(map[objects.Name]objects.Sourced[*corev1.Service]), exports: make(map[objects.Name]objects.Sourced[*mcs.ServiceExport]),
		slices: make(map[objects.Name][]objects.Sourced[*discoveryv1.EndpointSlice]),
	}
	for _, s := range c.Objects.Services {
		x.services[objects.NameOf(s.Object)] = s
	}
	for _, e := range c.Objects.ServiceExports {
		x.exports[objects.NameOf(e.Object)] = e
	}
	for _, s := range c.Objects.EndpointSlices {
		if of := objects.ServiceOf(s.Object); of.Name != "" && !objects.OfOtherCluster(s.Object, c.Name) {
			x.slices[of] = append(x.slices[of], s)
		}
	}
	for _, list := range x.slices {
		slices.SortFunc(list, func(a, b objects.Sourced[*discoveryv1.EndpointSlice]) int {
			return objects.NameOf(a.Object).Compare(objects.NameOf(b.Object))
		})
	}
	return x
}

// global adds the slices of shared Services to the global ones of their name.
func (j *joiner) global() {
	for _, n := range slices.SortedFunc(maps.Keys(j.own.services), objects.Name.Compare) {
		if !objects.IsGlobal(j.own.services[n].Object) {
			continue
		}
		for _, c := range j.others {
			if s := c.services[n]; s.Object == nil || !objects.Shares(s.Object) || j.has[from{n, c.Name}] {
				continue
			}
			for _, s := range c.slices[n] {
				j.add(s, c, "", map[string]string{discoveryv1.LabelServiceName: n.Name})
			}
		}
	}
}

// imported adds the slices of exported Services to the imports of their name: for the Service that
// an implementation derives, if there is one.
func (j *joiner) imported() {
	derived := make(map[objects.Name]string)
	for _, s := range j.own.Objects.Services {
		if of := s.Object.Labels[mcs.LabelServiceName]; of != "" {
			derived[objects.Name{Namespace: s.Object.Namespace, Name: of}] = s.Object.Name
		}
	}
	imports := slices.Clone(j.own.Objects.ServiceImports)
	slices.SortFunc(imports, func(a, b objects.Sourced[*mcs.ServiceImport]) int {
		return objects.NameOf(a.Object).Compare(objects.NameOf(b.Object))
	})
	for _, i := range imports {
		n := objects.NameOf(i.Object)
		labels, owner := map[string]string{mcs.LabelServiceName: n.Name}, objects.ImportName(n)
		if d := cmp.Or(i.Object.Annotations[mcs.DerivedService], derived[n]); d != "" {
			labels[discoveryv1.LabelServiceName], owner = d, objects.Name{Namespace: n.Namespace, Name: d}
		}
		for _, c := range append([]*index{j.own}, j.others...) {
			exported := c.exports[n].Object != nil && c.services[n].Object != nil && c.services[n].Object.Spec.Type != corev1.ServiceTypeExternalName
			if !exported || j.has[from{owner, c.Name}] {
				continue
			}
			for _, s := range c.slices[n] {
				j.add(s, c, ".clusterset", labels)
			}
		}
	}
}

// add adds a slice as one of another cluster, under a name of its own: the names of clusters have
// no dots. Names of nodes, and hints, count in their own cluster only.
func (j *joiner) add(src objects.Sourced[*discoveryv1.EndpointSlice], c *index, suffix string, labels map[string]string) {
	s := *src.Object
	s.Labels = maps.Clone(s.Labels)
	delete(s.Labels, discoveryv1.LabelServiceName)
	maps.Copy(s.Labels, labels)
	if c.Name != "" {
		s.Labels[objects.SourceClusterLabel] = c.Name
	}
	n := objects.Name{Namespace: s.Namespace, Name: s.Name + "." + c.Name + suffix}
	if c.Name == "" {
		n.Name = s.Name + suffix
	}
	for j.names[n] {
		n.Name += "-x"
	}
	j.names[n] = true
	s.Name = n.Name
	if c != j.own {
		s.Endpoints = slices.Clone(s.Endpoints)
		for i := range s.Endpoints {
			s.Endpoints[i].NodeName, s.Endpoints[i].Hints = nil, nil
		}
	}
	j.out.EndpointSlices = append(j.out.EndpointSlices, objects.Sourced[*discoveryv1.EndpointSlice]{Object: &s, File: src.File, Line: src.Line})
}

// unimported notes what other clusters export, and the own one does not import.
func (j *joiner) unimported() {
	known := make(map[objects.Name]bool)
	for _, i := range j.own.Objects.ServiceImports {
		known[objects.NameOf(i.Object)] = true
	}
	for _, c := range j.others {
		for _, n := range slices.SortedFunc(maps.Keys(c.exports), objects.Name.Compare) {
			if !known[n] {
				known[n] = true
				at := objects.Origin(mcs.KindServiceExport, c.exports[n])
				j.diags.Add(diag.NoImport, at, fmt.Sprintf("cluster %s exports %v, and no ServiceImport is here", c.Name, n))
			}
		}
	}
}
