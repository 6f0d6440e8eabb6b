package diffwrite

import (
	"errors"
	"io"

	"github.com/planec/planec/internal/review/diffreport"
)

// page fails in WebAssembly: html/template would double the program that a browser loads.
func page(io.Writer, *diffreport.Report) error {
	return errors.New("-o html is for the command line")
}
