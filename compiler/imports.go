package compiler

import (
	"reflect"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/mcs"
)

// importsOf returns the imports of a set by [objects.ImportName]. The set has each once.
func importsOf(set *objects.Set) map[objects.Name]objects.Sourced[*mcs.ServiceImport] {
	out := make(map[objects.Name]objects.Sourced[*mcs.ServiceImport], len(set.ServiceImports))
	for _, i := range set.ServiceImports {
		out[objects.ImportName(objects.NameOf(i.Object))] = i
	}
	return out
}

// changedImports adds the imports that differ in an update to the dirty ones, and returns those
// after it.
func (x *Incremental) changedImports(others *objects.Set, dirty map[objects.Name]bool) map[objects.Name]objects.Sourced[*mcs.ServiceImport] {
	if others == nil {
		return x.imports
	}
	after := importsOf(others)
	for n, i := range after {
		if had, was := x.imports[n]; !was || !reflect.DeepEqual(had, i) {
			dirty[n] = true
		}
	}
	for n := range x.imports {
		if _, is := after[n]; !is {
			dirty[n] = true
		}
	}
	return after
}
