package cli

import (
	"errors"

	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
)

// cluster holds the flags that name a cluster instead of files.
type cluster struct {
	kubeconfig, context string
	// current is the current context, without a flag that says so.
	current bool
}

func (c *cluster) register(flags *pflag.FlagSet) {
	flags.StringVar(&c.context, "context", "", "read a cluster instead of files: a context of the kubeconfig; its objects are listed once")
	flags.StringVar(&c.kubeconfig, "kubeconfig", "", "read a cluster instead of files: a kubeconfig; its current context unless --context says another one")
}

// isGiven reports whether the objects are a cluster's.
func (c *cluster) isGiven() bool { return c.current || c.kubeconfig != "" || c.context != "" }

var errTwoSources = errors.New("give files or a cluster (--context, --kubeconfig), not both")

// unreadKinds returns the error for kinds that a cluster has and that could not be listed.
func (in *input) unreadKinds(unread diag.List) error {
	if len(unread) == 0 || in.keepGoing || in.care == lenient {
		return nil
	}
	var reasons []error
	for _, d := range unread {
		reasons = append(reasons, errors.New(d.String()))
	}
	return errors.Join(append(reasons, errors.New(count(len(unread), "kind")+" of the cluster cannot be listed, so nothing was done (--keep-going leaves out what cannot be read)"))...)
}

// fromCluster is the input of a cluster.
func (in *input) fromCluster(s *Streams) (manifest.Options, diag.List, error) {
	objects, unread, err := listCluster(in.cluster, in.entries, func(objects int) { s.progress.step("listing the cluster: %s objects", thousands(objects)) })
	return manifest.Options{Built: objects, Workloads: in.synth, Entries: in.entries, KeepGoing: in.keepGoing}, unread, err
}
