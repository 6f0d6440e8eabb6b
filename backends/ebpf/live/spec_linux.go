package live

import (
	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/layout"
)

// namePrefix starts the names of planec's maps in the kernel and below the pin path.
const namePrefix = "plc_"

// restMaps are the maps of an image that do not belong to Services, by index in layout.Maps.
// A generation of them is frozen.
var restMaps = [...]int{layout.Meta, layout.Addresses, layout.Prefixes, layout.Pods, layout.Classes, layout.Rows, layout.Ports, layout.SourcePorts, layout.Logs}

// A generation has the restMaps, and from stored on those of layout.StoreMaps.
const (
	stored  = len(restMaps)
	numMaps = stored + int(layout.NumStoreMaps)
)

// mapLayout is the type of a map of a generation.
func mapLayout(i int) layout.Map {
	if i >= stored {
		return layout.StoreMaps()[i-stored]
	}
	return layout.Maps()[restMaps[i]]
}

// innerSpec is the map of one generation. The kernel accepts it for a slot if it
// equals the slot's template except for the number of entries.
func innerSpec(l layout.Map, entries uint32) *ebpf.MapSpec {
	return &ebpf.MapSpec{
		Name: namePrefix + l.Name, Type: ebpf.MapType(l.Type),
		KeySize: l.KeySize, ValueSize: l.ValueSize, MaxEntries: entries, Flags: l.Flags,
	}
}

// outerSpec is the array with the generations of a map.
func outerSpec(l layout.Map) *ebpf.MapSpec {
	return &ebpf.MapSpec{
		Name: namePrefix + l.Name + "s", Type: ebpf.ArrayOfMaps,
		KeySize: layout.IndexSize, ValueSize: 4, MaxEntries: layout.Slots,
		InnerMap: innerSpec(l, 1),
	}
}

func activeSpec() *ebpf.MapSpec { return innerSpec(layout.ActiveMap(), 1) }

// pinnedSpecs returns all maps with a pin; the first one is active, which selects
// the generation.
func pinnedSpecs() []*ebpf.MapSpec {
	specs := []*ebpf.MapSpec{activeSpec()}
	for i := range numMaps {
		specs = append(specs, outerSpec(mapLayout(i)))
	}
	return specs
}

// formerSpecs are the pins of layout 1 that layout 2 has not.
func formerSpecs() (specs []*ebpf.MapSpec) {
	for _, name := range []string{"svc", "ep", "ep_ok"} {
		specs = append(specs, outerSpec(layout.Map{Name: name, Type: layout.Array, KeySize: 4, ValueSize: 4}))
	}
	return specs
}
