package nodeconfig

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/planec/planec/internal/base/suggest"
)

// object is a mapping while it is read: the caller requests fields by name, and
// all other fields are unknown.
type object struct {
	r      *reader
	path   string
	fields []field
	known  []string
	// anyCase finds fields in any case, like encoding/json.
	anyCase bool
}

type field struct {
	name  string
	line  int
	value *yaml.Node
}

// object reads a mapping. Anything else is an error, and the object is then
// empty.
func (r *reader) object(n *yaml.Node, path string) *object {
	o := &object{r: r, path: path}
	if n == nil || isNull(n) {
		return o
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n.Line, path, "want an object")
		return o
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		o.fields = append(o.fields, field{n.Content[i].Value, n.Content[i].Line, n.Content[i+1]})
	}
	return o
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// value is one field of an object. Its methods return the zero value if it is
// missing, null or wrong, and report a wrong one.
type value struct {
	r    *reader
	path string
	node *yaml.Node
}

// get returns the field and makes it known.
func (o *object) get(name string) value {
	o.known = append(o.known, name)
	v := value{r: o.r, path: join(o.path, name)}
	for _, f := range o.fields {
		if f.name == name || (o.anyCase && strings.EqualFold(f.name, name)) {
			v.node = f.value
		}
	}
	return v
}

// ignore makes fields known.
func (o *object) ignore(names ...string) { o.known = append(o.known, names...) }

// unknown returns the fields that were not requested.
func (o *object) unknown() []field {
	var out []field
	for _, f := range o.fields {
		known := false
		for _, name := range o.known {
			known = known || f.name == name || (o.anyCase && strings.EqualFold(f.name, name))
		}
		if !known {
			out = append(out, f)
		}
	}
	return out
}

// done reports the fields that were not requested.
func (o *object) done() {
	for _, f := range o.unknown() {
		o.r.fail(f.line, o.path, "unknown field %s%s", f.name, suggest.DidYouMean(f.name, o.known))
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (v value) fail(format string, args ...any) { v.r.fail(v.line(), v.path, format, args...) }

func (v value) line() int {
	if v.node == nil {
		return 0
	}
	return v.node.Line
}

// isSet reports whether the field exists and is not null.
func (v value) isSet() bool { return v.node != nil && !isNull(v.node) }

func (v value) object() *object { return v.r.object(v.node, v.path) }

func (v value) string() string {
	if !v.isSet() {
		return ""
	}
	if v.node.Kind != yaml.ScalarNode || (v.node.Tag != "!!str" && v.node.Tag != "!!timestamp") {
		v.fail("want a string")
		return ""
	}
	return v.node.Value
}

func (v value) bool() bool {
	if !v.isSet() {
		return false
	}
	if v.node.Kind == yaml.ScalarNode {
		// The words of YAML 1.1 count, as in kubectl and kube-proxy.
		quoted := v.node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
		switch strings.ToLower(v.node.Value) {
		case "true", "yes", "on", "y":
			if !quoted {
				return true
			}
		case "false", "no", "off", "n":
			if !quoted {
				return false
			}
		}
	}
	v.fail("want true or false")
	return false
}

func (v value) int() int {
	if !v.isSet() {
		return 0
	}
	if v.node.Kind == yaml.ScalarNode && v.node.Tag == "!!int" {
		i, err := strconv.ParseInt(v.node.Value, 0, 64)
		if err == nil && i >= math.MinInt32 && i <= math.MaxInt32 {
			return int(i)
		}
	}
	v.fail("want a whole number")
	return 0
}

// strings reads a list of strings; with commas, also one string with parts
// separated by commas.
func (v value) strings(commas bool) []value {
	if !v.isSet() {
		return nil
	}
	if commas && v.node.Kind == yaml.ScalarNode {
		var out []value
		for _, part := range splitCommas(v.string()) {
			n := *v.node
			n.Value = part
			out = append(out, value{v.r, v.path, &n})
		}
		return out
	}
	if v.node.Kind != yaml.SequenceNode {
		v.fail("want a list")
		return nil
	}
	var out []value
	for i, n := range v.node.Content {
		item := value{v.r, fmt.Sprintf("%s[%d]", v.path, i), n}
		if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
			item.fail("want a string")
			continue
		}
		out = append(out, item)
	}
	return out
}

// splitCommas returns the trimmed parts between commas; an empty text has none.
func splitCommas(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}
