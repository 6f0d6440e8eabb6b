package cli

import (
	"errors"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
)

// listCluster is for the command line: a page asks no cluster.
func listCluster(cluster, bool, func(int)) ([]manifest.Built, diag.List, error) {
	return nil, nil, errors.New("a page cannot read a cluster")
}
