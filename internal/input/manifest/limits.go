package manifest

// The limits. They are far above what a cluster accepts (etcd stores objects of
// up to 1.5 MiB), and bound the memory and time for hostile input.
const (
	// maxObject is the maximum size of a JSON object, YAML list item or YAML
	// document in bytes. A list, in either format, may have any size.
	maxObject = 8 << 20
	// maxDepth is the maximum nesting of objects.
	maxDepth = 200
	// maxNodes is the maximum number of values in a YAML document after its
	// aliases are expanded.
	maxNodes = 2 << 20
	// maxCommas is the maximum number of commas in the JSON of an object: each
	// may separate two list elements, and an element of two bytes takes up to 100
	// in memory. Objects in etcd have at most one in 3 bytes.
	maxCommas = 1 << 19
	// maxListDepth is the maximum nesting of lists in lists.
	maxListDepth = 4
	// maxDiagnostics is the maximum number of diagnostics of one file.
	maxDiagnostics = 500
	// maxAllDiagnostics is the maximum number of diagnostics in total.
	maxAllDiagnostics = 20_000
	// maxPending is the maximum number of list items without a kind before the
	// list's kind is known.
	maxPending = 1 << 20
	// maxFiles is the maximum number of files in a directory.
	maxFiles = 200_000
)
