package nettest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The header of a file, by which other readers of a directory recognise that the
// file is not theirs.
const (
	apiVersion = "planec.io/v1alpha1"
	kind       = "NetworkTest"
)

// maxSize bounds a file of tests in bytes, and maxCases its cases.
const (
	maxSize  = 16 << 20
	maxCases = 100_000
)

// Parse parses a file of tests. Errors name the line.
func Parse(path string, data []byte) (*File, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxSize)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f := &File{Path: path}
	p := parser{file: path}
	if len(doc.Content) != 1 {
		return nil, fmt.Errorf("%s: the file is empty", path)
	}
	p.fields(doc.Content[0], map[string]func(*yaml.Node){
		"apiVersion": func(n *yaml.Node) { p.want(n, apiVersion) },
		"kind":       func(n *yaml.Node) { p.want(n, kind) },
		"manifests":  func(n *yaml.Node) { f.Manifests = p.texts(n) },
		"config":     func(n *yaml.Node) { f.Config = p.text(n) },
		"node":       func(n *yaml.Node) { f.Node = p.text(n) },
		"synth":      func(n *yaml.Node) { f.Synth = p.truth(n) },
		"cases":      func(n *yaml.Node) { p.cases(n, f) },
	})
	if len(f.Manifests) == 0 {
		p.fail(doc.Content[0], "manifests is missing: which objects are these tests about?")
	}
	if len(f.Cases) == 0 {
		p.fail(doc.Content[0], "cases is missing")
	}
	return f, errors.Join(p.errs...)
}

// parser collects all errors, so that users can fix a file in one pass.
type parser struct {
	file string
	errs []error
}

func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	const most = 20
	if len(p.errs) < most {
		p.errs = append(p.errs, fmt.Errorf("%s:%d: %s", p.file, n.Line, fmt.Sprintf(format, args...)))
	}
}

// fields calls the function for each field; unknown fields are errors.
func (p *parser) fields(n *yaml.Node, known map[string]func(*yaml.Node)) {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		p.fail(n, "want fields here, as in \"name: value\"")
		return
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read := known[key.Value]
		switch {
		case read == nil:
			p.fail(key, "there is no field %q", key.Value)
		case seen[key.Value]:
			p.fail(key, "%s is here twice", key.Value)
		default:
			seen[key.Value] = true
			read(value)
		}
	}
}

func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

func (p *parser) text(n *yaml.Node) string {
	n = resolve(n)
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		p.fail(n, "want a value here")
		return ""
	}
	return n.Value
}

func (p *parser) want(n *yaml.Node, value string) {
	if got := p.text(n); got != value {
		p.fail(n, "%q: want %s", got, value)
	}
}

func (p *parser) texts(n *yaml.Node) []string {
	n = resolve(n)
	if n.Kind != yaml.SequenceNode {
		return []string{p.text(n)}
	}
	var out []string
	for _, item := range n.Content {
		out = append(out, p.text(item))
	}
	return out
}

func (p *parser) truth(n *yaml.Node) bool {
	var v bool
	if err := resolve(n).Decode(&v); err != nil {
		p.fail(n, "want true or false")
	}
	return v
}

func (p *parser) cases(n *yaml.Node, f *File) {
	n = resolve(n)
	if n.Kind != yaml.SequenceNode || len(n.Content) > maxCases {
		p.fail(n, "want a list of cases, at most %d", maxCases)
		return
	}
	for _, item := range n.Content {
		c := Case{Line: item.Line}
		expects := false
		p.fields(item, map[string]func(*yaml.Node){
			"name":   func(n *yaml.Node) { c.Name = p.text(n) },
			"from":   func(n *yaml.Node) { c.From = p.text(n) },
			"to":     func(n *yaml.Node) { c.To = p.text(n) },
			"port":   func(n *yaml.Node) { c.Port = p.text(n) },
			"node":   func(n *yaml.Node) { c.Node = p.text(n) },
			"expect": func(n *yaml.Node) { expects = true; c.Expect = p.expectation(n) },
		})
		for _, missing := range []struct{ field, value string }{{"from", c.From}, {"to", c.To}, {"port", c.Port}} {
			if missing.value == "" {
				p.fail(item, "%s is missing", missing.field)
			}
		}
		if !expects {
			p.fail(item, "expect is missing")
		}
		if c.Name == "" {
			c.Name = fmt.Sprintf("%s to %s, port %s", c.From, c.To, c.Port)
		}
		if c.Node == "" {
			c.Node = f.Node
		}
		f.Cases = append(f.Cases, c)
	}
}

func (p *parser) expectation(n *yaml.Node) Expectation {
	var e Expectation
	n = resolve(n)
	verdict := func(n *yaml.Node) {
		e.Verdict = Verdict(strings.ToLower(p.text(n)))
		if !slices.Contains([]Verdict{Allow, Deny, Drop, Reject}, e.Verdict) {
			p.fail(n, "expect %q: want allow, deny, drop or reject; or endpoints or sourcePreserved", n.Value)
		}
	}
	if n.Kind != yaml.MappingNode {
		verdict(n)
		return e
	}
	p.fields(n, map[string]func(*yaml.Node){
		"verdict":   verdict,
		"endpoints": func(n *yaml.Node) { e.Endpoints, e.HasEndpoints = p.texts(n), true },
		"sourcePreserved": func(n *yaml.Node) {
			v := p.truth(n)
			e.SourcePreserved = &v
		},
	})
	if e.Verdict == "" && !e.HasEndpoints && e.SourcePreserved == nil {
		p.fail(n, "expect says nothing")
	}
	return e
}
