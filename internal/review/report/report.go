package report

import (
	"bytes"
	"fmt"
	"io"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Input is the input of a report.
type Input struct {
	Objects *objects.Set // the objects behind the programs
	Nodes   []Node       // sorted by name
	// Files are the manifests' texts; a file that is not here is not shown.
	Files []File
	// Root is the prefix of file names that the report omits: two states of a
	// directory are in two places.
	Root string
	// Diagnostics are what was found while reading and compiling.
	Diagnostics diag.List
	// Map is who can reach whom, or nil for a page without a map.
	Map *Map
	// Before is the old state in a report of a change, else nil. Nodes that it
	// lacks are new.
	Before *Input
	// Findings describe the change, the most important first.
	Findings []Finding
	// Changes are the objects that the change adds, removes or changes.
	Changes []Change
}

// File is one file of manifests.
type File struct {
	Name string // the name that objects and diagnostics use, with Root
	Text []byte // the whole text, of any content
}

// Finding is a sentence with its kind ("opened", "closed", ...).
type Finding struct {
	Kind string // one of package diffreport's kinds, "summary" or "note"
	Text string // a sentence without a full stop
	// Reasons are the responsible objects and places.
	Reasons []Reason
}

// Reason is a responsible object with its place.
type Reason struct {
	Origin ir.Origin // the object, and the line of its field
	Old    bool      // the origin is only in the old state
}

// Change is an object that differs between the two states.
type Change struct {
	Origin ir.Origin // the object
	Word   string    // "new", "changed" or "deleted"
}

// Node is one node's program with the files that backends made from it.
type Node struct {
	Program   *ir.Program // the program behind the files
	Artifacts []Artifact  // the files to show; may be empty
}

// Artifact is the output of one backend.
type Artifact struct {
	Backend string // the name of the backend
	backends.Artifact
}

// Write writes the page with its document.
func Write(w io.Writer, in Input) error {
	data, err := Document(in)
	if err != nil {
		return err
	}
	if err := (Shell{Data: data}).Write(w); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// text returns a program's text, with the report's file names.
func (in *Input) text(p *ir.Program) []byte {
	if in.Root == "" {
		return p.Text()
	}
	return bytes.ReplaceAll(p.Text(), []byte(`"`+in.Root), []byte(`"`))
}

// file returns a file of a backend, or nil.
func (n Node) file(backend, name string) []byte {
	for _, a := range n.Artifacts {
		if a.Backend == backend {
			return a.File(name)
		}
	}
	return nil
}

// isText reports whether a file is text; an image is not.
func isText(b []byte) bool { return bytes.IndexByte(b[:min(len(b), 512)], 0) < 0 }
