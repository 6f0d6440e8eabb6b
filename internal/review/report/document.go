package report

import (
	"encoding/json"
	"fmt"

	"github.com/planec/planec/ir"
)

// document is what the page shows. The page is a function of it: `planec report`
// embeds one, and an engine in the page makes another after each change.
type document struct {
	// Headline and Counts say in words what the input is, or what the change does.
	Headline string   `json:"headline"`
	Counts   []string `json:"counts"`
	// Changed says whether lines and objects are marked as new or old.
	Changed     bool                `json:"changed"`
	Findings    []finding           `json:"findings"`
	Diagnostics []diagnostic        `json:"diagnostics"`
	Objects     []object            `json:"objects"`
	Files       []file              `json:"files"` // the manifests, as written
	Places      map[string][]string `json:"places"`
	Homes       []home              `json:"homes"`
	Nodes       []node              `json:"nodes"`
	Map         *Map                `json:"map,omitempty"`
}

// object is an object of the input; its place in the list is its number.
type object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	// Used says whether any line of what nodes do leads to the object.
	Used bool `json:"used"`
	// Change is "new", "changed" or "deleted" in a report of a change, or "".
	Change string `json:"change,omitempty"`
}

// home is the addresses of a node, and of its pods that are not on its network.
type home struct {
	Node string   `json:"node"`
	Host []string `json:"host,omitempty"`
	Pods []string `json:"pods,omitempty"`
}

type node struct {
	Name     string      `json:"name"`
	Program  *ir.Program `json:"program"`
	Meaning  packedText  `json:"meaning"` // the program as people read it
	IR       packedText  `json:"ir"`      // the program's own text
	Backends []backend   `json:"backends"`
}

type backend struct {
	Name  string `json:"name"`
	Files []file `json:"files"`
}

type file struct {
	Name  string     `json:"name"`
	Lines packedText `json:"lines"`
}

// line is a line of text with the objects behind it.
type line struct {
	Text    string
	Objects []int  // sorted
	Class   string // "new" or "old" for a line that was added or removed
	Heading bool   // the line begins a part of the text
}

// Document returns the page's data as JSON. Text of objects is in strings, where
// "<" is escaped, so that no text can end the element with the data.
func Document(in Input) ([]byte, error) {
	data, err := json.Marshal(newDocument(in))
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return data, nil
}

func newDocument(in Input) document {
	x := newIndex(in.states()...)
	d := document{Changed: in.Before != nil, Places: places(in.Objects), Homes: homes(in.Objects), Nodes: make([]node, 0, len(in.Nodes)), Map: in.Map}
	before := in.nodesBefore()
	for _, n := range in.Nodes {
		x.program(n.Program)
		if b, had := before[n.Program.Node.Name]; had {
			x.program(b.Program)
		}
	}
	for _, n := range in.Nodes {
		was, had := before[n.Program.Node.Name]
		d.Nodes = append(d.Nodes, x.node(&in, n, was, had))
	}
	d.Files = x.files(&in)
	x.changes(in.Changes)
	d.Objects = x.objects
	d.Findings, d.Diagnostics = x.findings(in.Findings), x.diagnostics(in.Diagnostics, in.Root)
	d.Headline, d.Counts = headline(&in), counts(&in)
	return d
}

// states are the new state and, in a change, the old one.
func (in *Input) states() []*Input {
	if in.Before == nil {
		return []*Input{in}
	}
	return []*Input{in, in.Before}
}

func (in *Input) nodesBefore() map[string]Node {
	before := make(map[string]Node)
	if in.Before != nil {
		for _, n := range in.Before.Nodes {
			before[n.Program.Node.Name] = n
		}
	}
	return before
}

// node makes the texts of one node, with the lines of the old state.
func (x *index) node(in *Input, n, was Node, had bool) node {
	joined := func(now, old []line) []line {
		if in.Before == nil {
			return now
		}
		return changed(old, now)
	}
	var oldMeaning, oldIR []line
	if had {
		oldMeaning, oldIR = x.meaning(was.Program, in.Before.Objects), x.text(in.Before.text(was.Program))
	}
	out := node{
		Name: n.Program.Node.Name, Program: n.Program, Backends: make([]backend, 0, len(n.Artifacts)),
		Meaning: pack(joined(x.meaning(n.Program, in.Objects), oldMeaning)), IR: pack(joined(x.text(in.text(n.Program)), oldIR)),
	}
	for _, a := range n.Artifacts {
		b := backend{Name: a.Backend, Files: []file{}}
		for _, f := range a.Files {
			if isText(f.Data) {
				b.Files = append(b.Files, file{Name: f.Name, Lines: pack(joined(x.rules(f.Data), x.rulesBefore(was.file(a.Backend, f.Name))))})
			}
		}
		out.Backends = append(out.Backends, b)
	}
	return out
}

// rulesBefore is rules for a file that the old state may lack.
func (x *index) rulesBefore(text []byte) []line {
	if len(text) == 0 {
		return nil
	}
	return x.rules(text)
}
