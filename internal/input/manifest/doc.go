// Package manifest loads Kubernetes objects from files like `kubectl -f`: files,
// directories and standard input; YAML with several documents, JSON, and lists
// of either.
//
// # How
//
// A splitter cuts each file into the texts of single objects while it reads it
// (jsonsplit.go, yamlsplit.go), workers decode the texts in parallel, and a
// collector restores the order of the file (pipeline.go). Memory never holds more
// of a file than its largest object and a bounded queue.
//
// JSON is cut by a scanner for strings and brackets. YAML is cut at "---", and a
// list in the shape that kubectl prints is cut at its "- " (yamllist.go explains
// why that is safe); anything else is parsed as a whole.
//
// Every object gets the defaults of the API server (defaults.go), keeps the file
// and the line of its first field, and loses the fields that planec does not
// Every object gets the defaults of the API server (defaults.go), keeps the
// file and the line of its first field, and loses the fields that planec does
// not read (strip.go). A [Locator] finds the line of a single field afterwards.
//
// One object, or one YAML document that is not a list of the usual shape: 8 MiB,
// 200 levels, 2 million values after aliases are expanded, half a million in one
// object. Lists in lists: 4 levels. Diagnostics: 500 for each file. Files may
// have any size. They are UTF-8; a byte order mark is skipped.
//
// Valid fields are those of the API's Go types (schema.go). Another field is an
// error; a policy with one is closed (closed.go), other objects are used without it.
//
// The kind of an object is the one that kubectl's decoder finds. If readers could differ
// about it, the object is an error, even if its kind is skipped (duplicates.go): a field
// that is repeated at any depth, by a merge key or in another spelling; kind, apiVersion
// or items in another case; items of an object that is not a list; a document after "...".
// is no list; a document that follows "..." in one.
package manifest
