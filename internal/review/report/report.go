package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// Input is the input of a report.
type Input struct {
	Objects *objects.Set // the objects behind the programs
	Nodes   []Node       // sorted by name
	// Root is the prefix of file names that the report omits: two states of a
	// directory are in two places.
	Root string
	// Before is the old state in a report of a change, else nil. Nodes that it
	// lacks are new.
	Before *Input
	// Findings describe the change, the most important first.
	Findings []Finding
}

// Finding is a sentence with its kind ("opened", "closed", ...).
type Finding struct {
	Kind string `json:"kind"` // one of package diffreport's kinds
	Text string `json:"text"` // a sentence without a full stop
}

// Node is one node's program with the files that backends made from it.
type Node struct {
	Program   *ir.Program // the program behind the files
	Artifacts []Artifact  // the files to show; may be empty
}

// Artifact is the output of one backend.
type Artifact struct {
	Backend string // the name of the backend
	backends.Artifact
}

// page is the data in the page; page/page.js reads it.
type page struct {
	Objects []object            `json:"objects"`
	Places  map[string][]string `json:"places"`
	Nodes   []node              `json:"nodes"`
	// Changed says whether lines are marked as new or old.
	Changed  bool      `json:"changed"`
	Findings []Finding `json:"findings"`
}

type object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	// Used says whether any line leads to the object.
	Used bool `json:"used"`
}

type node struct {
	Name    string      `json:"name"`
	Program *ir.Program `json:"program"`
	// Pods are the addresses of this node's pods.
	Pods     []string            `json:"pods"`
	Places   map[string][]string `json:"places"`
	IR       []line              `json:"ir"`
	Backends []backend           `json:"backends"`
}

type backend struct {
	Name  string `json:"name"`
	Files []file `json:"files"`
}

type file struct {
	Name  string `json:"name"`
	Lines []line `json:"lines"`
}

// line is a line of text with the objects behind it.
type line struct {
	Text    string `json:"t"`
	Objects []int  `json:"o,omitempty"`
	// Class is "new" or "old" for a line that was added or removed.
	Class string `json:"c,omitempty"`
}

//go:embed page/page.html
var pageHTML []byte

//go:embed page/page.css
var pageCSS []byte

//go:embed page/page.js
var pageJS []byte

//go:embed page/eval.js
var evalJS []byte

// Data is the data of a page, a JSON object. It has no "<", so that no text can end
// the script element that holds it.
func Data(in Input) ([]byte, error) {
	data, err := json.Marshal(newPage(in))
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return data, nil
}

// Head is what a page has besides its own parts.
type Head struct {
	// Policy is its Content-Security-Policy.
	Policy string
	// Scripts are relative URLs of scripts that run before the page's own.
	Scripts []string
}

// Write writes the page.
func Write(w io.Writer, in Input) error {
	return WriteWith(w, in, Head{Policy: "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"})
}

// WriteWith is [Write] for a page that is not alone.
func WriteWith(w io.Writer, in Input, head Head) error {
	data, err := Data(in)
	if err != nil {
		return err
	}
	var scripts []byte
	for _, url := range head.Scripts {
		scripts = fmt.Appendf(scripts, "<script src=%q></script>\n", url)
	}
	html := pageHTML
	for _, part := range []struct{ name, content []byte }{
		{[]byte("{{policy}}"), []byte(head.Policy)}, {[]byte("{{scripts}}"), scripts},
		{[]byte("{{style}}"), pageCSS}, {[]byte("{{eval}}"), evalJS}, {[]byte("{{script}}"), pageJS}, {[]byte("{{data}}"), data},
	} {
		before, after, _ := bytes.Cut(html, part.name)
		html = append(append(append(make([]byte, 0, len(html)+len(part.content)), before...), part.content...), after...)
	}
	if _, err := w.Write(html); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

func newPage(in Input) page {
	sets := []*Input{&in}
	before := make(map[string]Node)
	if in.Before != nil {
		sets = append(sets, in.Before)
		for _, n := range in.Before.Nodes {
			before[n.Program.Node.Name] = n
		}
	}
	x := newIndex(sets...)
	p := page{Places: places(in.Objects), Nodes: make([]node, 0, len(in.Nodes)), Changed: in.Before != nil, Findings: in.Findings}
	for _, n := range in.Nodes {
		x.program(n.Program)
		if b, had := before[n.Program.Node.Name]; had {
			x.program(b.Program)
		}
	}
	for _, n := range in.Nodes {
		was, had := before[n.Program.Node.Name]
		// joined returns the lines of a text, with those of the old text.
		joined := func(text, old []byte, read func([]byte) []line) []line {
			if in.Before == nil {
				return read(text)
			}
			return changed(old, text, read)
		}
		var oldText []byte
		if had {
			oldText = in.Before.text(was.Program)
		}
		out := node{
			Name: n.Program.Node.Name, Program: n.Program, Pods: ownPods(in.Objects, n.Program),
			Places: map[string][]string{}, IR: joined(in.text(n.Program), oldText, x.text), Backends: make([]backend, 0, len(n.Artifacts)),
		}
		for _, a := range n.Artifacts {
			b := backend{Name: a.Backend}
			for _, f := range a.Files {
				if !isText(f.Data) {
					continue
				}
				b.Files = append(b.Files, file{Name: f.Name, Lines: joined(f.Data, was.file(a.Backend, f.Name), x.rules)})
			}
			out.Backends = append(out.Backends, b)
		}
		p.Nodes = append(p.Nodes, out)
	}
	p.Objects = x.objects
	return p
}

// text returns a program's text, with the report's file names.
func (in *Input) text(p *ir.Program) []byte {
	if in.Root == "" {
		return p.Text()
	}
	return bytes.ReplaceAll(p.Text(), []byte(`"`+in.Root), []byte(`"`))
}

// file returns a file of a backend, or nil.
func (n Node) file(backend, name string) []byte {
	for _, a := range n.Artifacts {
		if a.Backend == backend {
			return a.File(name)
		}
	}
	return nil
}

// isText reports whether a file is text; an image is not.
func isText(b []byte) bool { return bytes.IndexByte(b[:min(len(b), 512)], 0) < 0 }
