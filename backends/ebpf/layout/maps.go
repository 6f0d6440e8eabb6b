package layout

// Version is the version of the format: of the file and of every layout here.
const Version = 1

// MapType is a kind of kernel map, by its number in enum bpf_map_type of
// include/uapi/linux/bpf.h.
type MapType uint32

// The kinds that images use.
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
	// ReadOnlyProg keeps programs from writing; freezing keeps user space from
	// it. Together they make a map immutable.
	ReadOnlyProg = 1 << 7
	// Mmapable allows user space to map an array and so to write one aligned
	// word of it at once.
	Mmapable = 1 << 10
	// InnerMap lets arrays of different lengths follow each other in a slot.
	InnerMap = 1 << 12
)

// Map says what one map is; how many entries it has is the image's matter.
type Map struct {
	Name               string  // at most 15 bytes, the kernel's limit
	Type               MapType // hash, array or LPM trie
	KeySize, ValueSize uint32  // in bytes
	Flags              uint32  // BPF_F_* of linux/bpf.h
}

// The maps of an image, by index in Maps. The last four are policies: a file
// has them where FeaturePolicies is set, and where it is not they are empty.
const (
	Meta = iota
	Services
	Endpoints
	Members
	Addresses
	Prefixes
	Pods
	Classes
	Rows
	Ports
	NumMaps
)

// serviceMaps is how many maps an image without policies has.
const serviceMaps = Pods

var maps = [NumMaps]Map{
	Meta:      {"meta", Array, IndexSize, MetaSize, ReadOnlyProg | InnerMap},
	Services:  {"svc", Hash, ServiceKeySize, ServiceSize, ReadOnlyProg},
	Endpoints: {"ep", Array, IndexSize, EndpointSize, ReadOnlyProg | InnerMap},
	Members:   {"ep_ok", Hash, MemberKeySize, IndexSize, ReadOnlyProg},
	Addresses: {"addr", Hash, AddressSize, FlagsSize, ReadOnlyProg},
	Prefixes:  {"prefix", LPMTrie, PrefixKeySize, FlagsSize, ReadOnlyProg | NoPrealloc},
	Pods:      {"pod", Hash, AddressSize, PodSize, ReadOnlyProg},
	Classes:   {"class", LPMTrie, PrefixKeySize, ClassSize, ReadOnlyProg | NoPrealloc},
	Rows:      {"row", Hash, RowKeySize, PolicyIDSize, ReadOnlyProg},
	Ports:     {"port", LPMTrie, PortKeySize, VerdictSize, ReadOnlyProg | NoPrealloc},
}

// Maps lists the maps of an image in the order in which it has them.
func Maps() [NumMaps]Map { return maps }

// MapsFor is how many of Maps the file of an image with these features has.
func MapsFor(f Features) int {
	if f&FeaturePolicies == 0 {
		return serviceMaps
	}
	return NumMaps
}

// IndexSize is the size of an index of an array, FlagsSize that of a word of
// flags, in bytes.
const (
	IndexSize = 4
	FlagsSize = 4
)

// MaxEntries bounds the entries of one map: what fits into 32-bit indexes with
// room to spare, and more than a node's memory would like.
const MaxEntries = 1 << 26
