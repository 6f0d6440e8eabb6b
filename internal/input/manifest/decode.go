package manifest

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/json"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// decoder turns pieces into objects. It caches what they share, and belongs
// to one worker.
type decoder struct {
	shared *interner
	// schemas are shared between decoders.
	schemas *schemas
	wanted
	// kinds are the supported kinds, built on first use.
	kinds map[string]typeMeta
	// slips maps unsupported kinds to the kinds that were probably meant.
	slips map[typeMeta]typeMeta
}

func newDecoder(s *schemas) *decoder { return &decoder{shared: newInterner(), schemas: s} }

// text is one object as JSON, with the data to locate its parts.
type text struct {
	json []byte
	file string
	line int
	// node is the YAML source of the JSON, or nil; its lines count from base.
	node *yaml.Node
	base int
	// schema is the schema of the object's kind, nil if unknown; unknown reports
	// that the object has fields outside of it.
	schema  *schema
	unknown bool
	// repeated are the repeated fields of a policy.
	repeated []strange
}

func (t *text) origin(line int) ir.Origin { return ir.Origin{File: t.file, Line: line} }

// lineAt returns the line of the value that ends at the offset.
func (t *text) lineAt(offset int) int {
	offset = min(max(offset, 0), len(t.json))
	if t.node == nil {
		return t.line + bytes.Count(t.json[:offset], newline)
	}
	var where places
	if _, err := nodeJSON(t.node, &where); err != nil {
		return t.line
	}
	if line := where.lineAt(offset); line > 0 {
		return t.base + line
	}
	return t.line
}

// piece decodes a piece with any content.
func (d *decoder) piece(out *outcome, p *piece) {
	if !utf8.Valid(p.text) {
		out.report(diag.BadUTF8, p.origin(p.line+bytes.Count(p.text[:firstInvalid(p.text)], newline)), "a byte that is not UTF-8")
		return
	}
	if p.yaml {
		if !d.plainPiece(out, p) {
			d.yamlPiece(out, p)
		}
		return
	}
	d.json(out, p, p.text, p.line, 0)
}

func firstInvalid(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return len(text)
}

// json decodes an object, or the items of a list in another list.
func (d *decoder) json(out *outcome, p *piece, raw []byte, line, level int) {
	t := text{json: raw, file: p.file, line: line}
	meta, hasItems, err := sniffJSON(raw)
	if err != nil {
		out.report(diag.BadDocument, t.origin(line), "broken JSON: "+err.Error())
		return
	}
	meta, ok := p.inherit(out, meta)
	if !ok {
		return
	}
	t.schema = d.schemaOf(meta)
	twice, unknown := jsonProblem(raw, t.schema)
	if t.unknown = unknown; twice != nil && stdjson.Valid(raw) {
		if d.repeatedInPolicy(out, &t, meta) {
			return
		}
		at := t.origin(line + twice.line - 1)
		at.Kind = meta.kind
		out.report(diag.BadObject, at, twice.text)
		return
	}
	switch {
	case !meta.isList() && hasItems:
		out.report(diag.BadObject, t.origin(line), itemsText)
		return
	case !meta.isList():
		d.object(out, &t, meta)
		return
	case !d.deeper(out, &t, level):
		return
	}
	items := *p
	items.item, items.list, items.resolved = true, meta.element(), true
	if !hasItems {
		t.withoutItems(out, meta)
	}
	err = eachField(raw, line, func(name string, line int, value []byte) {
		if name == "items" && value[0] != '[' && string(value) != "null" {
			out.report(diag.BadObject, t.listAt(meta, line), noListText)
		}
		if name != "items" || value[0] != '[' {
			return
		}
		if err := eachItem(value, line, func(line int, value []byte) { d.json(out, &items, value, line, level+1) }); err != nil {
			out.report(diag.BadDocument, t.origin(line), "broken JSON: "+err.Error())
		}
	})
	if err != nil {
		out.report(diag.BadDocument, t.origin(line), "broken JSON: "+err.Error())
	}
}

// itemsText is for an object that kubectl splits like a list, whatever its kind.
const itemsText = "it has items, and a kind that is no list: readers differ about what it is"

