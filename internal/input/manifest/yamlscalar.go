package manifest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const quotedStyles = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// scalar writes a scalar like kubectl's conversion to JSON (sigs.k8s.io/yaml
// over go.yaml.in/yaml/v2, where the words of YAML 1.1 are booleans: the API
// server rejects a label "debug: yes", and so does planec).
func (e *expansion) scalar(n *yaml.Node) error {
	text, err := scalarJSON(e.out, n)
	if err != nil {
		return &lineError{n.Line, err.Error()}
	}
	e.out = text
	return nil
}

func scalarJSON(dst []byte, n *yaml.Node) ([]byte, error) {
	switch n.Tag {
	case "!!null":
		return append(dst, "null"...), nil
	case "!!bool":
		return appendBool(dst, n.Value)
	case "!!int":
		return appendInt(dst, n.Value)
	case "!!float":
		return appendFloat(dst, n.Value)
	case "!!binary":
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
		if err != nil {
			return nil, fmt.Errorf("a !!binary value that is not base64: %w", err)
		}
		return appendJSONString(dst, string(raw)), nil
	case "!!str":
		if n.Style&(quotedStyles|yaml.TaggedStyle) == 0 && isYAML11Bool(n.Value) {
			return appendBool(dst, n.Value)
		}
	}
	// Times remain text, and so do values with unknown tags.
	return appendJSONString(dst, n.Value), nil
}

func isYAML11Bool(s string) bool {
	switch s {
	case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF":
		return true
	}
	return false
}

func appendBool(dst []byte, s string) ([]byte, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "y", "on":
		return append(dst, "true"...), nil
	case "false", "no", "n", "off":
		return append(dst, "false"...), nil
	}
	return nil, fmt.Errorf("%q is no boolean", s)
}

func appendInt(dst []byte, s string) ([]byte, error) {
	plain := strings.ReplaceAll(s, "_", "")
	if i, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return strconv.AppendInt(dst, i, 10), nil
	}
	u, err := strconv.ParseUint(plain, 0, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no whole number", s)
	}
	return strconv.AppendUint(dst, u, 10), nil
}

func appendFloat(dst []byte, s string) ([]byte, error) {
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	if err != nil {
		return nil, fmt.Errorf("%q is a number that JSON does not have", s)
	}
	text, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("%q is a number that JSON does not have", s)
	}
	return append(dst, text...), nil
}

// fieldName returns the JSON name of a key, which is always a string.
func fieldName(key *yaml.Node) (string, error) {
	if key == nil || key.Kind != yaml.ScalarNode {
		return "", errors.New("a field whose name is no plain value")
	}
	if key.Tag == "!!null" {
		return "", errors.New("a field without a name")
	}
	if key.Tag == "!!float" {
		f, err := strconv.ParseFloat(strings.ReplaceAll(key.Value, "_", ""), 64)
		if err != nil {
			return "", fmt.Errorf("%q is a number that JSON does not have", key.Value)
		}
		return strconv.FormatFloat(f, 'g', -1, 32), nil // kubectl's precision for names
	}
	text, err := scalarJSON(nil, key)
	if err != nil {
		return "", err
	}
	if len(text) > 0 && text[0] == '"' {
		if key.Tag == "!!binary" {
			return jsonString(text), nil
		}
		return key.Value, nil
	}
	return string(text), nil
}
