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

// sink receives one node's rules. Several workers call it concurrently.
type sink interface {
	take(nodeResult) error
}

// writer writes rules to DIR/<node>/<backend>/<file>.
type writer struct{ open func() (*tree, error) }

// newWriter creates the directory only when there is something to write.
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

// checker compares rules with existing files.
type checker struct {
	tree *tree

	mu sync.Mutex
	// stale are the files that compile would write, stray the entries that it does not
	// write and does not remove.
	stale, stray []string
}

func (c *checker) take(r nodeResult) error {
	for _, a := range r.artifacts {
		dir := filepath.Join(r.node, a.backend)
		files := withSums(a.artifact).Files
		wanted := make(map[string]bool, len(files))
		for _, f := range files {
			wanted[f.Name] = true
			name := filepath.Join(dir, f.Name)
			// A larger file is stale, whatever its content.
			have, err := c.tree.read(name, len(f.Data))
			switch {
			case errors.Is(err, fs.ErrNotExist) && f.Name == sumsFile:
				// An older planec did not write it, and its rules are right without it.
			case errors.Is(err, fs.ErrNotExist):
				c.say(&c.stale, "missing: %s", c.tree.at(name))
			case errors.Is(err, errOdd):
				c.say(&c.stray, "%v", err)
			case err != nil:
				return systemError(fmt.Errorf("reading rules: %w", err))
			case !bytes.Equal(have, f.Data):
				c.say(&c.stale, "stale: %s", c.tree.at(name))
			}
		}
		if err := c.extra(dir, "no file of the backend", func(name string) bool { return wanted[name] }); err != nil {
			return err
		}
	}
	return nil
}

// extra reports unexpected entries in a directory.
func (c *checker) extra(dir, why string, wanted func(string) bool) error {
	entries, err := c.tree.entries(dir)
	if errors.Is(err, errOdd) {
		return nil // its files are reported
	}
	if err != nil {
		return systemError(fmt.Errorf("reading rules: %w", err))
	}
	for _, e := range entries {
		if !wanted(e.Name()) {
			c.say(&c.stray, "%s: %s", why, c.tree.at(filepath.Join(dir, e.Name())))
		}
	}
	return nil
}

// say adds a finding unless it exists.
func (c *checker) say(list *[]string, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if text := diag.Printable(fmt.Sprintf(format, args...)); !slices.Contains(*list, text) {
		*list = append(*list, text)
	}
}

// report prints the differences; whole also reports the rules of nodes that are
// gone.
func (c *checker) report(out io.Writer, whole bool, nodes []string) error {
	if whole {
		if err := c.goneNodes(nodes); err != nil {
			return err
		}
	}
	findings := slices.Sorted(slices.Values(slices.Concat(c.stale, c.stray)))
	if len(findings) == 0 {
		return nil
	}
	for _, f := range findings {
		fmt.Fprintln(out, f)
	}
	if n := len(c.stale); n > 0 {
		fmt.Fprintf(out, "%s not what the manifests say: run the same command without --check\n", countIs(n, "file"))
	}
	if n := len(c.stray); n > 0 {
		fmt.Fprintf(out, "%s not of these rules, and compile removes nothing: delete what is named above\n", countIs(n, "entry"))
	}
	return finding()
}

// countIs formats "1 file is" or "2 files are".
func countIs(n int, thing string) string {
	if n == 1 {
		return count(n, thing) + " is"
	}
	return count(n, thing) + " are"
}

// goneNodes finds directories of rules whose node is not in the input. A directory
// without a backend's name in it is not planec's.
func (c *checker) goneNodes(nodes []string) error {
	return c.extra(".", "no such node", func(name string) bool {
		return slices.Contains(nodes, name) || !slices.ContainsFunc(registry.Names(), func(b string) bool {
			return c.tree.isDirectory(filepath.Join(name, b))
		})
	})
}
