package manifest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// pathAt returns the path of the value that ends at the offset of the JSON
// text, or of the last one before it: "spec.ports[0].port".
func pathAt(text []byte, offset int) string {
	dec := json.NewDecoder(bytes.NewReader(text))
	var path jsonPath
	for {
		token, err := dec.Token()
		if err != nil {
			return path.String()
		}
		path.value(token)
		if int(dec.InputOffset()) >= offset && !path.atName {
			return path.String()
		}
	}
}

// jsonPath follows a stream of tokens.
type jsonPath struct {
	steps []step
	// atName reports that the last token was a field name.
	atName bool
}

type step struct {
	isList bool
	index  int
	name   string
	named  bool
}

func (p *jsonPath) value(token json.Token) {
	p.atName = false
	if token == json.Delim('}') || token == json.Delim(']') {
		p.steps = p.steps[:len(p.steps)-1]
		return
	}
	if top := p.top(); top != nil {
		switch {
		case top.isList:
			top.index++
		case !top.named:
			top.name, _ = token.(string)
			top.named, p.atName = true, true
			return
		default:
			top.named = false
		}
	}
	if token == json.Delim('{') || token == json.Delim('[') {
		p.steps = append(p.steps, step{isList: token == json.Delim('['), index: -1})
	}
}

func (p *jsonPath) top() *step {
	if len(p.steps) == 0 {
		return nil
	}
	return &p.steps[len(p.steps)-1]
}

func (p *jsonPath) String() string {
	var b strings.Builder
	for _, s := range p.steps {
		switch {
		case s.isList && s.index >= 0:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case !s.isList && s.name != "":
			appendName(&b, s.name)
		}
	}
	return b.String()
}

// appendName adds a field, or the quoted key of a map.
func appendName(b *strings.Builder, name string) {
	if strings.ContainsAny(name, ".[]\"") {
		b.WriteString("[" + strconv.Quote(name) + "]")
		return
	}
	if b.Len() > 0 {
		b.WriteByte('.')
	}
	b.WriteString(name)
}

// describe names a Go type in the API's terms.
func describe(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int32:
		return "a whole number of 32 bits"
	case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Uint32, reflect.Uint8:
		return "a whole number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a " + t.String()
}

// withoutIndexes returns a path in the form of encoding/json's errors: only the
// names of fields.
func withoutIndexes(path string) string {
	var b strings.Builder
	for path != "" {
		name, rest, found := strings.Cut(path, "[")
		b.WriteString(name)
		if !found {
			break
		}
		_, path, _ = strings.Cut(rest, "]")
	}
	return b.String()
}
