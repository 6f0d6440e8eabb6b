//go:build !js

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/ir/diag"
)

// maxImage bounds the input of show in bytes: an image of 100,000 Services has a tenth.
const maxImage = 1 << 30

// showCommand is `planec show`.
type showCommand struct {
	streams                   *Streams
	backend, stateDir, format string
}

func newShow(s *Streams) *cobra.Command {
	c := &showCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Print what this kernel serves, or a compiled file that is not text",
		Long: `show reads planec's rules in this kernel and prints the frontends, their endpoints
and the pods that policies judge, as they are there, with names where the rules
have them; of ebpf also its programs and where they are attached. It changes nothing.

With a FILE it reads an eBPF map image (maps.bin), verifies every digest in it, and
prints one line for each entry, as maps.txt has them.`,
		Example: `  planec show
  planec show --backend iptables -o json

  planec compile -f manifests/ --node node-a --backend ebpf --out-dir rules/
  planec show rules/node-a/ebpf/maps.bin`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return showImage(s, args[0])
			}
			return c.kernel()
		},
	}
	backendFlag(cmd.Flags(), &c.backend, "whose rules; those of the last apply by default")
	formatFlag(cmd.Flags(), &c.format, "text", "json")
	registerStateDir(cmd.Flags(), &c.stateDir)
	return cmd
}

func showImage(s *Streams, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return inputError(err)
	}
	defer f.Close() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxImage))
	if err != nil {
		return inputError(err) // such as of a directory
	}
	img, err := ebpf.Read(data)
	if err != nil {
		return inputError(fmt.Errorf("%s: %w", path, err))
	}
	_, err = s.Out.Write(img.Text())
	return written(err)
}

// kernel prints the kernel's state.
func (c *showCommand) kernel() error {
	a := newApplier(c.stateDir, "")
	last, err := lastApplied(a, "give --backend, or the --state-dir of the apply")
	if c.backend == "" {
		if err != nil {
			return err
		}
		c.backend = last.Backend
	}
	ctx, stop := untilSignal()
	defer stop()
	served, err := a.Served(ctx, c.backend)
	if err != nil {
		return systemError(err)
	}
	if last.Backend == c.backend {
		nameFrontends(&served, last.Names)
	}
	write := showText
	if c.format == "json" {
		write = func(w io.Writer, s backends.Served) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(s)
		}
	}
	return written(c.streams.forPeople(c.format, func(w io.Writer) error { return write(w, served) }))
}

// showText prints a line for each frontend, each pod and each program.
func showText(w io.Writer, s backends.Served) error {
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(words ...string) {
		for i := range words {
			if words[i] = diag.Printable(words[i]); words[i] == "" {
				words[i] = "-"
			}
		}
		fmt.Fprintln(out, strings.Join(words, "\t")) // the writer keeps errors
	}
	row("FRONTEND", "NAME", "DOES", "ENDPOINTS")
	for _, f := range s.Frontends {
		row(f.At, f.Name, f.Does, some(f.Endpoints))
	}
	if len(s.Pods) > 0 {
		fmt.Fprintln(out)
		row("POD", "NAME", "INGRESS", "EGRESS")
		for _, p := range s.Pods {
			row(p.Address, p.Name, p.Ingress, p.Egress)
		}
	}
	if len(s.Programs) > 0 {
		fmt.Fprintln(out)
		row("PROGRAM", "NUMBER", "ATTACHED TO")
		for _, p := range s.Programs {
			at := p.At
			if len(p.Direct) > 0 {
				at += " (packets from other pods are handed to " + some(p.Direct) + ")"
			}
			row(p.Name, strconv.FormatUint(uint64(p.ID), 10), at)
		}
	}
	return errors.Join(out.Flush())
}

// some formats the first few.
func some(list []string) string {
	const most = 5
	if len(list) <= most {
		return strings.Join(list, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], " "), len(list)-most)
}
