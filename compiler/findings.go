package compiler

import (
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/ir/diag"
)

// findings holds the diagnostics about the objects of an [Incremental], grouped
// by what must be analyzed again when they change.
type findings struct {
	// services are the findings about each Service and its slices.
	services map[objects.Name]diag.List
	facts    diag.List
	policies diag.List
	// all is the whole sorted list, unless it is stale.
	all   diag.List
	stale bool
}

// Diagnostics returns the current diagnostics, sorted. The caller must not
// change the list.
func (x *Incremental) Diagnostics() diag.List {
	f := &x.findings
	if !f.stale {
		return f.all
	}
	all := slices.Concat(f.facts, f.policies)
	for _, some := range f.services {
		all = append(all, some...)
	}
	all.Sort()
	f.all, f.stale = all, false
	return f.all
}

// sayServices replaces the findings about Services that were analyzed again,
// and about those analyzed with them.
func (x *Incremental) sayServices(read map[objects.Name]bool, diags diag.List) {
	f := &x.findings
	for n := range read {
		if _, had := f.services[n]; had {
			delete(f.services, n)
			f.stale = true
		}
	}
	for _, d := range diags {
		n := x.concerned(d)
		f.services[n] = append(f.services[n], d)
		f.stale = true
	}
}

// concerned returns the Service of a finding.
func (x *Incremental) concerned(d diag.Diagnostic) objects.Name {
	n := objects.Name{Namespace: d.Origin.Namespace, Name: d.Origin.Name}
	switch d.Origin.Kind {
	case "EndpointSlice":
		if owner, there := x.store.ownerOf(n); there {
			return owner
		}
	case mcs.KindServiceImport:
		return objects.ImportName(n)
	}
	return n
}
