//go:build !js

package cli

import (
	"context"

	"github.com/planec/planec/internal/input/clusterlist"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
)

// listCluster lists the objects of a cluster.
func listCluster(c cluster) ([]manifest.Built, diag.List, error) {
	l, err := clusterlist.List(context.Background(), clusterlist.Source{Kubeconfig: c.kubeconfig, Context: c.context})
	if err != nil {
		return nil, nil, err
	}
	return l.Objects, l.Unread, nil
}
