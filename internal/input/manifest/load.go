package manifest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Options select what to load.
type Options struct {
	// Paths are files and directories, and "-" for Stdin.
	Paths []string
	// Recursive also searches subdirectories of the given directories. It does
	// not follow links to directories.
	Recursive bool
	// Exclude are patterns of entries in directories that are not read: names, or
	// with slashes paths below the given directory.
	Exclude []string
	// Built are objects that a program has generated from files.
	Built []Built
	// Base is a directory that file names omit: copied files keep the names they had
	// at their origin.
	Base string
	// Stdin is read for the path "-".
	Stdin io.Reader
	// Workloads also loads Deployments and the like, which are otherwise
	// skipped.
	Workloads bool
	// Images also keeps the names of workloads' images, by which two workloads of one name
	// then differ.
	Images bool
	// Entries also loads Ingresses and routes, which are otherwise skipped.
	Entries bool
	// KeepGoing turns an unreadable file into a diagnostic if there are others;
	// otherwise it is an error.
	KeepGoing bool
	// Progress is called with the number of objects and documents that were decoded so far,
	// again and again, by one goroutine; it may be nil.
	Progress func(objects int)
	// Memo keeps what was decoded for later loads; nil keeps nothing.
	Memo *Memo
}

// Built is the text of one object, with its original place. Line is that of the
// text's first line; all of a one-line text has it.
type Built struct {
	File string // the file of the object before it was changed
	Line int    // the line of its first field; 0 is unknown
	Text []byte // JSON or YAML
}

// Load reads every object that planec uses. The result depends on the content
// and names of the files, not on the order of Paths.
//
// An error concerns the system or the call: a missing path, an unreadable file,
// a cancelled context. Problems in a file are diagnostics, and the rest is still
// loaded. Objects have the API server's defaults and lack unused fields;
// [objects.Set.Deduplicate] chooses between those with the same name.
func Load(ctx context.Context, o Options) (objects.Set, diag.List, error) {
	found, err := find(&o)
	if err != nil {
		return objects.Set{}, nil, err
	}
	var structure outcome
	for _, s := range found.skipped {
		structure.report(s.code, ir.Origin{File: o.name(s.path)}, s.why)
	}
	set, diags, err := load(ctx, wanted{o.Workloads, o.Entries, o.Images}, o.Memo, &structure, func(p *pipeline) error {
		p.progress = o.Progress
		for _, path := range found.files {
			err := o.loadFile(p, path, &structure)
			if err != nil && (!o.KeepGoing || ctx.Err() != nil) {
				return err
			}
			if err != nil {
				structure.report(diag.UnreadInput, ir.Origin{File: o.name(path)}, err.Error())
			}
		}
		for _, b := range o.Built {
			if err := loadWindow(p, textWindow(b.Text, b.Line), o.name(b.File), &structure); err != nil {
				return err
			}
		}
		return nil
	})
	found.noteEmpty(diags)
	return set, o.withoutOthers(diags, &found), err
}

// LoadFrom is [Load] for one open file; name is its name in origins.
func LoadFrom(ctx context.Context, name string, r io.Reader) (objects.Set, diag.List, error) {
	var structure outcome
	return load(ctx, wanted{}, nil, &structure, func(p *pipeline) error { return loadReader(p, r, name, &structure) })
}

// load reads everything that feed sends.
func load(ctx context.Context, want wanted, memo *Memo, structure *outcome, feed func(*pipeline) error) (objects.Set, diag.List, error) {
	p := startPipeline(ctx, want, memo)
	err := feed(p)
	out := p.wait()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return objects.Set{}, nil, err
	}
	out.add(structure)
	return out.set, out.diagnostics(), nil
}

// name returns the name of a file in origins.
func (o *Options) name(path string) string {
	if o.Base != "" {
		if rel, err := filepath.Rel(o.Base, path); err == nil && filepath.IsLocal(rel) {
			path = rel
		}
	}
	return filepath.ToSlash(path)
}

func (o *Options) loadFile(p *pipeline, path string, structure *outcome) error {
	src, name := o.Stdin, "<stdin>"
	if path != standardInput {
		f, err := open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		src, name = f, o.name(path)
	} else if o.Stdin == nil {
		return errors.New("read input: there is no standard input")
	}
	return loadReader(p, src, name, structure)
}

func loadReader(p *pipeline, src io.Reader, name string, structure *outcome) error {
	return loadWindow(p, newWindow(src), name, structure)
}

func loadWindow(p *pipeline, w *window, name string, structure *outcome) error {
	s := &splitter{w: w, file: name, out: p}
	if err := s.split(); err != nil {
		return err
	}
	structure.add(&s.diags)
	return nil
}

// diagnostics returns the sorted list, with one note about skipped objects and
// at most maxDiagnostics for each file.
func (o *outcome) diagnostics() diag.List {
	all := o.diags
	all.Sort()
	var kept diag.List
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].Origin.File == all[i].Origin.File {
			j++
		}
		kept = append(kept, all[i:min(j, i+maxDiagnostics)]...)
		if more := j - i - maxDiagnostics; more > 0 {
			kept.Add(worst(all[i+maxDiagnostics:j]), ir.Origin{File: all[i].Origin.File}, fmt.Sprintf("%d more findings in this file are not shown", more))
		}
		i = j
	}
	if len(o.skipped) > 0 {
		kept.Add(diag.SkippedKinds, ir.Origin{}, "skipped: "+o.skipped.String())
	}
	if o.isEmpty() {
		kept.Add(diag.EmptyInput, ir.Origin{}, "there is nothing to compile")
	}
	kept.Sort()
	return kept
}

// worst returns the code of the most severe finding, so that hidden findings keep
// their weight.
func worst(list diag.List) diag.Code {
	found := slices.MaxFunc(list, func(a, b diag.Diagnostic) int {
		unread := func(d diag.Diagnostic) int {
			if d.Code == diag.BadDocument || d.Code == diag.BadUTF8 {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(unread(a), unread(b)), cmp.Compare(a.Severity(), b.Severity()))
	})
	return found.Code
}

func (o *outcome) isEmpty() bool {
	s := &o.set
	return len(s.Services)+len(s.EndpointSlices)+len(s.Nodes)+len(s.Pods)+len(s.Namespaces)+len(s.ServiceCIDRs)+
		len(s.NetworkPolicies)+len(s.ClusterNetworkPolicies)+len(s.AdminNetworkPolicies)+len(s.BaselineAdminNetworkPolicies)+
		len(s.CalicoNetworkPolicies)+len(s.CalicoGlobalNetworkPolicies)+len(s.CalicoTiers)+len(s.CalicoNetworkSets)+
		len(s.CalicoGlobalNetworkSets)+len(s.CiliumNetworkPolicies)+len(s.CiliumClusterwideNetworkPolicies)+len(s.CiliumCIDRGroups)+
		len(s.CiliumPools)+len(s.MetalLBPools)+len(s.Workloads)+len(s.Endpoints)+len(s.ServiceImports)+len(s.ServiceExports) == 0 && !s.HasAnnouncing()
}
