package nodeconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile is the maximum size of a file in bytes.
const maxFile = 1 << 20

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read configuration: %s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", path, err)
	}
	return text, nil
}

var yamlErrorLine = regexp.MustCompile(`^yaml: line (\d+): `)

// documents parses YAML or JSON, with lines counted from base.
func (r *reader) documents(text []byte, base int) (roots []*yaml.Node) {
	defer func() {
		// The library panics on some invalid input.
		if p := recover(); p != nil {
			r.fail(base, "", "cannot be parsed: %v", p)
			roots = nil
		}
	}()
	switch {
	case len(text) > maxFile:
		r.fail(0, "", "is larger than 1 MiB")
		return nil
	case !utf8.Valid(text):
		r.fail(0, "", "is not UTF-8")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	for {
		var doc yaml.Node
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			return roots
		} else if err != nil {
			r.fail(base+errorLine(err), "", "%v", err)
			return nil
		}
		for _, n := range doc.Content {
			if !r.plain(n, base, 0) {
				return nil
			}
			roots = append(roots, n)
		}
	}
}

func errorLine(err error) int {
	if m := yamlErrorLine.FindStringSubmatch(err.Error()); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 0
}

// maxDepth is the maximum nesting of a configuration; the deepest known one needs 5.
const maxDepth = 50

// plain shifts the lines of the nodes by base, and rejects what a configuration
// does not need: aliases, deep nesting, names that are not plain or are repeated.
func (r *reader) plain(n *yaml.Node, base, depth int) bool {
	n.Line += base
	if n.Kind == yaml.AliasNode {
		r.fail(n.Line, "", "aliases are not read in configurations")
		return false
	}
	if depth > maxDepth {
		r.fail(n.Line, "", "nests deeper than %d levels", maxDepth)
		return false
	}
	seen := map[string]bool{}
	for i, child := range n.Content {
		if !r.plain(child, base, depth+1) {
			return false
		}
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			continue
		}
		if child.Kind != yaml.ScalarNode {
			r.fail(child.Line, "", "a field whose name is no plain value")
			return false
		}
		if seen[child.Value] {
			r.fail(child.Line, child.Value, "stands twice")
			return false
		}
		seen[child.Value] = true
	}
	return true
}

// nested parses the text in a field of a ConfigMap.
func (r *reader) nested(n *yaml.Node) *yaml.Node {
	if n == nil || n.Kind != yaml.ScalarNode {
		return nil
	}
	// In a block scalar the text starts on the line after the indicator; in a
	// quoted one the line is unknown.
	base := n.Line
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		base = n.Line - 1
	}
	roots := r.documents([]byte(n.Value), base)
	if len(roots) != 1 {
		return nil
	}
	return roots[0]
}

// nodeAt follows field names; nil means that one is missing.
func nodeAt(n *yaml.Node, names ...string) *yaml.Node {
	for _, name := range names {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		var next *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				next = n.Content[i+1]
			}
		}
		n = next
	}
	return n
}

// typeOf returns apiVersion and kind.
func typeOf(n *yaml.Node) (group, kind string) {
	if v := nodeAt(n, "apiVersion"); v != nil {
		group = v.Value
	}
	if v := nodeAt(n, "kind"); v != nil {
		kind = v.Value
	}
	return group, kind
}
