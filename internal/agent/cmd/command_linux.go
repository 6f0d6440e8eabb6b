package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/base/buildinfo"
	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/internal/input/nodeflags"
	"github.com/planec/planec/ir/diag"
)

// Exit codes, the same as planec's. After a change of the configuration, the agent
// exits with exitSystem, so that the service manager restarts it.
const (
	exitFine   = 0
	exitInput  = 2
	exitSystem = 3
)

// planes makes the dataplanes by the names of their backends, for programs on a cgroup.
type planes = func(cgroup string) map[string]applier.Dataplane

// New returns the command.
func New(stderr io.Writer) *cobra.Command { return newOn(stderr, dataplane.AllAt) }

func newOn(stderr io.Writer, planes planes) *cobra.Command {
	o := &options{planes: planes}
	cmd := &cobra.Command{
		Use:   "planec-agent [--manifest-dir DIR | --kubeconfig FILE] --node NAME --backend NAME",
		Short: "Keep this node's kernel what the cluster says: a service proxy",
		Long: `planec-agent follows Services, EndpointSlices and, with --policies, network policies,
and keeps this node's kernel what they say. It can take the place of kube-proxy.

The agent changes nothing before it has read every object once. An apply that fails
leaves the old rules as they are and is tried again. When another process changes
planec's rules, the agent restores them. The rules stay when the agent ends:
--cleanup removes them.`,
		Example: `  # In the place of kube-proxy, with its configuration
  planec-agent --config /var/lib/kube-proxy/config.conf --takeover kube-proxy

  # A node without an API server
  planec-agent --manifest-dir /etc/planec/manifests --node node-a --backend nftables`,
		Args:          noArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, unix.SIGTERM)
			defer stop()
			return run(ctx, o, stderr)
		},
	}
	cmd.Version = buildinfo.Version()
	cmd.SetVersionTemplate(buildinfo.Line("planec-agent"))
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return nodeflags.Mistake(cmd.Flags(), err) })
	o.register(cmd.Flags())
	return cmd
}

// noArguments rejects arguments that are not flags: often a flag without its dashes.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unexpected argument %q: planec-agent takes flags only%s", args[0], suggest.DidYouMean("--"+args[0], nodeflags.Names(cmd.Flags())))
}

// Main runs the command and returns its exit code.
func Main(args []string, stderr io.Writer) int { return MainOn(args, stderr, dataplane.AllAt) }

// MainOn is Main with the given dataplanes.
func MainOn(args []string, stderr io.Writer, planes planes) int {
	cmd := newOn(stderr, planes)
	cmd.SetArgs(args)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(context.Background())
	if err == nil {
		return exitFine
	}
	// errStarted already contains the program's name.
	fmt.Fprintln(stderr, "planec-agent: "+diag.Printable(strings.TrimPrefix(err.Error(), errStarted.Error()+": ")))
	if errors.Is(err, errUsage) || !errors.Is(err, errStarted) {
		return exitInput
	}
	return exitSystem
}
