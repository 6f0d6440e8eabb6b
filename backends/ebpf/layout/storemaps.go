package layout

// The maps that Services are in while they are in a kernel, where they change one by one
// (package store): together they mean what svc, ep and source mean in an image.
const (
	Keys    = iota // ServiceKey ─▶ index of Words
	Words          // index ─▶ which record, before and after a transaction
	Records        // number ─▶ Service
	Places         // number ─▶ Endpoint
	StoredSources
	NumStoreMaps
)

// WordSize is the size of an entry of Words in bytes.
const WordSize = 8

var storeMaps = [NumStoreMaps]Map{
	Keys:          {"key", Hash, ServiceKeySize, IndexSize, ReadOnlyProg},
	Words:         {"word", Array, IndexSize, WordSize, Mmapable | InnerMap},
	Records:       {"record", Array, IndexSize, ServiceSize, Mmapable | InnerMap},
	Places:        {"place", Array, IndexSize, EndpointSize, Mmapable | InnerMap},
	StoredSources: {"source", LPMTrie, PrefixKeySize, FlagsSize, ReadOnlyProg | NoPrealloc},
}

// StoreMaps returns the maps of Services in a kernel. Their sizes are those that package
// live chooses: the entries that there are, and room for more.
func StoreMaps() [NumStoreMaps]Map { return storeMaps }

// InStoreMaps reports whether the content of a map of an image is in the StoreMaps while
// it is in a kernel.
func InStoreMaps(index int) bool {
	return index == Services || index == Endpoints || index == Sources
}
