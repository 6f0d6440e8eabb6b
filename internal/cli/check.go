package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/planec/planec/backends/registry"
)

// sink takes one node's rules. It is called by several workers at once.
type sink interface {
	take(nodeResult) error
}

// writer writes them to DIR/<node>/<backend>/<file>.
type writer struct{ dir string }

func (w writer) take(r nodeResult) error {
	for _, a := range r.artifacts {
		if err := writeArtifact(filepath.Join(w.dir, r.node, a.backend), a.artifact); err != nil {
			return err
		}
	}
	return nil
}

// checker compares them with what is there.
type checker struct {
	dir string

	mu       sync.Mutex
	findings []string
}

func (c *checker) take(r nodeResult) error {
	for _, a := range r.artifacts {
		at := filepath.Join(c.dir, r.node, a.backend)
		wanted := make(map[string]bool, len(a.artifact.Files))
		for _, f := range a.artifact.Files {
			wanted[f.Name] = true
			have, err := os.ReadFile(filepath.Join(at, f.Name))
			switch {
			case errors.Is(err, fs.ErrNotExist):
				c.say("missing: %s", filepath.Join(at, f.Name))
			case err != nil:
				return systemError(fmt.Errorf("reading rules: %w", err))
			case !bytes.Equal(have, f.Data):
				c.say("stale: %s", filepath.Join(at, f.Name))
			}
		}
		if err := c.extra(at, "no file of the backend", func(name string) bool { return wanted[name] }); err != nil {
			return err
		}
	}
	return nil
}

// extra reports what is in a directory and is not wanted there.
func (c *checker) extra(dir, why string, wanted func(string) bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return systemError(fmt.Errorf("reading rules: %w", err))
	}
	for _, e := range entries {
		if !wanted(e.Name()) {
			c.say("%s: %s", why, filepath.Join(dir, e.Name()))
		}
	}
	return nil
}

func (c *checker) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.findings = append(c.findings, fmt.Sprintf(format, args...))
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
	for _, f := range c.findings {
		fmt.Fprintln(out, f)
	}
	fmt.Fprintf(out, "%d files are not what the manifests say: run the same command without --check\n", len(c.findings))
	return finding()
}

// goneNodes looks for directories of rules whose node the input does not have; one
// that has no backend's name in it is not ours.
func (c *checker) goneNodes(nodes []string) error {
	return c.extra(c.dir, "no such node", func(name string) bool {
		if slices.Contains(nodes, name) {
			return true
		}
		return !slices.ContainsFunc(registry.Names(), func(b string) bool {
			info, err := os.Stat(filepath.Join(c.dir, name, b))
			return err == nil && info.IsDir()
		})
	})
}
