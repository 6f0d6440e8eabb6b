package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/internal/review/nettest"
	"github.com/planec/planec/ir/diag"
)

// testCommand is `planec test`.
type testCommand struct {
	streams *Streams
	// given are the flags of the command line; each file has its own input.
	given   *pflag.FlagSet
	input   input
	backend string
	format  string
}

func newNetTest(s *Streams) *cobra.Command {
	t := &testCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "test FILE...",
		Short: "Test what a cluster's network lets through, without a cluster",
		Long: `test reads files of cases, follows each case's connection as trace does, and says
which are not as expected: with the rule that decided, and where it is written. It
exits 1 when a case fails, and 2 when a file is wrong.

A file has manifests (paths and patterns relative to it), optionally config, node and
synth, and cases with from, to, port and expect. from and to are what trace takes, or
namespace/workload, which means each of its pods. expect is allow, deny (a drop or a
reject), drop or reject; or endpoints: [...], sourcePreserved: true or false. Without
a node, connections from outside are tried on every node.`,
		Example: `  planec test examples/shop/tests/network.yaml

  # Do the rules that a backend emits pass too?
  planec test tests/*.yaml --backend nftables

  # For CI
  planec test tests/*.yaml -o junit > network.xml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("give at least one file with network tests, as in: planec test tests/*.yaml")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			t.given = cmd.Flags()
			return t.run(args)
		},
	}
	flags := cmd.Flags()
	t.input.register(flags)
	flags.Lookup("node").Usage = "node that connections from outside reach first; all are tried by default"
	flags.MarkHidden("filename") // the files replace it, but the flag exists
	backendFlag(flags, &t.backend, "ask the rules that this backend emits, by interpreting them, instead of the evaluator")
	formatFlag(flags, &t.format, nettest.Formats()...)
	return cmd
}

func (t *testCommand) run(paths []string) error {
	if len(t.input.paths) > 0 {
		return inputError(errors.New("test takes files of cases as arguments; these say which manifests they are about"))
	}
	var results []nettest.FileResult
	for _, path := range paths {
		r, err := t.file(path)
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	if err := t.streams.forPeople(t.format, func(w io.Writer) error {
		out := bufio.NewWriter(w)
		return errors.Join(nettest.Write(out, t.format, results, places(paths)), out.Flush())
	}); err != nil {
		return written(err)
	}
	if _, failed := nettest.Count(results); failed > 0 {
		return finding()
	}
	return nil
}

// maxRegular bounds the files that readRegular reads.
const maxRegular = 8 << 20

// readRegular reads a file of a repository that is not a manifest, such as tests or
// a baseline. It must be a regular file, because a link there may lead anywhere.
func readRegular(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s is not a regular file", path))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxRegular+1))
	if err == nil && len(data) > maxRegular {
		err = fmt.Errorf("%s is larger than %d MiB", path, maxRegular>>20)
	}
	return data, err
}

// file runs the cases of one file.
func (t *testCommand) file(path string) (nettest.FileResult, error) {
	r := nettest.FileResult{Path: path}
	data, err := readRegular(path)
	if err != nil {
		return r, inputError(err)
	}
	f, err := nettest.Parse(path, data)
	if err != nil {
		return r, inputError(err)
	}
	l, err := t.load(f)
	if err != nil {
		return r, err
	}
	if err := l.report(l.diagnostics()); err != nil {
		return r, err
	}
	var diags diag.List
	for i := range f.Cases {
		c := &f.Cases[i]
		answers, more, err := l.answers(c)
		if err != nil {
			return r, caseError(path, c, err)
		}
		diags = append(diags, more...)
		r.Results = append(r.Results, nettest.Check(c, answers))
	}
	if note := idleNote(l.cluster); note != "" {
		r.Notes = append(r.Notes, note)
	}
	return r, l.report(diags)
}

// caseError names the case; its fields have the names of flags, without dashes.
func caseError(path string, c *nettest.Case, err error) error {
	return &exitError{exitCode(err), fmt.Errorf("%s:%d: %s: %s", path, c.Line, c.Name, strings.TrimPrefix(err.Error(), "--"))}
}

// load reads the manifests of a file with its settings; those of the command
// line take precedence.
func (t *testCommand) load(f *nettest.File) (*tested, error) {
	in := &input{care: careful}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	in.register(flags)
	dir := filepath.Dir(f.Path)
	if f.Config != "" {
		if err := flags.Set("config", filepath.Join(dir, f.Config)); err != nil {
			return nil, inputError(err)
		}
	}
	if f.Synth {
		if err := flags.Set("synth", "true"); err != nil {
			return nil, inputError(fmt.Errorf("%s: synth: %w", f.Path, err))
		}
	}
	if err := overrideFlags(flags, t.given); err != nil {
		return nil, inputError(err)
	}
	var err error
	if in.paths, err = expand(dir, f.Manifests); err != nil {
		return nil, inputError(fmt.Errorf("%s: manifests: %w", f.Path, err))
	}
	in.paths = slices.DeleteFunc(in.paths, func(p string) bool { return sameFile(p, f.Path) })
	l, err := in.load(t.streams)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	// Connections are traced over all nodes: a node is only their start.
	in.nodeName = ""
	judge, err := l.judgeOf(t.backend, true)
	if err != nil {
		return nil, err
	}
	l.network = netpath.New(&l.objects, l.cluster, judge)
	x := &tested{loaded: l, ends: netpath.Pods(&l.objects), workloads: make(map[string]string)}
	for _, p := range x.ends {
		x.workloads[p.String()] = p.Namespace + "/" + p.Workload
	}
	if t.backend != "" {
		x.reference = netpath.New(&l.objects, l.cluster, netpath.Evaluator)
	}
	return x, nil
}

// overrideFlags copies the flags set on the command line to another set of the same flags.
func overrideFlags(into, given *pflag.FlagSet) error {
	var errs []error
	given.Visit(func(f *pflag.Flag) {
		to := into.Lookup(f.Name)
		if to == nil {
			return // a flag of the command, not of its input
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, v := range list.GetSlice() {
				errs = append(errs, into.Set(f.Name, v))
			}
			return
		}
		errs = append(errs, into.Set(f.Name, f.Value.String()))
	})
	return errors.Join(errs...)
}

// expand resolves paths and patterns below dir. A pattern without a match is an
// error.
func expand(dir string, patterns []string) ([]string, error) {
	var out []string
	for _, p := range patterns {
		at := p
		if !filepath.IsAbs(p) {
			at = filepath.Join(dir, p)
		}
		if _, err := os.Stat(at); err == nil || !strings.ContainsAny(p, "*?[") {
			out = append(out, at)
			continue
		}
		found, err := filepath.Glob(at)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s matches no file", p)
		}
		out = append(out, found...)
	}
	return out, nil
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}
