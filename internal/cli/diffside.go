package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/input/gittree"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/review/compare"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// diffSide is OLD or NEW: manifests, or compiled rules.
type diffSide struct {
	name string
	// loaded is nil for compiled rules.
	loaded *loaded
	rules  []compare.RuleSet
	// root is the common prefix of the names of its files.
	root string
	// copied is the directory that files of Git were copied to, and revision
	// where they are from.
	copied, revision string
	// absent reports that the state does not have the path.
	absent bool
	// live reports that it is what this machine applied last.
	live bool
}

// liveSide is the argument for what this machine applied last.
const liveSide = "live:"

// clusterSide begins the argument for a cluster: the name of a context follows, or nothing.
const clusterSide = "context:"

// loadCluster reads the objects of a cluster.
func (d *diffCommand) loadCluster(s *diffSide, context string) (err error) {
	in := d.input
	in.cluster.current, in.cluster.context = true, context
	in.care, in.part = empty, true
	if s.loaded, err = in.load(d.streams); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

func (s *diffSide) close() {
	if s.copied != "" {
		os.RemoveAll(s.copied) // it is in the system's directory for temporary files
	}
}

// side loads an argument.
func (d *diffCommand) side(ctx context.Context, arg string) (*diffSide, error) {
	s := &diffSide{name: arg}
	if arg == liveSide {
		e, err := liveEntry(d.stateDir)
		if err != nil {
			return nil, err
		}
		s.live = true
		s.rules = []compare.RuleSet{{Backend: e.Backend, Node: d.input.nodeName, Artifact: e.Artifact}}
		return s, nil
	}
	if context, isCluster := strings.CutPrefix(arg, clusterSide); isCluster {
		return s, d.loadCluster(s, context)
	}
	path := arg
	source, isGit, err := gittree.Parse(arg)
	if err != nil {
		return nil, inputError(err)
	}
	if isGit {
		if path, err = d.copyFromGit(ctx, s, source); err != nil {
			s.close()
			return nil, inputError(err)
		}
	}
	if d.build {
		if _, err := os.Stat(path); err != nil {
			s.close()
			return nil, inputError(err)
		}
		return s, d.load(s, path)
	}
	if s.rules, err = readRules(path); err != nil || len(s.rules) > 0 {
		return s, err
	}
	return s, d.load(s, path)
}

// load reads the manifests of a side.
func (d *diffCommand) load(s *diffSide, path string) (err error) {
	s.root = rootOf(path, s.copied)
	in := d.input
	in.cluster = cluster{} // --kubeconfig is for the other side
	if in.paths = []string{path}; d.build && !s.absent {
		in.paths, in.kustomizations = nil, []string{path}
	}
	in.care, in.base, in.part = empty, s.copied, true
	if s.loaded, err = in.load(d.streams); err != nil {
		s.close()
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// rootOf is the prefix of the names of a path's files: the directory itself, or the
// directory of a file, without base.
func rootOf(path, base string) string {
	if !isDirectory(path) {
		path = filepath.Dir(path)
	}
	if base != "" {
		path, _ = filepath.Rel(base, path) // path is below base
	}
	if path = filepath.ToSlash(filepath.Clean(path)); path == "." {
		return ""
	}
	return path + "/"
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// copyFromGit copies the files of a source and returns their place. It copies the
// whole revision for a kustomization, which may refer to any other file.
func (d *diffCommand) copyFromGit(ctx context.Context, s *diffSide, source gittree.Source) (string, error) {
	dir, err := os.MkdirTemp("", "planec-git-")
	if err != nil {
		return "", err
	}
	s.copied, s.revision = dir, source.Revision
	place, err := gittree.Place(ctx, source)
	if err != nil {
		return "", err
	}
	whole := source
	if d.build {
		whole.Path = ""
	}
	root, err := gittree.Copy(ctx, whole, dir, func(string) bool { return true })
	if d.build && err == nil && !isDirectory(filepath.Join(dir, filepath.FromSlash(place))) {
		err = gittree.NoFiles(ctx, source)
	}
	if d.build {
		root = place
	}
	return filepath.Join(dir, filepath.FromSlash(root)), err
}

// nameLive determines which node this machine is, because a record does not tell.
func (d *diffCommand) nameLive(live, other *diffSide) error {
	if !live.live || live.rules[0].Node != "" {
		return nil
	}
	if other.loaded == nil {
		if len(other.rules) != 1 {
			return inputError(errors.New("live: needs --node: which one is this machine?"))
		}
		live.rules[0].Node = other.rules[0].Node
		d.input.nodeName = live.rules[0].Node
		return nil
	}
	node, err := other.loaded.node()
	live.rules[0].Node, d.input.nodeName = node, node
	return err
}

// display is a file's name for people, with its revision if it is only in the old
// state.
func (s *diffSide) display(file string, old bool) string {
	if s.revision == "" || file == "" || !old {
		return file
	}
	return s.revision + ":" + file
}

// readRules reads the output of compile, DIR/<node>/<backend>/<file>, or a part
// of it. For any other directory it returns nothing.
func readRules(dir string) ([]compare.RuleSet, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, nil // the next reader reports the error
	}
	isBackend := func(at string) bool {
		return slices.Contains(append(registry.Names(), podRoutesName), filepath.Base(at))
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, systemError(err)
	}
	if isBackend(abs) && !hasManifests(dir) {
		r, err := readRuleSet(abs)
		return []compare.RuleSet{r}, err
	}
	var out []compare.RuleSet
	for _, pattern := range []string{"*", filepath.Join("*", "*")} {
		found, err := filepath.Glob(filepath.Join(globEscape(abs), pattern))
		if err != nil {
			return nil, systemError(err)
		}
		for _, at := range found {
			if info, err := os.Stat(at); err != nil || !info.IsDir() || !isBackend(at) || hasManifests(at) {
				continue
			}
			if err := withoutLinks(abs, at); err != nil {
				return nil, inputError(err)
			}
			r, err := readRuleSet(at)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// readRuleSet reads the directory of one backend, or of pod routes.
func readRuleSet(at string) (compare.RuleSet, error) {
	if filepath.Base(at) == podRoutesName {
		return readPodRoutes(at)
	}
	e, err := readArtifact(at, "")
	return compare.RuleSet{Backend: e.Backend, Node: filepath.Base(filepath.Dir(at)), Artifact: e.Artifact}, err
}

// withoutLinks rejects a directory of rules that is reached by a link below the
// given one: the compared files would be elsewhere.
func withoutLinks(root, at string) error {
	rel, err := filepath.Rel(root, at)
	if err != nil {
		return err
	}
	t, err := openTree(root)
	if err != nil {
		return err
	}
	defer t.close()
	return t.inDirectory(rel + string(filepath.Separator))
}

// hasManifests reports whether a directory contains manifests after all.
func hasManifests(dir string) bool {
	files, err := manifest.Files([]string{dir}, true)
	return err == nil && len(files) > 0
}

// globEscape escapes a directory's name for filepath.Glob.
func globEscape(s string) string {
	return strings.NewReplacer(`[`, `[[]`, `*`, `[*]`, `?`, `[?]`).Replace(s)
}

// reportBoth prints the diagnostics of the new manifests, and the errors of the
// old ones, which are missing in the comparison.
func reportBoth(before, after *diffSide) error {
	old := make(map[string]bool)
	for _, d := range before.loaded.diagnostics() {
		old[diagnosticKey(d)] = true
	}
	var fresh, known diag.List
	for _, d := range after.loaded.diagnostics() {
		// Unread input may have changed, and nothing else reports that.
		if old[diagnosticKey(d)] && !d.Code.LeavesOut() {
			known = append(known, d)
			continue
		}
		fresh = append(fresh, d)
	}
	l := after.loaded
	p, err := l.printer(l.streams.Err, l.streams.ErrColor)
	if err != nil {
		return err
	}
	fresh = l.refine(fresh)
	p.print(fresh)
	return l.judge(append(fresh, known...))
}

// diagnosticKey is equal for the same diagnostic in two states.
func diagnosticKey(d diag.Diagnostic) string {
	return fmt.Sprint(d.Code, "\x00", d.Origin.Object(), "\x00", d.Origin.Path, "\x00", d.Message)
}

// locate adds the lines of fields to origins, and gives files the names that
// users know.
func locate(r *diffreport.Report, before, after *diffSide) {
	var origins [2][]*ir.Origin
	r.EachOrigin(func(o *ir.Origin, old bool) {
		at := 1
		if old {
			at = 0
		}
		origins[at] = append(origins[at], o)
	})
	for i, s := range []*diffSide{before, after} {
		// The locator reads forward only, so origins are in the order of the files.
		slices.SortStableFunc(origins[i], func(a, b *ir.Origin) int {
			return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
		})
		locator := manifest.Locator{Base: s.copied}
		for _, o := range origins[i] {
			*o = locator.Locate(*o)
			o.File = s.display(o.File, i == 0)
		}
		locator.Close()
	}
}
