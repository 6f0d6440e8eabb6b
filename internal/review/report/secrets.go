package report

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	secretKind = regexp.MustCompile(`["']?kind["']?\s*:\s*["']?(Secret(List)?|BGPPeer(List)?)\b`)
	kindWord   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)
)

// WithoutSecrets empties the lines of documents that are not known to have no Secret: a
// page is passed on, and nothing on it needs them. What cannot be parsed and what has no
// kind in plain words could be one. Lines keep their numbers.
func WithoutSecrets(text []byte) []byte {
	var out []byte
	rest := text
	for len(rest) > 0 {
		doc := rest
		at, end := separator(rest)
		if at == 0 {
			if at, _ = separator(rest[end:]); at >= 0 {
				at += end
			}
		}
		if at > 0 {
			doc = rest[:at]
		}
		rest = rest[len(doc):]
		if harmless(doc) {
			out = append(out, doc...)
		} else {
			out = appendEmptied(out, doc)
		}
	}
	return out
}

// appendEmptied appends the lines of a document without their text.
func appendEmptied(out, doc []byte) []byte {
	const note = "# a Secret is in this document, or may be: its lines are left out\n"
	lines := bytes.Count(doc, []byte("\n"))
	if bytes.HasPrefix(doc, []byte("---")) && lines > 1 {
		out, lines = append(out, "---\n"...), lines-1
	}
	return append(append(out, note...), strings.Repeat("\n", max(lines-1, 0))...)
}

// harmless reports whether a document is known to have no Secret. Most show it without
// being parsed.
func harmless(doc []byte) bool {
	if hasPlainKind(doc) && !isVeiled(doc) {
		return true
	}
	if secretKind.Match(doc) {
		return false
	}
	for dec := yaml.NewDecoder(bytes.NewReader(doc)); ; {
		var root yaml.Node
		if err := dec.Decode(&root); errors.Is(err, io.EOF) {
			return true
		} else if err != nil {
			return false
		}
		if !harmlessDocument(&root) {
			return false
		}
	}
}

// harmlessDocument judges one parsed document, which is empty or an object with a kind.
func harmlessDocument(root *yaml.Node) bool {
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		root = root.Content[0]
	}
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return true
	}
	if root.Kind != yaml.MappingNode {
		return false
	}
	kinds := 0
	for i := 0; i+1 < len(root.Content); i += 2 {
		if isKind(root.Content[i]) {
			kinds++
			if v := root.Content[i+1]; v.Kind != yaml.ScalarNode || v.Tag != "!!str" || !kindWord.MatchString(v.Value) {
				return false
			}
		}
	}
	return kinds > 0 && withoutSecretKinds(root)
}

// isKind reports whether a key is the name of the field, in any spelling that decoders take.
func isKind(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && strings.EqualFold(key.Value, "kind")
}

// withoutSecretKinds reports whether no object at any depth, such as an item of a list, is
// a Secret. Aliases need no look: what they mean is in the same document.
func withoutSecretKinds(n *yaml.Node) bool {
	for i, c := range n.Content {
		if !withoutSecretKinds(c) {
			return false
		}
		if n.Kind != yaml.MappingNode || i%2 != 0 {
			continue
		}
		v := n.Content[i+1]
		if c.Kind != yaml.ScalarNode || c.Tag == "!!binary" {
			return false // a key that is no plain text could be any
		}
		if isKind(c) && (v.Kind == yaml.AliasNode || v.Tag == "!!binary" || isSecret(v.Value)) {
			return false
		}
	}
	return true
}

// isSecret reports whether objects of a kind may have a secret in them: a peer of MetalLB has a
// password.
func isSecret(kind string) bool {
	kind = strings.TrimSpace(kind)
	for _, k := range []string{"Secret", "SecretList", "BGPPeer", "BGPPeerList"} {
		if strings.EqualFold(kind, k) {
			return true
		}
	}
	return false
}
