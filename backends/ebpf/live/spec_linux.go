package live

import (
	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/layout"
)

// namePrefix starts the names of our maps in the kernel and below the pin path.
const namePrefix = "plc_"

// innerSpec is the map of one generation. The kernel takes it into a slot if
// all but the number of entries is as in the slot's template.
func innerSpec(l layout.Map, entries uint32) *ebpf.MapSpec {
	return &ebpf.MapSpec{
		Name: namePrefix + l.Name, Type: ebpf.MapType(l.Type),
		KeySize: l.KeySize, ValueSize: l.ValueSize, MaxEntries: entries, Flags: l.Flags,
	}
}

// outerSpec is the array of the generations of a map.
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
