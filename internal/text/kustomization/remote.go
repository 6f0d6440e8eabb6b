package kustomization

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// loading are the fields, in small letters, whose strings kustomize loads files,
// directories or URLs from. Its own reader takes them in any case.
var loading = map[string]bool{
	"resources": true, "components": true, "bases": true, "crds": true, "configurations": true, "generators": true,
	"transformers": true, "validators": true, "patchesstrategicmerge": true, "path": true, "paths": true, "files": true,
	"env": true, "envs": true, "valuesfile": true, "additionalvaluesfiles": true, "repo": true,
}

// inline are the fields, in small letters, that take the configuration of a plugin
// where the name of its file could be.
var inline = map[string]bool{"generators": true, "transformers": true, "validators": true}

// fetched is the start of what kustomize gives to an HTTP client or to git: see
// NewRepoSpecFromURL and IsRemoteFile of its api. A directory that is there does not keep
// it from cloning one of such a name.
var fetched = regexp.MustCompile(`(?i)^(git::)*(https?:|ssh:|file:|[a-z][a-z0-9-]*@|github\.com[/:])`)

// isRemote reports whether kustomize would fetch a value, as it is or behind the name
// of a file of a generator.
func isRemote(value string) bool {
	_, source, _ := strings.Cut(value, "=")
	for _, v := range []string{value, source} {
		if v = strings.TrimSpace(v); fetched.MatchString(v) {
			return true
		}
		if !strings.Contains(v, "\n") && (strings.Contains(v, "://") || strings.Contains(v, "?ref=")) {
			return true
		}
	}
	return false
}

// Remote is the first field that names something which kustomize would fetch, and what it
// names; "" is none.
func (c Content) Remote() (field, value string) {
	c.Each(func(f, v string) {
		name := strings.ToLower(f)
		switch {
		case field != "" || !loading[name]:
		case isRemote(v):
			field, value = f, v
		case inline[name] && strings.Contains(v, "\n"):
			field, value = remoteInText([]byte(v))
		}
	})
	return field, value
}

// remoteInText is [Content.Remote] for every document of a text, as far as it is YAML.
func remoteInText(text []byte) (field, value string) {
	for document := range bytes.SplitSeq(append([]byte("\n"), text...), []byte("\n---")) {
		var content any
		if yaml.Unmarshal(document, &content) != nil {
			continue // kustomize says what is wrong with it
		}
		if field, value = (Content{content}).Remote(); field != "" {
			return field, value
		}
	}
	return "", ""
}

// builtin is in the apiVersion of every plugin's configuration that works without
// running a program.
var builtin = []byte("builtin")

// Fetches looks through a file that kustomize reads, and returns the first field that
// names something remote, and what it names. Kustomizations and the configurations of
// plugins can; other files are objects and data, whose fields load nothing.
func Fetches(path string, text []byte) (field, value string) {
	if !IsName(filepath.Base(path)) && !bytes.Contains(text, builtin) {
		return "", ""
	}
	return remoteInText(text)
}
