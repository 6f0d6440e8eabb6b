// Package manifest loads Kubernetes objects from files, as `kubectl -f` does:
// files, directories and standard input; YAML of many documents, JSON, and lists
// of either.
//
// # How
//
// A splitter cuts each file into the texts of single objects while it reads it
// (jsonsplit.go, yamlsplit.go), workers decode the texts in parallel, and a
// collector puts the results back into the order of the file (pipeline.go). At no
// time is more of a file in memory than its largest object and a bounded queue.
//
// JSON is cut by a scanner that knows strings and brackets. YAML is cut at "---",
// and a list that has the shape kubectl prints is cut at its "- " (yamllist.go,
// which says why that is safe); whatever does not have that shape is read as a
// whole.
//
// Every object gets the defaults of the API server (defaults.go), keeps the file
// and the line of its first field, and loses the fields that planec does not
// read (strip.go). A [Locator] finds the line of a single field afterwards.
//
// # Limits
//
// One object, or one YAML document that is not a list of the usual shape: 8 MiB,
// 200 levels, 2 million values after aliases are written out, half a million in
// one object. Lists in lists: 4
// levels. Diagnostics: 500 for each file. A file as such may have any size. Files
// are UTF-8; a byte order mark is skipped.
//
// Fields are those of the Go types of the API (schema.go). Another one is an error; a
// policy that has one is closed (closed.go), of other objects the rest is used.
//
// The kind of an object is the one that kubectl's decoder would make, and where that
// depends on the reader the object is an error, also of a kind that is skipped
// (duplicates.go): a field that stands twice at any depth, by a merge key or in
// another spelling; kind, apiVersion or items in other cases; items of an object that
// is no list; a document that follows "..." in one.
package manifest
