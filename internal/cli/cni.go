//go:build !js

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/input/cni"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/internal/input/nodeflags"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// cniCommand is `planec cni`.
type cniCommand struct {
	reporting
	streams       *Streams
	detect        bool
	root, confDir string
	paths         []string
	recursive     bool
	format        string
}

func newCNI(s *Streams) *cobra.Command {
	c := &cniCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "cni [NAME | --detect [--root DIR | -f PATH...]]",
		Short: "List network plugins and their settings, and find a node's",
		Long: `cni lists the network plugins that planec knows, with what each one's nodes need; with a
name it says all of one. --cni NAME of other commands, or cni in a NodeConfig, gives
these settings.

With --detect it looks at this node, or at the one below --root: its CNI configurations,
in the order in which the runtime takes them, and its interfaces. With -f it looks at the
DaemonSets of manifests instead. It says what it found, why, and the settings that
--cni gives. It exits 1 when it cannot tell.`,
		Example: `  planec cni
  planec cni flannel
  planec cni --detect
  kubectl get daemonsets -A -o yaml | planec cni --detect -f -`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeNetworks,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&c.detect, "detect", false, "look which plugin this node has")
	flags.StringVar(&c.root, "root", "/", "with --detect: where the file system of the node is")
	nodeflags.ConfDirFlag(flags, &c.confDir)
	flags.StringSliceVarP(&c.paths, "filename", "f", nil, "with --detect: files or directories with DaemonSets, or - for stdin; may be repeated")
	flags.BoolVarP(&c.recursive, "recursive", "R", false, "search directories below the given ones too")
	c.register(flags)
	formatFlag(flags, &c.format, "text", "json")
	return cmd
}

func completeNetworks(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, s := range cni.Systems() {
		names = append(names, s.Name+"\t"+s.Title)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (c *cniCommand) run(cmd *cobra.Command, args []string) error {
	flags := cmd.Flags()
	switch {
	case c.detect && len(args) > 0:
		return inputError(errors.New("give a name or --detect, not both"))
	case !c.detect && (len(c.paths) > 0 || flags.Changed("root") || flags.Changed("cni-conf-dir")):
		return inputError(errors.New("-f, --root and --cni-conf-dir have no meaning without --detect"))
	case len(c.paths) > 0 && (flags.Changed("root") || flags.Changed("cni-conf-dir")):
		return inputError(errors.New("give -f or the node's --root and --cni-conf-dir, not both"))
	case c.detect:
		return c.find()
	case len(args) == 0:
		return c.list(cni.Systems())
	}
	s, err := cni.Lookup(args[0])
	if err != nil {
		return inputError(err)
	}
	return c.one(s)
}

// list prints the table.
func (c *cniCommand) list(systems []cni.System) error {
	if c.format == "json" {
		return c.json(struct {
			Systems []cni.System `json:"systems"`
		}{systems})
	}
	return written(c.streams.forPeople("text", func(out io.Writer) error {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tLOCAL PODS\tEGRESS\tPOLICIES\tSERVICES\tSURE\tSYSTEM")
		for i := range systems {
			s := &systems[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, s.DetectLocal, s.Egress, s.Policy, s.Services, s.Sure, s.Title)
		}
		return w.Flush() // it keeps errors
	}))
}

// one prints a row.
func (c *cniCommand) one(s *cni.System) error {
	if c.format == "json" {
		return c.json(s)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", s.Name, s.Title)
	for _, l := range s.Lines() {
		fmt.Fprintf(&b, "\n%s:\n%s\n", l.Name, wrapped(l.Text, 90, "  "))
	}
	_, err := io.WriteString(c.streams.Out, b.String())
	return written(err)
}

func (c *cniCommand) json(v any) error {
	enc := json.NewEncoder(c.streams.Out)
	enc.SetIndent("", "  ")
	return written(enc.Encode(v))
}

// looked is what a look found, as JSON has it.
type looked struct {
	System     string       `json:"system,omitempty"` // its name; none is that nothing tells
	Title      string       `json:"title,omitempty"`
	File       string       `json:"file,omitempty"` // the configuration that decided
	Why        []string     `json:"why"`
	Candidates []string     `json:"candidates,omitempty"`
	Unread     []cni.Unread `json:"unread,omitempty"`
	Settings   string       `json:"settings,omitempty"` // a NodeConfig, in YAML
	Findings   []string     `json:"findings,omitempty"`
}

// find looks at the node or at manifests, and prints what it found.
func (c *cniCommand) find() error {
	p, err := c.printer(c.streams.Err, c.streams.ErrColor)
	if err != nil {
		return err
	}
	found, said, err := c.look()
	if err != nil {
		return inputError(err)
	}
	out := looked{File: found.File, Why: found.Why, Candidates: found.Candidates, Unread: found.Unread}
	if s := found.System; s != nil {
		out.System, out.Title = s.Name, s.Title
		settings, notes, err := presetOf(&found)
		if err != nil {
			return systemError(err)
		}
		out.Settings, said = settings, append(said, notes...)
	}
	for _, d := range said {
		out.Findings = append(out.Findings, d.String())
	}
	p.print(said)
	if err := c.write(&out); err != nil {
		return err
	}
	if found.System == nil {
		return finding()
	}
	return c.judge(said)
}

// look is one look, with the findings about what was read.
func (c *cniCommand) look() (found cni.Found, said diag.List, err error) {
	if len(c.paths) == 0 {
		found = cni.Detect(cni.Host{Root: c.root, ConfDir: c.confDir})
		for _, u := range found.Unread {
			said.Add(diag.UnreadNetwork, ir.Origin{File: u.File}, u.Why)
		}
		return found, said, nil
	}
	set, read, err := manifest.Load(context.Background(), manifest.Options{Paths: c.paths, Recursive: c.recursive, Stdin: c.streams.In, Workloads: true, Images: true})
	if err != nil {
		return found, nil, err
	}
	for _, d := range read {
		if d.Severity() == diag.Error { // kinds that are not read are most of such input
			said = append(said, d)
		}
	}
	var list []cni.Workload
	for _, w := range set.Workloads {
		list = append(list, cni.Workload{Kind: w.Object.Kind, Namespace: w.Object.Namespace, Name: w.Object.Name, Images: w.Object.Images})
	}
	var cilium map[string]string
	for _, m := range set.CiliumConfigs {
		cilium = m.Object.Data
	}
	return cni.OfWorkloads(list, cilium), said, nil
}

// presetOf is the NodeConfig that follows from what was found.
func presetOf(found *cni.Found) (text string, said diag.List, err error) {
	config := nodeconfig.Default()
	_, said = config.Network(found.System, found.Preset, nil)
	config.CNI = found.System.Name
	body, err := nodeconfig.Text(&config, nil)
	return string(body), said, err
}

func (c *cniCommand) write(l *looked) error {
	if c.format == "json" {
		return c.json(l)
	}
	var b strings.Builder
	if l.System != "" {
		fmt.Fprintf(&b, "%s: %s\n", l.System, l.Title)
	} else {
		fmt.Fprintf(&b, "unknown: nothing tells which network plugin it is\n")
	}
	for _, w := range l.Why {
		fmt.Fprintf(&b, "  %s\n", diag.Printable(w))
	}
	if l.Settings != "" {
		fmt.Fprintf(&b, "\n%s", l.Settings)
	}
	_, err := io.WriteString(c.streams.Out, b.String())
	return written(err)
}
