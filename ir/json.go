package ir

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON returns the canonical JSON form of a normalized program, indented, with
// a final newline. [ParseJSON] reads it back. The command line converts it to
// YAML.
func (p *Program) JSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p); err != nil {
		return nil, fmt.Errorf("writing the program of node %q as JSON: %w", p.Node.Name, err)
	}
	return b.Bytes(), nil
}

// ParseJSON reads the JSON form of a program; unknown fields are an error. It
// does not call [Verify].
func ParseJSON(data []byte) (*Program, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	p := &Program{}
	if err := dec.Decode(p); err != nil {
		return nil, fmt.Errorf("reading a program from JSON: %w", err)
	}
	if dec.More() {
		return nil, fmt.Errorf("reading a program from JSON: there is more after it")
	}
	return p, nil
}
