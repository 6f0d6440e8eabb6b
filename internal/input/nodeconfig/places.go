package nodeconfig

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/planec/planec/ir"
)

// Places is [PlacesOf] of a file.
func Places(path string) (map[string]ir.Origin, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return PlacesOf(path, text), nil
}

// Open returns the text of a file, for [Read].
func Open(path string) ([]byte, error) { return readFile(path) }

// PlacesOf returns where the text of a file says each setting, by the name of its field in a
// NodeConfig: the text is one that [Read] accepts. What it does not say is not there.
func PlacesOf(path string, text []byte) map[string]ir.Origin {
	r := &reader{file: path}
	out := make(map[string]ir.Origin)
	for _, root := range r.documents(text, 0) {
		if !r.isConfig(root) {
			continue
		}
		_, kind := typeOf(root)
		if kind == "ConfigMap" {
			root = r.nested(nodeAt(root, "data", proxyKey))
		}
		sections := "nftables."
		if mode := nodeAt(root, "mode"); mode != nil && mode.Value == "nftables" {
			sections = "iptables."
		}
		for _, s := range Settings() {
			if at, field := s.in(root, kind == ownKind, sections); at != nil {
				out[s.Name] = ir.Origin{Path: field, File: path, Line: at.Line}
			}
		}
	}
	return out
}

// in finds the value of a setting, and the field that has it; nil is none. Fields of kube-proxy
// that begin with other do not count in its mode.
func (s *Setting) in(root *yaml.Node, own bool, other string) (*yaml.Node, string) {
	fields := s.Proxy
	if own {
		fields = []string{s.Name}
	}
	for _, f := range fields {
		if !own && strings.HasPrefix(f, other) {
			continue
		}
		if n := nodeAt(root, strings.Split(f, ".")...); n != nil && !isNull(n) && (own || n.Kind != yaml.ScalarNode || n.Value != "") { // an empty text is kube-proxy's default
			return n, f
		}
	}
	return nil, ""
}

// Kind says what a text is: NodeConfig or KubeProxyConfiguration, "" for neither.
func Kind(text []byte) string {
	r := &reader{}
	for _, root := range r.documents(text, 0) {
		if r.isConfig(root) {
			if _, kind := typeOf(root); kind == ownKind {
				return ownKind
			}
			return proxyKind
		}
	}
	return ""
}
