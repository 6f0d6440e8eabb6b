package cli

import (
	"github.com/spf13/pflag"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// The program of a page, whose size is bounded, has no room for sets of clusters: it lacks the flag.

type clusterObjects struct{ Name string }

func (in *input) registerClusters(*pflag.FlagSet, string) {}

func (in *input) joined(_ *Streams, set objects.Set, _ string) (objects.Set, []clusterObjects, diag.List, error) {
	return set, nil, nil, nil
}

func clustersOf(given []string, _ int) ([]string, error) { return given, nil }

func (l *loaded) networks(func(*ir.Program) (netpath.Judge, error)) (map[string]*netpath.Network, []netpath.Pod) {
	return nil, nil
}

func (l *loaded) unasked(netpath.Outcome) string { return "" }
