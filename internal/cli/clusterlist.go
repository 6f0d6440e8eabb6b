//go:build !js

package cli

import (
	"context"
	"errors"

	"github.com/planec/planec/internal/input/clusterlist"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
)

// listCluster lists the objects of a cluster, and says how many there are so far.
func listCluster(c cluster, entries bool, progress func(objects int)) ([]manifest.Built, diag.List, error) {
	l, err := clusterlist.List(context.Background(), clusterlist.Source{Kubeconfig: c.kubeconfig, Context: c.context, Entries: entries, Progress: progress})
	if errors.Is(err, clusterlist.ErrCluster) {
		return nil, nil, systemError(err)
	}
	if err != nil {
		return nil, nil, err
	}
	return l.Objects, l.Unread, nil
}
