package connwrite

import (
	"errors"
	"io"

	"github.com/planec/planec/internal/review/connectivity"
)

// HTML fails in WebAssembly: html/template would double the program that a browser loads.
func HTML(io.Writer, *connectivity.Map, *Options) error {
	return errors.New("-o html is for the command line")
}
