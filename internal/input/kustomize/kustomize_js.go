package kustomize

import (
	"errors"
	"fmt"

	"github.com/planec/planec/internal/input/manifest"
)

// errNoLibrary is the whole of [Build] in WebAssembly: kustomize's library would be more
// than half of the program that a browser loads.
var errNoLibrary = errors.New("kustomizations are not built in a browser: give the page what kustomize makes")

// Build fails.
func Build(dir string) ([]manifest.Built, error) {
	return nil, fmt.Errorf("%s: %w", dir, errNoLibrary)
}
