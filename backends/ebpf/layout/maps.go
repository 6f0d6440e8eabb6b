package layout

// Version is the version of the file format and of all layouts in this package.
const Version = 3

// MapType is a type of kernel map, with the numbers of enum bpf_map_type in
// include/uapi/linux/bpf.h.
type MapType uint32

// The types that images use.
const (
	Hash    MapType = 1
	Array   MapType = 2
	LRUHash MapType = 9
	LPMTrie MapType = 11
)

// String returns "hash", "array", "lru-hash" or "lpm-trie".
func (t MapType) String() string {
	switch t {
	case Hash:
		return "hash"
	case Array:
		return "array"
	case LRUHash:
		return "lru-hash"
	case LPMTrie:
		return "lpm-trie"
	}
	return "unknown"
}

// Flags of maps, BPF_F_* of include/uapi/linux/bpf.h.
const (
	// NoPrealloc is required of LPM tries.
	NoPrealloc = 1 << 0
	// ReadOnlyProg forbids programs to write; freezing forbids it to user space.
	// Together they make a map immutable.
	ReadOnlyProg = 1 << 7
	// Mmapable allows user space to map an array into memory, and thus to write an
	// aligned word atomically.
	Mmapable = 1 << 10
	// InnerMap allows to replace an array in a slot by one of another length.
	InnerMap = 1 << 12
)

// Map is the type of one map. The number of entries depends on the image.
type Map struct {
	Name               string  // at most 15 bytes, the kernel's limit
	Type               MapType // hash, array or LPM trie
	KeySize, ValueSize uint32  // in bytes
	Flags              uint32  // BPF_F_* of linux/bpf.h
}

// The maps of an image, by index in Maps. The last six are for policies: a file
// contains them only if FeaturePolicies is set; otherwise they are empty.
const (
	Meta = iota
	Services
	Endpoints
	Addresses
	Prefixes
	Sources
	Pods
	Classes
	Rows
	Ports
	SourcePorts
	Logs
	NumMaps
)

// serviceMaps is the number of maps of an image without policies.
const serviceMaps = Pods

var maps = [NumMaps]Map{
	Meta:      {"meta", Array, IndexSize, MetaSize, ReadOnlyProg | InnerMap},
	Services:  {"svc", Hash, ServiceKeySize, ServiceSize, ReadOnlyProg},
	Endpoints: {"ep", Array, IndexSize, EndpointSize, ReadOnlyProg | InnerMap},
	Addresses: {"addr", Hash, AddressSize, FlagsSize, ReadOnlyProg},
	Prefixes:  {"prefix", LPMTrie, PrefixKeySize, FlagsSize, ReadOnlyProg | NoPrealloc},
	Sources:   {"source", LPMTrie, PrefixKeySize, FlagsSize, ReadOnlyProg | NoPrealloc},
	Pods:      {"pod", Hash, AddressSize, PodSize, ReadOnlyProg},
	Classes:   {"class", LPMTrie, PrefixKeySize, ClassSize, ReadOnlyProg | NoPrealloc},
	Rows:      {"row", Hash, RowKeySize, PolicyIDSize, ReadOnlyProg},
	Ports:     {"port", LPMTrie, PortKeySize, VerdictSize, ReadOnlyProg | NoPrealloc},

	SourcePorts: {"sport", LPMTrie, PortKeySize, PolicyIDSize, ReadOnlyProg | NoPrealloc},
	Logs:        {"log", Hash, LogKeySize, LogPrefixSize, ReadOnlyProg},
}

// InPolicyMaps reports whether a map of an image is for policies.
func InPolicyMaps(i int) bool { return i >= serviceMaps }

// Maps returns the maps of an image in their order.
func Maps() [NumMaps]Map { return maps }

// MapsFor returns the number of Maps in the file of an image with these features.
func MapsFor(f Features) int {
	if f&FeaturePolicies == 0 {
		return serviceMaps
	}
	return NumMaps
}

// IndexSize is the size of an array index, FlagsSize that of a word of flags, in
// bytes.
const (
	IndexSize = 4
	FlagsSize = 4
)

// MaxEntries is the maximum number of entries of a map. It leaves 32-bit indexes
// room to spare, and exceeds the reasonable memory of a node.
const MaxEntries = 1 << 26