// deeper reports whether the items of a list may be lists.
func (d *decoder) deeper(out *outcome, t *text, level int) bool {
	if level < maxListDepth {
		return true
	}
	out.report(diag.BadDocument, t.origin(t.line), fmt.Sprintf("lists in lists, deeper than %d levels", maxListDepth))
	return false
}

// inherit adds to an item what its list says about it; false means that the
// piece must wait until the list is known.
func (p *piece) inherit(out *outcome, meta typeMeta) (typeMeta, bool) {
	if meta.kind != "" || !p.item {
		return meta, true
	}
	if p.list.kind == "" && !p.resolved {
		out.pending = append(out.pending, *p)
		return meta, false
	}
	if p.list.kind == "" {
		return meta, true
	}
	return p.list, true
}

// plainPiece decodes one object that is plain YAML, if there is nothing to say about it: findings
// need the lines of the text, which only a tree of nodes has. It reports whether it did.
func (d *decoder) plainPiece(out *outcome, p *piece) bool {
	text, ok := plainJSON(p.text, p.item)
	if !ok {
		return false
	}
	if meta, items, err := sniffJSON(text); err != nil || items || meta.isList() {
		return false
	}
	var made outcome
	d.json(&made, p, text, p.line+linesBefore(p.text), 0)
	if len(made.diags) > 0 || len(made.pending) > 0 || made.unread {
		return false
	}
	out.add(&made)
	return true
}

// linesBefore counts the lines before the first value of a plain text.
func linesBefore(text []byte) int {
	for n := 0; ; n++ {
		line, rest, _ := bytes.Cut(text, newline)
		if content := bytes.TrimLeft(line, " "); len(content) > 0 && content[0] != '#' {
			return n
		}
		text = rest
	}
}

func (d *decoder) yamlPiece(out *outcome, p *piece) {
	nodes, err := yamlNodes(p.text)
	if len(nodes) > 1 && err == nil && !p.item {
		// kubectl reads the first document and ignores the others.
		err = &lineError{nodes[1].Line, "a second document that does not begin with ---"}
		nodes = nodes[:1]
	}
	for _, n := range nodes {
		if p.item && (len(nodes) != 1 || n.Kind != yaml.SequenceNode || len(n.Content) != 1) {
			err = &lineError{1, "an item of the list that is more than one value"}
			break
		}
		budget := 0
		if p.item {
			n = n.Content[0]
		}
		d.node(out, p, n, &budget, 0)
	}
	if p.item && len(nodes) == 0 && err == nil {
		err = &lineError{1, "an item of the list that is empty"}
	}
	if err != nil {
		out.unread = true
		out.report(diag.BadDocument, p.origin(p.line+lineOf(err)-1), "broken YAML: "+err.Error())
	}
}

// lineOf returns the line of the error, from 1.
func lineOf(err error) int {
	var at *lineError
	if errors.As(err, &at) {
		return max(at.line, 1)
	}
	return 1
}

// node decodes an object, or the items of a list. The budget counts the
// document's values so far.
func (d *decoder) node(out *outcome, p *piece, n *yaml.Node, budget *int, level int) {
	t := text{file: p.file, line: p.line + n.Line - 1, base: p.line - 1, node: n}
	n = resolveAlias(n)
	if n.Kind != yaml.MappingNode {
		if p.item {
			// For null in a list of one kind, kubectl makes an object without a name.
			out.report(diag.BadObject, t.origin(t.line), "an item of the list that is no object")
		} else if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
			out.report(diag.BadDocument, t.origin(t.line), "plain text, which is no object")
		} else if n.Tag != "!!null" {
			out.skipped.count(unknownKind, 1)
		}
		return
	}
	said, hasItems := yamlMeta(n)
	meta, ok := p.inherit(out, said)
	if !ok {
		return
	}
	if twice := yamlProblem(n); twice != nil && (!hasItems || !meta.isList()) {
		if d.repeatedInPolicy(out, &t, meta) {
			return
		}
		at := t.origin(t.base + twice.line)
		at.Kind = meta.kind
		out.report(diag.BadObject, at, twice.text)
		return
	}
	switch {
	case !meta.isList() && hasItems:
		out.report(diag.BadObject, t.origin(t.line), itemsText)
		return
	case meta.isList():
		if d.deeper(out, &t, level) {
			if !hasItems {
				t.withoutItems(out, meta)
			}
			d.listNode(out, p, n, meta, budget, level)
		}
		return
	case !planecReads(meta) && !d.readsWorkload(meta) && !d.readsEntry(meta):
		d.object(out, &t, meta)
		return
	}
	e := expansion{nodes: *budget}
	err := e.value(n)
	*budget = e.nodes
	if err != nil {
		at := t.origin(t.base + lineOf(err))
		at.Kind = meta.kind
		out.report(diag.BadObject, at, err.Error())
		return
	}
	t.json, t.schema = e.out, d.schemaOf(meta)
	_, t.unknown = jsonProblem(t.json, t.schema)
	d.object(out, &t, meta)
}

