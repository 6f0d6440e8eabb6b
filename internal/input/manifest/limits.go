package manifest

// The limits. They are far above what a cluster accepts (etcd stores objects of
// up to 1.5 MiB) and low enough that hostile input costs neither much memory nor
// much time.
const (
	// maxObject is the largest JSON object, YAML list item or YAML document in
	// bytes. A list, in either format, may be of any size.
	maxObject = 8 << 20
	// maxDepth is how deep objects may nest.
	maxDepth = 200
	// maxNodes is how many values a YAML document may have after its aliases
	// are expanded.
	maxNodes = 2 << 20
	// maxCommas is how many commas the JSON of an object may have: each can stand
	// for one element of a list, and an element of two bytes takes up to 100 in
	// memory. What etcd stores has one in 3 bytes at the very most.
	maxCommas = 1 << 19
	// maxListDepth is how deep lists may nest in lists.
	maxListDepth = 4
	// maxDiagnostics is how many diagnostics one file may cause.
	maxDiagnostics = 500
	// maxAllDiagnostics is how many diagnostics are remembered at all.
	maxAllDiagnostics = 20_000
	// maxPending is how many items of a list may say nothing of their kind
	// before the list does.
	maxPending = 1 << 20
	// maxFiles is how many files a directory may bring.
	maxFiles = 200_000
)
