package live

import (
	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/layout"
)

// namePrefix starts the names of planec's maps in the kernel and below the pin path.
const namePrefix = "plc_"

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
		InnerMap: innerSpec(l, 1), Pinning: ebpf.PinByName,
	}
}

func activeSpec() *ebpf.MapSpec {
	s := innerSpec(layout.ActiveMap(), 1)
	s.Pinning = ebpf.PinByName
	return s
}