// schemaOf returns the schema of a supported kind, nil for others.
func (d *decoder) schemaOf(m typeMeta) *schema {
	if planecReads(m) || d.readsKnownWorkload(m) || d.workloads && m.isEndpoints() || d.readsEntry(m) {
		return d.schemas.of(m)
	}
	return nil
}

func (d *decoder) listNode(out *outcome, p *piece, n *yaml.Node, meta typeMeta, budget *int, level int) {
	if twice := headerProblem(n); twice != nil {
		out.unread = true
		out.report(diag.BadObject, p.origin(p.line+twice.line-1), twice.text)
		return
	}
	fields, err := (&expansion{}).fields(n, nil)
	if err != nil {
		out.unread = true
		out.report(diag.BadDocument, p.origin(p.line+lineOf(err)-1), "broken YAML: "+err.Error())
		return
	}
	items := *p
	items.item, items.list, items.resolved = true, meta.element(), true
	for _, f := range fields {
		list := resolveAlias(f.value)
		if f.name == "items" && list.Kind != yaml.SequenceNode && list.Tag != "!!null" {
			at := p.origin(p.line + f.value.Line - 1)
			at.Kind = meta.kind
			out.report(diag.BadObject, at, noListText)
		}
		if f.name == "items" && list.Kind == yaml.SequenceNode {
			for _, item := range list.Content {
				if *budget++; *budget > maxNodes {
					out.report(diag.BadDocument, p.origin(p.line+n.Line-1), "with its aliases written out the list is too large")
					return
				}
				d.node(out, &items, item, budget, level+1)
			}
		}
	}
}

// unmarshal decodes the object with the rules of the API server: field names are
// case-sensitive, and unknown ones are reported elsewhere (strict.go). It reports
// errors and returns false if the object is unusable.
func (d *decoder) unmarshal(out *outcome, t *text, kind string, into any) bool {
	at := t.origin(t.line)
	at.Kind = kind
	if bytes.Count(t.json, []byte{','}) > maxCommas {
		out.report(diag.BadObject, at, fmt.Sprintf("more than %d values; no API server stores so many in one object", maxCommas))
		return false
	}
	twice, err := json.UnmarshalStrict(t.json, into, json.DisallowDuplicateFields)
	if len(t.repeated) > 0 {
		twice = nil // it is reported, and no repeated field is used
	}
	var wrong *stdjson.UnmarshalTypeError
	switch syntax, offset := json.SyntaxErrorOffset(err); {
	case err == nil && len(twice) == 0:
		return true
	case err == nil:
		at.Line = t.line
		out.report(diag.BadObject, at, "a field stands twice: "+twice[0].Error())
	case syntax:
		at.Line = t.lineAt(int(offset))
		out.report(diag.BadDocument, at, "broken JSON: "+err.Error())
	case errors.As(err, &wrong):
		at.Line = t.lineAt(int(wrong.Offset))
		at.Path = pathAt(t.json, int(wrong.Offset))
		if !strings.HasPrefix(withoutIndexes(at.Path), wrong.Field) {
			// The type decodes itself, like a port that may be a name: the offset counts
			// in the value's own text.
			at.Line, at.Path = t.line, wrong.Field
		}
		message := fmt.Sprintf("%s where %s should be", wrong.Value, describe(wrong.Type))
		if t.node != nil && wrong.Value == "bool" {
			message += "; plain words such as yes, no, on, off, y and n are booleans in YAML, so quote it"
		}
		out.report(diag.BadObject, at, message)
	default:
		out.report(diag.BadObject, at, err.Error())
	}
	return false
}
