package cli

import (
	"errors"
	"io"

	"github.com/planec/planec/internal/review/netpath"
)

// errNoPages replaces the pages of trace and matrix in WebAssembly: html/template would
// double the program that a browser loads.
var errNoPages = inputError(errors.New("-o html is for the command line: the page draws traces itself"))

func writeTraceHTML(io.Writer, netpath.Outcome) error { return errNoPages }

// htmlMatrix fails.
type htmlMatrix struct{ gridMatrix }

func (*htmlMatrix) end() error { return errNoPages }
