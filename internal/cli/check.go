package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"

	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/ir/diag"
)

// sink takes one node's rules. It is called by several workers at once.
type sink interface {
	take(nodeResult) error
}

// writer writes them to DIR/<node>/<backend>/<file>.
type writer struct{ open func() (*tree, error) }

// newWriter makes the directory when there is something to write.
func newWriter(dir string) writer {
	return writer{sync.OnceValues(func() (*tree, error) { return makeTree(dir) })}
}

func (w writer) take(r nodeResult) error {
	tree, err := w.open()
	if err != nil {
		return systemError(err)
	}
	for _, a := range r.artifacts {
		if err := tree.writeArtifact(filepath.Join(r.node, a.backend), withSums(a.artifact)); err != nil {
			return err
		}
	}
	return nil
}

// checker compares them with what is there.
type checker struct {
	tree *tree

	mu       sync.Mutex
	findings []string
}

func (c *checker) take(r nodeResult) error {
	for _, a := range r.artifacts {
		dir := filepath.Join(r.node, a.backend)
		files := withSums(a.artifact).Files
		wanted := make(map[string]bool, len(files))
		for _, f := range files {
			wanted[f.Name] = true
			name := filepath.Join(dir, f.Name)
			// A file that is larger is stale, whatever else it has.
			have, err := c.tree.read(name, len(f.Data))
			switch {
			case errors.Is(err, fs.ErrNotExist) && f.Name == sumsFile:
				// Rules that an older planec wrote are right without it.
			case errors.Is(err, fs.ErrNotExist):
				c.say("missing: %s", c.tree.at(name))
			case errors.Is(err, errOdd):
				c.say("%v", err)
			case err != nil:
				return systemError(fmt.Errorf("reading rules: %w", err))
			case !bytes.Equal(have, f.Data):
				c.say("stale: %s", c.tree.at(name))
			}
		}
		if err := c.extra(dir, "no file of the backend", func(name string) bool { return wanted[name] }); err != nil {
			return err
		}
	}
	return nil
}

// extra reports what is in a directory and is not wanted there.
func (c *checker) extra(dir, why string, wanted func(string) bool) error {
	entries, err := c.tree.entries(dir)
	if errors.Is(err, errOdd) {
		return nil // its files are findings
	}
	if err != nil {
		return systemError(fmt.Errorf("reading rules: %w", err))
	}
	for _, e := range entries {
		if !wanted(e.Name()) {
			c.say("%s: %s", why, c.tree.at(filepath.Join(dir, e.Name())))
		}
	}
	return nil
}

func (c *checker) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.findings = append(c.findings, diag.Printable(fmt.Sprintf(format, args...)))
}

// report prints what is not as it should be; whole also looks for rules of nodes
// that are gone.
func (c *checker) report(out io.Writer, whole bool, nodes []string) error {
	if whole {
		if err := c.goneNodes(nodes); err != nil {
			return err
		}
	}
	if len(c.findings) == 0 {
		return nil
	}
	slices.Sort(c.findings)
	c.findings = slices.Compact(c.findings)
	for _, f := range c.findings {
		fmt.Fprintln(out, f)
	}
	are := "are"
	if len(c.findings) == 1 {
		are = "is"
	}
	fmt.Fprintf(out, "%s %s not what the manifests say: run the same command without --check\n", count(len(c.findings), "file"), are)
	return finding()
}

// goneNodes looks for directories of rules whose node the input does not have; one
// that has no backend's name in it is not ours.
func (c *checker) goneNodes(nodes []string) error {
	return c.extra(".", "no such node", func(name string) bool {
		return slices.Contains(nodes, name) || !slices.ContainsFunc(registry.Names(), func(b string) bool {
			return c.tree.isDirectory(filepath.Join(name, b))
		})
	})
}
