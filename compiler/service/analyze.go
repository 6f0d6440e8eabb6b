package service

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/ir/diag"
)

// analysis reads Services, imports and slices.
type analysis struct {
	settings  Settings
	diags     diag.List
	memory    memory
	portPaths paths // those of Services
}

func newAnalysis(settings Settings) *analysis {
	return &analysis{settings: settings, portPaths: paths{list: "spec.ports"}}
}

// Analyze reads the Services and EndpointSlices of a cluster.
func Analyze(set *objects.Set, settings Settings) (*Model, diag.List) {
	a := newAnalysis(settings)
	services := make(map[objects.Name]*service, len(set.Services))
	for _, src := range dedupe("Service", set.Services, &a.diags) {
		if s := a.service(src); s != nil {
			services[s.name] = s
		}
	}
	for _, src := range dedupe(mcs.KindServiceImport, set.ServiceImports, &a.diags) {
		if s := a.imported(src); s != nil {
			services[s.name] = a.beside(services[s.name], s)
		}
	}
	for _, src := range dedupe("EndpointSlice", set.EndpointSlices, &a.diags) {
		a.slice(services, src)
	}
	for _, s := range services {
		a.settle(s)
	}
	ordered := slices.Collect(maps.Values(services))
	newClaims(a).settle(ordered)
	return &Model{services: ordered}, a.diags
}

// Owned is what one name of Services stands for: a Service, a ServiceImport that has the name
// by [objects.ImportName], seldom both; and all slices of that owner.
type Owned struct {
	Service objects.Sourced[*corev1.Service]              // without an object if there is none
	Import  *objects.Sourced[*mcs.ServiceImport]          // nil if there is none
	Slices  []objects.Sourced[*discoveryv1.EndpointSlice] // each name once, in any order
	// Plain says that [Plain] holds for all slices. False is never wrong.
	Plain bool
}

// Plain reports whether a slice has a valid name, and no label that says anything but its owner.
// Nearly all are plain. To know it saves a look at labels, which lie apart from everything else.
func Plain(s *discoveryv1.EndpointSlice) bool {
	return validName(s.Namespace) && validName(s.Name) && !headless(s) && s.Labels[objects.SourceClusterLabel] == ""
}

// Exists reports whether there is a Service or an import, and not only slices.
func (o *Owned) Exists() bool { return o.Service.Object != nil || o.Import != nil }

// AnalyzeOwned is Analyze of some Services, each name once.
func AnalyzeOwned(list []Owned, settings Settings) (*Model, diag.List) {
	a := newAnalysis(settings)
	ordered := make([]*service, 0, len(list))
	for i := range list {
		if s := a.owned(&list[i]); s != nil {
			ordered = append(ordered, s)
		}
	}
	newClaims(a).settle(ordered)
	return &Model{services: ordered}, a.diags
}

// Reader reads Services one after another, each as if there was no other. A Service that has
// everything it claims is the same among all others. A Reader uses its memory again.
type Reader struct {
	analysis *analysis
	claims   *claims
	one      Single
}

// Single is one Service that a [Reader] read.
type Single struct {
	// service is nil for what has no rules.
	service *service
	memory  *memory
}

// NewReader returns a Reader.
func NewReader(settings Settings) *Reader {
	a := newAnalysis(settings)
	return &Reader{analysis: a, claims: newClaims(a)}
}

// Read reads a Service. The results are valid until the next call.
func (r *Reader) Read(o *Owned) (*Single, diag.List) {
	a := r.analysis
	a.memory.reset()
	a.diags = a.diags[:0]
	r.one = Single{service: a.owned(o), memory: &a.memory}
	if s := r.one.service; s != nil {
		r.claims.reset()
		r.claims.settle([]*service{s})
	}
	return &r.one, a.diags
}

// owned returns nil for what has no rules.
func (a *analysis) owned(o *Owned) *service {
	if !o.Exists() {
		return nil
	}
	var s *service
	if o.Service.Object != nil && named("Service", o.Service, &a.diags) {
		s = a.service(o.Service)
	}
	if o.Import != nil && named(mcs.KindServiceImport, *o.Import, &a.diags) {
		if i := a.imported(*o.Import); i != nil {
			s = a.beside(s, i)
		}
	}
	for _, src := range o.Slices {
		if s != nil && o.Plain || named("EndpointSlice", src, &a.diags) && s != nil && !headless(src.Object) {
			a.join(s, src, objects.Origin("EndpointSlice", src), o.Plain)
		}
	}
	if s != nil {
		a.settle(s)
	}
	return s
}
