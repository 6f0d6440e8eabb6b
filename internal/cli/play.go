//go:build !js

package cli

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/base/buildinfo"
	"github.com/planec/planec/internal/review/play"
	"github.com/planec/planec/internal/review/report"
)

// playCommand is `planec play`.
type playCommand struct {
	streams *Streams
	// page compiles the first document.
	page  reportCommand
	flags *pflag.FlagSet
	// stdin is what standard input had.
	stdin []byte

	example             bool
	listen, wasm, write string
	allowRemote         bool
}

func newPlay(s *Streams) *cobra.Command {
	c := &playCommand{streams: s, page: reportCommand{streams: s, allNodes: true}}
	cmd := &cobra.Command{
		Use:   "play [-f PATH...]",
		Short: "Edit manifests in a page that compiles while you type",
		Long: `play serves the page of planec report on this machine, with the compiler itself in it
(as WebAssembly): a change of a manifest is compiled as you type. The page loads nothing
from elsewhere and sends nothing; files on disk stay as they are. Without -f it shows
an example.

With --write it writes the page as a folder that any web server can host.`,
		Example: `  planec play
  planec play -f manifests/ --config node.yaml
  planec play -f manifests/ --synth --write public/`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run() },
	}
	c.flags = cmd.Flags()
	c.page.input.register(c.flags)
	c.flags.BoolVar(&c.example, "example", false, "show the example that planec has inside; the default without -f")
	c.flags.StringVar(&c.listen, "listen", "127.0.0.1:0", "address and port to serve on; port 0 is any free one")
	c.flags.BoolVar(&c.allowRemote, "allow-remote", false, "with --listen: serve other machines too; the manifests are open to all who know the address")
	c.flags.StringVar(&c.write, "write", "", "write the page into this directory instead of serving it")
	c.flags.StringVar(&c.wasm, "wasm", "", "file of the compiler, planec.wasm.gz with wasm_exec.js beside it, if this planec has none inside")
	return cmd
}

func (c *playCommand) run() error {
	if err := c.check(); err != nil {
		return err
	}
	program, err := c.program()
	if err != nil {
		return inputError(err)
	}
	in, err := c.start()
	if err != nil {
		return err
	}
	in.Program = program
	assets, err := play.Assets(in)
	if err != nil {
		return systemError(err)
	}
	if c.write != "" {
		page, err := play.Write(c.write, assets)
		if err != nil {
			return systemError(err)
		}
		_, err = fmt.Fprintln(c.streams.Out, page)
		return written(err)
	}
	ctx, stop := untilSignal()
	defer stop()
	return c.serve(ctx, assets)
}

// check refuses flags that mean nothing here.
func (c *playCommand) check() error {
	in := &c.page.input
	switch {
	case c.example && len(in.paths) > 0:
		return inputError(errors.New("give -f or --example, not both"))
	case len(in.kustomizations) > 0:
		return inputError(errors.New("-k: the page edits files: give what kustomize makes of them with -f -"))
	case in.cluster.isGiven():
		return inputError(errors.New("--context, --kubeconfig: the page edits files: give what kubectl get -o yaml prints with -f -"))
	case c.flags.Changed("masq-config"):
		return inputError(errors.New("--masq-config: the page has one file of settings: write it into that of --config, as masqAgent"))
	case c.write != "" && (c.flags.Changed("listen") || c.allowRemote):
		return inputError(errors.New("--write serves nothing: it has no use for --listen and --allow-remote"))
	}
	if _, _, err := net.SplitHostPort(c.listen); err != nil {
		return inputError(fmt.Errorf("--listen %s: want an address and a port, such as 127.0.0.1:8080", c.listen))
	}
	return nil
}

// program is the compiler of the page. One of another version may compile otherwise
// than this planec does, which is said.
func (c *playCommand) program() (play.Program, error) {
	read := play.Embedded
	if c.wasm != "" {
		read = func() (play.Program, error) { return play.ReadProgram(c.wasm) }
	}
	p, err := read()
	if err != nil {
		return p, err
	}
	version, err := p.Version()
	if err == nil && version != buildinfo.Version() {
		fmt.Fprintf(c.streams.Err, "warning: the page compiles with planec %s, and this is planec %s: build both by make build\n", version, buildinfo.Version())
	}
	return p, err
}

// start is what the page starts with.
func (c *playCommand) start() (play.Input, error) {
	if len(c.page.input.paths) == 0 {
		done, err := c.useExample()
		if err != nil {
			return play.Input{}, systemError(err)
		}
		defer done()
	}
	files, settings, err := c.texts()
	if err != nil {
		return play.Input{}, err
	}
	return play.Input{
		Report: c.firstDocument(), Files: files, Settings: settings.Text, SettingsName: settings.Name,
		Node: c.page.input.nodeName, Flags: c.flagsOfThePage(), Version: buildinfo.Version(),
	}, nil
}

// firstDocument compiles what there is. If that fails, the page starts empty, and it says
// why; so does the terminal.
func (c *playCommand) firstDocument() report.Input {
	empty := report.Input{Objects: &objects.Set{}}
	l, err := c.page.input.load(c.streams)
	if err == nil {
		in, failed := c.page.state(l, func() []byte { return c.stdin })
		if failed == nil {
			return in // with its diagnostics
		}
		err = failed
	}
	for _, line := range errorLines(err) {
		fmt.Fprintln(c.streams.Err, "planec: "+line)
	}
	return empty
}

// serve serves the page until a signal ends it.
func (c *playCommand) serve(ctx context.Context, assets []play.Asset) error {
	s, err := play.Listen(c.listen, c.allowRemote, assets)
	if errors.Is(err, play.ErrRemote) {
		return inputError(fmt.Errorf("--listen %s: %w (--allow-remote serves it)", c.listen, err))
	}
	if err != nil {
		return systemError(err)
	}
	if s.Remote() {
		fmt.Fprintln(c.streams.Err, "warning: other machines can read the manifests, by the address that follows")
	}
	if _, err := fmt.Fprintln(c.streams.Out, s.URL()); err != nil {
		return errors.Join(written(err), s.Close())
	}
	fmt.Fprintln(c.streams.Err, "open this address in a browser; Ctrl-C ends it")
	if err := s.Serve(ctx); err != nil {
		return systemError(err)
	}
	return nil
}
