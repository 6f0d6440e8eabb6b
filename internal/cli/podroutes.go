//go:build !js

package cli

import (
	"path/filepath"

	"github.com/planec/planec/backends"
	podroutes "github.com/planec/planec/backends/podnet"
	lower "github.com/planec/planec/compiler/podnet"
	"github.com/planec/planec/internal/review/compare"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/podnet"
)

// podRoutesName is the directory of pod routes beside those of backends.
const podRoutesName = podroutes.Name

// routes makes the loaded input write a node's pod routes beside the rules, where they are on.
func (l *loaded) routes() {
	if l.podRoutes.Mode == podnet.Off {
		return
	}
	l.beside = append(l.beside, companion{podRoutesName, func(node string) (backends.Artifact, diag.List) {
		n, diags := lower.Lower(&l.objects, node, l.podRoutes, &l.given)
		return podroutes.Emit(&n), diags
	}})
}

// readPodRoutes reads a directory of pod routes that compile wrote.
func readPodRoutes(dir string) (compare.RuleSet, error) {
	s := compare.RuleSet{Backend: podroutes.Name, Node: filepath.Base(filepath.Dir(dir))}
	files, err := readFiles(dir)
	if err != nil {
		return s, inputError(err)
	}
	for _, f := range files {
		if f.Name != sumsFile {
			s.Artifact.Files = append(s.Artifact.Files, f)
		}
	}
	if _, err := podroutes.Read(s.Artifact); err != nil {
		return s, inputError(err)
	}
	return s, nil
}
